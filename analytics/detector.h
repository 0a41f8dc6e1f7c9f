// SPDX-License-Identifier: Apache-2.0
// The kinds of evidence: one const detector_ops per kind in its own file, one row in the table of
// detector.c. A detector is a pure function of a session and of what was known before it of its server
// and its client. Called by the analytics thread for every session that ended, and for one that is
// still open where something certain was seen.
#ifndef MAILTAP_ANALYTICS_DETECTOR_H
#define MAILTAP_ANALYTICS_DETECTOR_H

#include "analytics/certificate_judge.h"
#include "analytics/client_memory.h"
#include "analytics/evidence.h"
#include "analytics/pattern_findings.h"
#include "analytics/server_memory.h"
#include "analytics/verdict.h"

// All borrowed for the call; none is NULL.
struct detector_input {
	const struct session_record *record;
	const struct judgement *judgement; // what the session is without any evidence
	const struct certificate_judgement *certificates;
	const struct pattern_findings *patterns;
	const struct server_history *server; // before this session
	const struct server_history *implicit; // this server's port for TLS from the start, if any
	const struct client_history *client; // before this session
};

struct detector_ops {
	enum evidence_kind kind;
	// It keeps TLS from being used: what follows in the clear is stripped.
	bool strips;
	// False: nothing of this kind. True: *evidence has its confidence and facts; kind and strips are
	// set by the caller.
	bool (*detect)(const struct detector_input *input, struct evidence *evidence);
};

// All evidence in a session, in the order of the table. Returns how many pieces.
size_t detectors_run(const struct detector_input *input, struct evidence found[EVIDENCE_KINDS]);

#endif
