// SPDX-License-Identifier: Apache-2.0
// One connection's conversation, both directions: finds out what is spoken, pushes the bytes through
// the parser of that protocol and through TLS after an upgrade, keeps what a parser is not done with.
// Exists from the first payload until the connection is cut over; owned by its flow, from the worker's
// memory. One thread.
#ifndef MAILTAP_DECODE_DIALOGUE_H
#define MAILTAP_DECODE_DIALOGUE_H

#include "decode/protocol.h"

struct dialogue;
struct dns_ends;

// What the server's port says before a byte is seen.
struct port_hint {
	uint8_t protocol; // enum protocol; PROTOCOL_UNDECIDED: follow, but find out
	bool implicit_tls : 1; // TLS from the first byte
	bool elsewhere : 1; // nothing: the connection is given up unless it is certainly mail
};

// `missing[d]`: the beginning of direction d is not in the capture. `session` is borrowed.
// NULL: memory refused.
struct dialogue *dialogue_create(struct memory *memory, struct session *session,
    struct port_hint hint, const bool missing[2]);

// Concludes what the parsers know and frees everything.
void dialogue_destroy(struct dialogue *dialogue);

// Before the first bytes, of a connection to the port of DNS: it is not found out what is spoken.
void dialogue_begin_names(struct dialogue *dialogue, const struct dns_ends *ends);

// The next bytes of a direction, in the order that protocol.h promises. `other_seen`: packets of the
// other direction are in the capture.
void dialogue_data(struct dialogue *dialogue, const struct chunk *chunk, bool other_seen);

// Start to bring its state, and then the parser's, into the cache.
void dialogue_prefetch(const struct dialogue *dialogue);
void dialogue_prefetch_parser(const struct dialogue *dialogue);

// `length` bytes of a direction are missing.
void dialogue_gap(struct dialogue *dialogue, enum direction from, uint64_t length);

// The sender closed this direction.
void dialogue_close(struct dialogue *dialogue, enum direction from);

// It did not: it goes on.
void dialogue_reopen(struct dialogue *dialogue, enum direction from);

// True while a mail dialogue in the clear is read.
bool dialogue_in_the_clear(const struct dialogue *dialogue);

// True while TLS is read.
bool dialogue_is_tls(const struct dialogue *dialogue);

// True if bytes of this direction wait to be understood.
bool dialogue_keeps(const struct dialogue *dialogue, enum direction from);

// True once nothing more can be learned: the flow may be cut over.
bool dialogue_done(const struct dialogue *dialogue);

#endif
