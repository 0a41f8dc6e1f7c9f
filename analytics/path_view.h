// SPDX-License-Identifier: Apache-2.0
// From where a server is seen how: for each server (address and port) the client networks that were offered
// STARTTLS/STLS, that were not, and that saw it stripped, so that an operator can say where on the path
// a middlebox sits, and a detector whether a missing offer is the server's own doing. Bounded in servers
// and networks (what was not seen for longest gives way). Lives as long as the run. Owned by the
// analytics thread; not thread safe.
#ifndef MAILTAP_ANALYTICS_PATH_VIEW_H
#define MAILTAP_ANALYTICS_PATH_VIEW_H

#include "analytics/client_network.h"
#include "decode/session_record.h"

enum {
	PATH_NETWORKS_MAX = 64, // client networks told apart per server
	PATH_LISTED_MAX = 16, // of them named in an alert, each way
};

// How this client's network and the others saw the server before.
struct path_history {
	uint32_t offered_here, missing_here; // sessions of this network
	// It was offered here before, and is missing in every session since this time; 0: not so.
	nanoseconds missing_since;
	bool comes_and_goes; // it was offered here again after it was missing
	// Other networks that were offered it since then.
	uint32_t offered_elsewhere_since;
};

struct path_networks {
	size_t stripped_count, clean_count; // of all networks known, also those that are not listed
	struct client_network stripped[PATH_LISTED_MAX], clean[PATH_LISTED_MAX];
};

struct path_view_counters {
	uint64_t servers; // known now
	uint64_t evicted; // given up for room
};

struct path_view;

// `servers`: at most, rounded up to a power of two. NULL: no memory.
struct path_view *path_view_create(size_t servers);
void path_view_destroy(struct path_view *view);

// All zero: nothing is known.
struct path_history path_view_recall(struct path_view *view, const struct session_record *record);

// What the evidence of a session says of its path.
enum path_mark {
	PATH_UNTOUCHED, // there is none
	PATH_DOUBTFUL, // there is some, but none that TLS was kept from it
	PATH_STRIPPED, // TLS was kept from it
};

// Takes note of a session that ended.
void path_view_note(
    struct path_view *view, const struct session_record *record, enum path_mark mark);

// Which networks see this session's server stripped, and which were offered STARTTLS/STLS by it and have no
// evidence of anything. `mark`: of the session at hand, which may still go on.
struct path_networks path_view_networks(
    struct path_view *view, const struct session_record *record, enum path_mark mark);

struct path_view_counters path_view_counters(const struct path_view *view);

#endif
