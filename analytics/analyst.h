// SPDX-License-Identifier: Apache-2.0
// Judges sessions: brings together what a record says, what the certificates and patterns say of it, and what
// was known before of its server, its client and the path between them; runs the detectors; draws the
// verdict; and then remembers the session for the next ones. Owns all memory that outlives a session. Called
// by the analytics thread alone.
#ifndef MAILTAP_ANALYTICS_ANALYST_H
#define MAILTAP_ANALYTICS_ANALYST_H

#include "analytics/detector.h"
#include "analytics/judged_session.h"

// What comes out. What it gets is borrowed for the call.
struct analyst_sinks {
	void (*on_session)(void *context, const struct judged_session *session);
	// Of a session that still goes on.
	void (*on_alert)(void *context, const struct judged_session *session);
	void *context;
};

// All borrowed for the analyst's life.
struct analyst_options {
	struct certificate_judge *certificates;
	struct pattern_reader *patterns;
	struct server_memory *servers;
	struct analyst_sinks sinks;
};

struct analyst_counters {
	struct client_memory_counters clients;
	struct path_view_counters paths;
	uint64_t copies_parted; // of connections seen twice, judged alone as there was no room to hold them
};

struct analyst;

// NULL: no memory; *error says so.
struct analyst *analyst_create(const struct analyst_options *options, struct error *error);
void analyst_destroy(struct analyst *analyst);

// Takes a record, of a session that ended or one that still goes on (END_STILL_OPEN).
void analyst_session(struct analyst *analyst, const struct session_record *record);

// No more will come: judges what was held back.
void analyst_finish(struct analyst *analyst);

struct analyst_counters analyst_counters(const struct analyst *analyst);

#endif
