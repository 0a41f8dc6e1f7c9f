// SPDX-License-Identifier: Apache-2.0
// What servers did in earlier sessions, by address and port: the measure by which a session that differs
// is noticed. Bounded in number (what was not seen for longest gives way) and in age; survives a
// restart in a file that is replaced as a whole; may begin with a list of servers known to be good.
// Owned by the analytics thread; not thread safe.
//
// It must not be poisoned: whoever can send packets can open sessions that look like anything. So
// - an offer counts as the server's only where the session proved it (TLS was completed), or where clients
//   in three networks or more saw it;
// - of one client network no more than its share (100 sessions) is ever counted, but in `sessions`;
// - a session with bytes that were seen to be changed teaches nothing of what the server does not do;
// - certificates count where the handshake was completed: whoever did it has the key;
// - a server that was seen twice, twelve hours apart or more, gives way only to others of its kind: a
//   flood of servers that nobody saw before pushes out others like them.
//
// By name as well (a quarter as many), for servers that move or have several addresses: a name is learned
// only from sessions whose certificate, trusted and seen in the handshake, is for it. It is recalled
// (`by_name`) where next to nothing is known of the address, for a client that asks for the name (SNI), or,
// where none is asked for, if the server calls itself so and its greeting and list are like those of the
// name but for STARTTLS: anybody can call himself anything. Histories of address and name are not added
// up; it is the one or the other.
//
// Packets may be read in any order of time: of what is recalled nothing began after the session at hand.
#ifndef MAILTAP_ANALYTICS_SERVER_MEMORY_H
#define MAILTAP_ANALYTICS_SERVER_MEMORY_H

#include "analytics/judged_session.h"
#include "capture/base/error.h"

enum {
	SERVER_LEAVES_MAX = 4, // leaf certificates remembered per server, the newest first
	SERVER_NETWORKS_MAX = 16, // client networks told apart per server and question
};

// A leaf certificate that the server showed to somebody, who then completed the handshake.
struct server_leaf {
	uint8_t sha256[32], spki_sha256[32];
	nanoseconds first, last;
	nanoseconds not_after; // the certificate's own; 0: not known
	uint32_t sessions;
	uint16_t networks; // client networks it was shown to, exact up to SERVER_NETWORKS_MAX
	bool trusted; // there was a path to the trust store, in its time, and it is not revoked
	bool self_signed;
};

// What is known of one server before the session at hand. All counts are of sessions.
struct server_history {
	bool known; // anything at all
	bool baseline; // on the list of good servers that the user gave
	bool baseline_tls; // and it speaks TLS from the first byte, as that says
	bool by_name; // next to nothing is known of the address; this is of servers with its name
	nanoseconds first, last; // seen
	uint64_t sessions;
	uint32_t offered; // STARTTLS/STLS in its list
	uint32_t offered_networks; // client networks (/24, /48) that saw it, up to SERVER_NETWORKS_MAX
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
	uint64_t banner_fingerprint; // without what changes every time (numbers, dates)
	size_t leaf_count;
	struct server_leaf leaves[SERVER_LEAVES_MAX];
	// SHA-256 that the list of good servers gives: one is its certificate's or its key's.
	// The memory's own.
	size_t pin_count;
	const uint8_t (*pins)[32];
};

#define SERVER_MEMORY_AGE SECONDS((nanoseconds)90 * 24 * 3600) // unless told otherwise
enum { SERVER_MEMORY_SERVERS = 64 * 1024 };

struct server_memory_options {
	size_t servers; // how many at most, about 2 KiB each; 0: SERVER_MEMORY_SERVERS
	nanoseconds age; // what was not seen for longer is forgotten; 0: SERVER_MEMORY_AGE
};

struct server_memory_counters {
	uint64_t servers, names; // remembered now
	uint64_t evicted, aged; // given up for room, and for not being seen
	uint64_t loaded; // came from a file
	uint64_t baseline; // servers on the list of good ones
};

struct server_memory;
struct server_baseline;

// NULL: no memory.
struct server_memory *server_memory_create(const struct server_memory_options *options);
void server_memory_destroy(struct server_memory *memory);

// What is known of this session's server. False: nothing, and *history is all zero.
bool server_memory_recall(struct server_memory *memory, const struct session_record *record,
    struct server_history *history);

// Takes note of an ended session; one that is still open is passed over.
void server_memory_note(struct server_memory *memory, const struct judged_session *session);

// The same server on another port of its address, as for a client that was kept from it; as of the session
// that was recalled or noted last.
bool server_memory_recall_port(struct server_memory *memory, const struct ip_address *address,
    uint16_t port, struct server_history *history);

// The fingerprints of a session, as in the history. 0: not seen.
uint64_t server_capabilities_fingerprint(
    const struct server_memory *memory, const struct session_record *record);
uint64_t server_banner_fingerprint(
    const struct server_memory *memory, const struct session_record *record);

// Reads what an earlier run saved. A missing file is none yet. False: it is no memory or cannot be read,
// nothing was taken from it; *error. True: error->text is empty, or says which part of the file is
// damaged and was left out: worth telling, and the run can go on.
bool server_memory_load(struct server_memory *memory, const char *path, struct error *error);

// The same of bytes; `name`: of the file, for messages.
bool server_memory_read(struct server_memory *memory, const char *name, const uint8_t *bytes,
    size_t length, struct error *error);

// Whether the memory could be saved there, to be asked before a long run. False: *error.
bool server_memory_can_save(const char *path, struct error *error);

// Replaces the file as a whole (mode 0600), at any time between two sessions. False: *error, and the file is
// as it was.
bool server_memory_save(struct server_memory *memory, const char *path, struct error *error);

// Reads a list of servers known to be good (server_baseline.h). False: *error names file and line.
bool server_memory_load_baseline(
    struct server_memory *memory, const char *path, struct error *error);

// A server as it is remembered. Borrowed for the call.
struct remembered_server {
	const struct ip_address *address; // NULL: known by name
	const char *name; // NULL: known by address
	uint16_t port;
	const struct server_history *history; // as of when it was last seen
};

// Another list of good servers from here on, between two sessions: the memory's own now.
void server_memory_use_baseline(struct server_memory *memory, struct server_baseline *baseline);

// Every server remembered, in no order. The list of good servers is not among them.
void server_memory_each(struct server_memory *memory,
    void (*visit)(void *context, const struct remembered_server *server), void *context);

struct server_memory_counters server_memory_counters(const struct server_memory *memory);

#endif
