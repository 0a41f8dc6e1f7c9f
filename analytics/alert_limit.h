// SPDX-License-Identifier: Apache-2.0
// Keeps alerts from filling a disk: of one kind of evidence at one server in one client network a line is
// written, and then no other for a while, unless it is surer than that; what was left out is counted and
// told of with the next line, or at the end. Also knows which evidence was told of before its session ended. Bounded. Used by the
// exporter of alerts.
#ifndef MAILTAP_ANALYTICS_ALERT_LIMIT_H
#define MAILTAP_ANALYTICS_ALERT_LIMIT_H

#include "analytics/evidence.h"
#include "analytics/path_view.h"

// Alerts that share a line.
struct alert_group {
	struct ip_address server;
	struct client_network network;
	uint16_t port;
	uint8_t kind; // enum evidence_kind
	uint8_t confidence; // enum confidence: of the last one left out
	uint8_t written_confidence; // of the last line
	uint32_t left_out; // since the last line
	uint64_t session_id; // of the last one left out
	nanoseconds written, last; // the last line, the last alert
};

struct alert_limit;

// `interval`: for how long further alerts of a group are left out. NULL: no memory.
struct alert_limit *alert_limit_create(nanoseconds interval);
void alert_limit_destroy(struct alert_limit *limit);

enum alert_decision {
	ALERT_LEAVE_OUT, // counted
	ALERT_TOLD, // before its session ended
	ALERT_WRITE, // *left_out alerts of the group were not written before it
};

// What to do with a piece of evidence. `early`: the session still goes on. A group that has to give way is in
// *displaced if it has something left out: a line is due for it (left_out is 0 otherwise).
enum alert_decision alert_limit_decide(struct alert_limit *limit,
    const struct session_record *record, const struct evidence *evidence, bool early,
    uint32_t *left_out, struct alert_group *displaced);

// At the end: groups with something left out, one at a time, by the time of their last alert. False: no more. Nothing
// is decided after the first one.
bool alert_limit_drain(struct alert_limit *limit, struct alert_group *group);

#endif
