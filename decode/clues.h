// SPDX-License-Identifier: Apache-2.0
// Clues: what only the packet path can see of tampering with a dialogue, kept for the few sessions that
// have any. One byte string per session (session.clues), so that it costs a pointer where there is
// none and travels with the record like every other text. Written by tcp.c and the mail parsers, read
// by the detectors of analytics. Bounded: what does not fit is not kept, and said so.
#ifndef MAILTAP_DECODE_CLUES_H
#define MAILTAP_DECODE_CLUES_H

#include "decode/session.h"

enum clue_kind {
	CLUE_STARTTLS_ANSWER = 1, // the last line of a server's answer to STARTTLS/STLS that is not its yes
	CLUE_GARBLED_COMMAND, // a client's line that is filler in the place of STARTTLS/STLS
	CLUE_GARBLED_ANSWER, // the server's answer to it
	CLUE_EHLO_REFUSED, // the server's answer to EHLO, and a HELO that followed
	CLUE_GARBLED_CAPABILITY, // one byte: which line of a list; then the line, filler; the list is gone
	CLUE_CONFLICT, // struct clue_conflict, then the first bytes, then the second
	CLUES_LEFT_OUT, // no bytes: there were more than are kept
};

enum {
	CLUES_MAX = 1024, // bytes of all clues of a session
	CLUE_LINE_MAX = 256, // bytes kept of a line
	CLUE_CONFLICT_MAX = 96, // bytes kept of each side of a conflict
};

// How a segment's headers look, to be compared with those of its direction.
struct segment_look {
	uint8_t ttl; // or hop limit
	uint8_t unused;
	uint16_t window;
	uint16_t ip_id; // 0 in IPv6
};

// Two different payloads for the same bytes of the stream. No padding.
struct clue_conflict {
	uint64_t offset; // of the first differing byte, from the direction's first
	uint32_t length; // bytes that differ
	uint16_t first_length, second_length; // bytes that follow, as they came first and again
	struct segment_look usual, first, second; // of the rest of the direction, and of the two
	uint8_t from; // enum direction
	uint8_t unlike; // one of the two does not look like the rest of its direction
	uint8_t reserved[4];
};

struct clue {
	enum clue_kind kind;
	const uint8_t *bytes; // borrowed from the session
	size_t length;
};

// Adds a clue; lines are cut at CLUE_LINE_MAX.
void clue_add(struct session *session, enum clue_kind kind, const void *bytes, size_t length);

// Takes note that there was a clue that is not kept.
void clue_leave_out(struct session *session);

// The next clue at or behind *position (0 at first), which is moved behind it. False: none left.
bool clue_next(const struct session *session, size_t *position, struct clue *clue);

// The first clue of a kind. False: there is none.
bool clue_find(const struct session *session, enum clue_kind kind, struct clue *clue);

#endif
