// SPDX-License-Identifier: Apache-2.0
// For tests of the TLS parser: conversations as lists of segments, ways to feed them (split, with
// holes, one side only), and all that the parser says about them, to be compared.
#ifndef MAILTAP_TESTS_UNIT_TLS_CONVERSATION_H
#define MAILTAP_TESTS_UNIT_TLS_CONVERSATION_H

#include "decode/tls.h"

enum { SEGMENTS_MAX = 320, CONVERSATION_MAX = 400 * 1024, LINES_MAX = 160, LINE_LENGTH = 160 };

struct segment {
	enum direction sender;
	size_t offset, length; // in bytes[]
};

struct conversation {
	struct segment segments[SEGMENTS_MAX];
	unsigned count;
	size_t filled;
	bool closed[2]; // tls_close at the end
	uint8_t bytes[CONVERSATION_MAX];
};

void conversation_clear(struct conversation *conversation);
void conversation_add(
    struct conversation *conversation, enum direction sender, const void *bytes, size_t length);
// Bytes of one direction in all.
size_t conversation_length(const struct conversation *conversation, enum direction sender);

// How to feed it.
struct feeding {
	size_t piece; // longest piece; 0: whole segments
	size_t cut; // a cut before this byte of the conversation, whatever else; 0: none
	struct hole {
		size_t from, length;
	} holes[2]; // by direction: bytes of it that are missing
	bool without[2]; // the direction is not seen at all
	size_t memory; // budget; 0: plenty
	const struct tls_keylog *keylog; // or NULL
	enum recalled {
		RECALLED_NONE, // no certificate was seen before
		RECALLED_SAME, // each of them was
		RECALLED_OTHER, // one that has another last byte
		RECALLED_OTHER_SOON, // one that has another byte right behind what it is known by
	} recalled;
};

// What the parser said: one line a callback, and the outcome.
struct facts {
	char lines[LINES_MAX][LINE_LENGTH];
	unsigned count;
	struct tls_outcome outcome;
	enum tls_status last[2];
	size_t foreign_at[2];
};

// Checks besides that all memory is given back and that what is consumed is never more than was fed.
void facts_of(
    const struct conversation *conversation, const struct feeding *feeding, struct facts *facts);

// True if the line is there.
bool facts_have(const struct facts *facts, const char *line);

// Fails the test unless both are the same.
void facts_equal(const struct facts *expected, const struct facts *facts);

// Fails the test unless all that is seen in `known` is seen in `facts` as well, and the same.
void facts_include(const struct facts *facts, const struct facts *known);

// Fails the test unless every fact is as in `whole` or not seen.
void facts_never_contradict(const struct facts *whole, const struct facts *facts);

#endif
