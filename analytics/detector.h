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
#include "analytics/path_view.h"
#include "analytics/pattern_findings.h"
#include "analytics/server_memory.h"
#include "analytics/verdict.h"

// All borrowed for the call; none but `twin` is NULL.
struct detector_input {
	const struct session_record *record;
	const struct judgement *judgement; // what the session is without any evidence
	const struct certificate_judgement *certificates;
	const struct pattern_findings *patterns;
	const struct server_history *server; // before this session
	const struct server_history *implicit; // this server's port for TLS from the start, if any
	const struct client_history *client; // before this session
	const struct path_history *path; // before this session
	// As in the server's history: of this session's list and banner. 0: not seen.
	uint64_t capabilities_fingerprint, banner_fingerprint;
	const struct session_record *twin; // the same connection at another tap point; NULL: none
};

struct detector_ops {
	enum evidence_kind kind;
	// It keeps TLS from being used: what follows in the clear is stripped.
	bool strips;
	// False: nothing of this kind. True: *evidence has its confidence and facts; kind and strips are
	// set by the caller.
	bool (*detect)(const struct detector_input *input, struct evidence *evidence);
};

// The rows of the table, each in its file in evidence/.
extern const struct detector_ops capability_garbled, banner_garbled, capability_removed,
    command_garbled, illegal_reply, refusal_contradicts_offer, refusal_unlike_server,
    offer_ignored_unlike_client, ehlo_refused_unlike_server, tls_broken_then_cleartext,
    injected_segment, path_difference, certificate_substituted, preauth_unexpected,
    implicit_tls_blocked, tls_downgrade_sentinel, starttls_command_injection,
    starttls_response_injection;

// How long ago what is known of a server or client may be to be held against a session.
#define DETECTOR_MEMORY SECONDS((nanoseconds)30 * 24 * 3600)
// How long behind an attempt at TLS that failed a session in the clear belongs to it.
#define DETECTOR_SOON SECONDS(600)

enum { DETECTOR_OFTEN = 3 }; // sessions that make a habit

// The user's list of good servers says that this one offers STARTTLS or STLS to everyone, and takes it.
bool detector_is_listed(const struct server_history *server);

// All evidence in a session, in the order of the table. Returns how many pieces.
size_t detectors_run(const struct detector_input *input, struct evidence found[EVIDENCE_KINDS]);

#endif
