// SPDX-License-Identifier: Apache-2.0
// A conversation of two sides as an input of a fuzzer: bytes that mail does not use tell who speaks, so that
// a mutation stays a conversation, and words of a dictionary can go anywhere. seeds.py writes them.
#ifndef MAILTAP_TESTS_FUZZ_TURNS_H
#define MAILTAP_TESTS_FUZZ_TURNS_H

#include "capture/base/view.h"
#include "decode/seen.h"

enum {
	TURNS_MAX = 128, // as tls_conversation.h has them
	TURNS_BYTES_MAX = 64 * 1024,
};

// What stands in front of what somebody says.
enum turn_mark {
	TURN_LITERAL = 0xfb, // the next byte is no mark
	TURN_LOST = 0xfc, // two bytes of length: so much of this side is missing here
	TURN_UNHEARD = 0xfd, // the client, who did not wait for the server's last words
	TURN_CLIENT = 0xfe,
	TURN_SERVER = 0xff,
};

struct said {
	uint8_t from; // enum direction
	bool unheard;
	uint32_t lost; // bytes of it that are missing, and none are here; 0: none
	struct view bytes;
};

struct turns {
	struct view head; // what stands in front of the first mark
	unsigned count;
	struct said said[TURNS_MAX];
	size_t filled;
	uint8_t bytes[TURNS_BYTES_MAX];
};

// Borrows the input. What is beyond the bounds is left out.
void turns_read(struct turns *turns, struct view input);

#endif
