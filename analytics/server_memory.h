// SPDX-License-Identifier: Apache-2.0
// What servers did in earlier sessions, by address and port: the measure by which a session that differs
// is noticed. Bounded in number (what was not seen for longest gives way) and in age; survives a
// restart in a file that is replaced as a whole; may begin with a list of servers known to be good.
// Owned by the analytics thread; not thread safe.
//
// It must not be poisoned: whoever can send packets can open sessions that look like anything. So an
// offer counts as the server's only where the session proved it (TLS was completed), or where clients
// in several networks saw it; and of one client network no more than its share is ever counted.
#ifndef MAILTAP_ANALYTICS_SERVER_MEMORY_H
#define MAILTAP_ANALYTICS_SERVER_MEMORY_H

#include "analytics/exporter.h"
#include "capture/base/error.h"

enum {
	SERVER_LEAVES_MAX = 4, // leaf certificates remembered per server, the newest first
	SERVER_NETWORKS_MAX = 16, // client networks told apart per server and question
};

// A leaf certificate that the server showed to somebody.
struct server_leaf {
	uint8_t sha256[32], spki_sha256[32];
	nanoseconds first, last;
	nanoseconds not_after; // the certificate's own; 0: not known
	uint32_t sessions;
	uint16_t networks; // client networks it was shown to, exact up to SERVER_NETWORKS_MAX
	bool trusted; // a path to the trust store, in its time, when last judged
	bool self_signed;
};

// What is known of one server before the session at hand. All counts are of sessions.
struct server_history {
	bool known; // anything at all
	bool baseline; // on the list of good servers that the user gave
	nanoseconds first, last; // seen
	uint64_t sessions;
	uint32_t offered; // STARTTLS/STLS in its list
	uint32_t offered_networks; // client networks (/24, /48) that saw it, exact up to SERVER_NETWORKS_MAX
	uint32_t offered_to_client; // to this client's network
	nanoseconds offered_last;
	bool offer_proven; // it can be relied upon (see above), or the baseline says so
	uint32_t not_offered; // whole lists without it
	uint32_t accepted, refused; // what it answered to STARTTLS/STLS
	nanoseconds accepted_last;
	uint32_t established; // TLS completed, on this port, however it began
	uint32_t established_networks;
	nanoseconds established_last;
	uint32_t ehlo_taken; // EHLO answered with a list
	uint32_t ehlo_networks;
	uint32_t greeted_ok, greeted_preauth; // IMAP
	// Of the last session that offered STARTTLS: what else it showed. 0: not known.
	uint64_t capabilities_fingerprint; // of the list in order, without STARTTLS/STLS
	uint64_t banner_fingerprint; // without what changes from session to session (numbers, dates)
	size_t leaf_count;
	struct server_leaf leaves[SERVER_LEAVES_MAX];
};

struct server_memory_options {
	size_t servers; // how many at most
	nanoseconds age; // what was not seen for longer is forgotten
};

struct server_memory_counters {
	uint64_t servers, evicted, aged, loaded, baseline;
};

struct server_memory;

// NULL: no memory.
struct server_memory *server_memory_create(const struct server_memory_options *options);
void server_memory_destroy(struct server_memory *memory);

// What is known of this session's server. False: nothing, and *history is all zero.
bool server_memory_recall(struct server_memory *memory, const struct session_record *record,
    struct server_history *history);

// Takes note of an ended session. `leaf`: the certificate that the server showed in it; NULL: none, or not known.
void server_memory_note(struct server_memory *memory, const struct judged_session *session,
    const struct certificate *leaf);

// The same server on another port of its address, as for a client that was kept from it.
bool server_memory_recall_port(struct server_memory *memory, const struct ip_address *address,
    uint16_t port, struct server_history *history);

// The fingerprints of a session, as in the history. 0: not seen.
uint64_t server_capabilities_fingerprint(
    const struct server_memory *memory, const struct session_record *record);
uint64_t server_banner_fingerprint(
    const struct server_memory *memory, const struct session_record *record);

struct server_memory_counters server_memory_counters(const struct server_memory *memory);

#endif
