// SPDX-License-Identifier: Apache-2.0
// The interface of a dialogue parser: one const protocol_ops per protocol in its own file, one row in
// the table of protocol.c. One parser reads both directions of a connection, pushed by dialogue.c,
// which keeps what a parser did not consume and presents it again with more behind it.
//
// Order: a reply is fed after the command that it answers and before what the client sent on it,
// whatever order the packets came in (tcp.c sees to that), except where bytes were lost.
#ifndef MAILTAP_DECODE_PROTOCOL_H
#define MAILTAP_DECODE_PROTOCOL_H

#include "capture/packet.h"
#include "decode/session.h"

struct chunk {
	enum direction from;
	const uint8_t *bytes; // borrowed for the call
	size_t length;        // at least 1
	nanoseconds time;
	uint32_t acknowledgement; // what the sender had seen of the other direction, if `acknowledges`
	bool acknowledges;
};

enum feed_next {
	FEED_MORE,     // call again when more bytes of this direction are there
	FEED_HOLD,     // keep the rest of this direction until the parser releases it
	FEED_RELEASE,  // the other direction is no longer held: feed it before the rest of this one
	FEED_UPGRADE,  // from here on (and from where the other direction is held) it is TLS
	FEED_SKIP,     // read over the next `skip` bytes of this direction
	FEED_STOP,     // nothing more to learn from this connection
};

struct feed_result {
	enum feed_next next;
	size_t consumed; // bytes of the chunk that are done with
	uint64_t skip;   // with FEED_SKIP, beyond `consumed`
};

// A first look at the first bytes of a direction.
enum recognised {
	RECOGNISED_NO,
	RECOGNISED_MAYBE, // too short to say, all fitting so far
	RECOGNISED_YES,
};

struct protocol_ops {
	enum protocol protocol;
	size_t state_size;
	// `expected`: the port is this protocol's, so that weaker signs are enough.
	// `from_start`: these are the first bytes of the direction, not the middle of it.
	enum recognised (*recognise)(enum direction from, const uint8_t *bytes, size_t length,
	    bool expected, bool from_start);
	// `state` is zeroed. `both_seen`: both directions are in the capture, so that a reply will come.
	void (*begin)(void *state, struct session *session);
	struct feed_result (*feed)(void *state, struct session *session, const struct chunk *chunk);
	// `length` bytes of a direction were lost. Everything that depended on them is not seen.
	void (*gap)(void *state, struct session *session, enum direction from, uint64_t length);
	// Bytes that FEED_SKIP reads over come by; NULL: they are missing. NULL: it does not want to see them.
	void (*skipped)(void *state, struct session *session, enum direction from,
	    const uint8_t *bytes, uint64_t length);
	// A direction that FEED_HOLD stopped must go on although the other will not release it: its
	// bytes never came, or too much is held. The parser infers what it can.
	void (*give_up_hold)(void *state, struct session *session, enum direction held);
	// Nothing more will come.
	void (*end)(void *state, struct session *session);
};

// The rows of the table, each in the file of its protocol.
extern const struct protocol_ops smtp_protocol, imap_protocol, pop3_protocol;

// The row for a protocol; NULL if there is none (what is only recognised, not parsed).
const struct protocol_ops *protocol_ops_of(enum protocol protocol);

// Asks every row. PROTOCOL_UNDECIDED: none is sure yet; PROTOCOL_UNKNOWN: none can be any more.
enum protocol protocol_recognise(enum direction from, const uint8_t *bytes, size_t length,
    enum protocol expected, bool from_start);

#endif
