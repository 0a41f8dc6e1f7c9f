// SPDX-License-Identifier: Apache-2.0
// What clients did in earlier sessions: whether they take STARTTLS when it is offered, and what they
// tried in vain a moment ago. Bounded; what was not seen for longest gives way. Owned by the analytics
// thread; not thread safe. It lives as long as the run: a client's address means little for longer.
//
// It must not be flooded: a client takes one place, however many servers it tries; and one that was seen in
// dialogues with servers, ten minutes apart or more, gives way only to others like it, not to addresses
// that send a SYN (which may not be theirs).
#ifndef MAILTAP_ANALYTICS_CLIENT_MEMORY_H
#define MAILTAP_ANALYTICS_CLIENT_MEMORY_H

#include "analytics/judged_session.h"
#include "analytics/tls_failure.h"

// An attempt at TLS that came to nothing.
struct failed_attempt {
	nanoseconds time; // when it ended, or was given up; 0: there was none
	uint16_t port;
	struct tls_failure failure;
};

struct client_history {
	// STARTTLS/STLS offered to this client by any server, and taken; where it is known whether it was, and
	// the client did not just leave: it asked for TLS, or went on with mail or a log-in.
	uint32_t offers, taken;
	uint32_t offers_here, taken_here; // by this server and port
	uint32_t established_here; // TLS completed with this server and port
	nanoseconds taken_last, taken_here_last;
	uint32_t servers; // that it took an offer of, exact up to 8
	struct failed_attempt broken_tls; // with this server (any port), the last one
	struct failed_attempt
	    blocked; // a connection to a TLS port of this server that never came about
};

struct client_memory_counters {
	uint64_t clients; // remembered now
	uint64_t evicted; // given up for room
};

struct client_memory;

enum { CLIENT_MEMORY_CLIENTS = 64 * 1024 };

// `clients`: how many at most, about 250 bytes each, and up to 1.5 KiB with many servers; 0: CLIENT_MEMORY_CLIENTS. NULL: no memory.
struct client_memory *client_memory_create(size_t clients);
void client_memory_destroy(struct client_memory *memory);

// What is known of this session's client. False: nothing, and *history is all zero.
bool client_memory_recall(struct client_memory *memory, const struct session_record *record,
    struct client_history *history);

// Takes note of a session that ended, or of an attempt that came to nothing in one that is still open: of
// such a session nothing else is counted.
void client_memory_note(struct client_memory *memory, const struct judged_session *session);

struct client_memory_counters client_memory_counters(const struct client_memory *memory);

#endif
