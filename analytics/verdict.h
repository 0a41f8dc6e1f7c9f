// SPDX-License-Identifier: Apache-2.0
// What is said of a session: verdict, reason and hop, from the frozen facts, and then what the evidence makes
// of it. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_VERDICT_H
#define MAILTAP_ANALYTICS_VERDICT_H

#include "analytics/evidence.h"
#include "decode/session_record.h"

enum verdict {
	VERDICT_ENCRYPTED,
	VERDICT_CLEARTEXT,
	VERDICT_STRIPPED,
	VERDICT_TLS_FAILED,
	VERDICT_NO_MAIL,
	VERDICT_NOT_MAIL,
	VERDICT_PARTIAL,
	VERDICTS,
};

// Why a session is cleartext.
enum reason {
	REASON_NONE, // not cleartext, or the capture does not show it
	REASON_NOT_OFFERED,
	REASON_NOT_REQUESTED,
	REASON_REFUSED,
	REASON_TLS_FAILED,
	REASON_CLEARTEXT_ON_TLS_PORT,
	REASONS,
};

enum hop {
	HOP_NONE, // not mail, or the capture does not show which
	HOP_SUBMISSION,
	HOP_RELAY,
	HOP_ACCESS,
	HOPS,
};

struct judgement {
	enum verdict verdict;
	enum reason reason;
	enum hop hop;
	enum confidence confidence; // with VERDICT_STRIPPED
};

// Without regard to evidence: never VERDICT_STRIPPED.
struct judgement judge(const struct session_record *record);

// With evidence. Stripped is a session in the clear with a piece that strips; and one that ended before mail,
// log-in and TLS, if the piece is at least probable: it would have gone on in the clear, or not at all;
// and one of which too little was captured to say how it ended, if the piece is confirmed and TLS did not
// come about for sure. Its confidence is that of the strongest such piece. Beside any other verdict evidence changes nothing.
struct judgement judge_evidence(const struct session_record *record, struct judgement judgement,
    const struct evidence *evidence, size_t count);

// As records write them; NULL for the "none" of reasons and hops.
const char *verdict_name(enum verdict verdict);
const char *reason_name(enum reason reason);
const char *hop_name(enum hop hop);

#endif
