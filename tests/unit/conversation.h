// SPDX-License-Identifier: Apache-2.0
// For tests of the mail dialogues: conversations written as a table of turns, run through the dialogue
// as TCP would deliver them (whole, split, with holes, one side only, begun or ended early), and the
// facts that a session record would hold, to be compared.
#ifndef MAILTAP_TESTS_UNIT_CONVERSATION_H
#define MAILTAP_TESTS_UNIT_CONVERSATION_H

#include "decode/protocol.h"

enum { TURNS_MAX = 48, FACTS_MAX = 28, FACT_LENGTH = 640, HOLES_AT_ONCE = 3 };

struct turn {
	uint8_t from; // enum direction
	bool unheard; // its sender had not heard what the other side said right before
	const char *bytes; // NULL: lost, always
	size_t length; // 0: behind the last turn
};

// clang-format off
// A turn of the client, of the server, and of a client that did not wait.
#define C(text) {FROM_CLIENT, false, text, sizeof(text) - 1}
#define S(text) {FROM_SERVER, false, text, sizeof(text) - 1}
#define UNHEARD(text) {FROM_CLIENT, true, text, sizeof(text) - 1}
// What one of them said and the capture does not have.
#define LOST_C(length) {FROM_CLIENT, false, NULL, length}
#define LOST_S(length) {FROM_SERVER, false, NULL, length}
// clang-format on

struct mail_conversation {
	const char *name;
	uint8_t port; // enum protocol: what the port is for
	bool implicit_tls; // the port is for TLS from the first byte
	bool elsewhere; // the port is not known for mail
	bool left_open; // nobody closes it before the capture ends
	struct turn turns[TURNS_MAX];
	const char *facts[FACTS_MAX]; // "name=value"; what is not named is not looked at
	// Facts that bytes missing may turn into something else than "not seen", and why.
	const char *ambiguous; // names with a space between
	const char *because;
	// Facts that a later turn changes: a capture that ends before it says what held until then.
	const char *until_then;
};

// How to run it.
struct variation {
	unsigned first, last; // turns first..last-1 are in the capture
	size_t piece; // longest chunk; 0: whole turns
	bool coalesced; // turns of one side right behind each other come as one
	bool without[2]; // that side is not in the capture
	struct {
		unsigned turn;
		size_t at; // a cut before this byte of the turn; 0: none
	} cut;
	struct {
		unsigned turn;
		size_t from, length; // these bytes of the turn are lost; length 0: none
	} holes[HOLES_AT_ONCE];
};

// By enum fact_name in conversation.c; "-": not seen.
struct facts {
	char values[FACTS_MAX][FACT_LENGTH];
};

// Checks besides that all memory is given back and nothing is read beyond a chunk.
void facts_of(const struct mail_conversation *conversation, const struct variation *variation,
    struct facts *facts);

// The value of a fact by its name.
const char *fact(const struct facts *facts, const char *name);

// The whole conversation as one test: the facts it names; the same facts however the bytes are split;
// the same or "not seen" with any part missing.
void conversation_holds(const struct mail_conversation *conversation);

// Runs a table of them, each as a test of its own. Returns what main returns.
int conversations_run(
    const char *name, const struct mail_conversation *conversations, size_t count);

// A TLS 1.3 handshake as far as it can be seen, to stand behind an upgrade.
#define THIRTY_TWO "0123456789abcdef0123456789abcdef"
#define CLIENT_HELLO                                                                               \
	"\x16\x03\x01\x00\x36\x01\x00\x00\x32\x03\x03" THIRTY_TWO                                  \
	"\x00\x00\x02\x13\x01\x01\x00\x00\x07\x00\x2b\x00\x03\x02\x03\x04"
#define SERVER_HELLO                                                                               \
	"\x16\x03\x03\x00\x32\x02\x00\x00\x2e\x03\x03" THIRTY_TWO                                  \
	"\x00\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03\x04"
#define TLS_CHANGE "\x14\x03\x03\x00\x01\x01"
#define TLS_DATA(text32) "\x17\x03\x03\x00\x20" text32
#define TLS_TURNS                                                                                  \
	C(CLIENT_HELLO), S(SERVER_HELLO TLS_CHANGE TLS_DATA(THIRTY_TWO)),                          \
	    C(TLS_CHANGE TLS_DATA(THIRTY_TWO) TLS_DATA(THIRTY_TWO)), S(TLS_DATA(THIRTY_TWO)),      \
	    C(TLS_DATA(THIRTY_TWO))

#endif
