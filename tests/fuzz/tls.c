// SPDX-License-Identifier: Apache-2.0
// Fuzzes TLS records, handshakes and key logs: the input is a conversation (turns.h) from its first record
// on; its head is a byte of settings and a key log. Whole turns, single bytes and pieces of an odd length
// come to the same, also with the handshake opened by the key log; certificates lie within what was fed (a
// sanitizer sees to that); and all memory comes back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/fuzz/fuzzer.h"
#include "tests/fuzz/turns.h"
#include "tests/unit/tls_conversation.h"

// Of the settings.
enum {
	CLIENT_CLOSES = 0x01,
	SERVER_CLOSES = 0x02,
	WITHOUT_CLIENT = 0x04,
	WITHOUT_SERVER = 0x08,
	HOLES = 0x10, // what the turns say is lost comes as a hole; else as nothing
	LITTLE_MEMORY = 0x20,
};

enum { LITTLE = 24 * 1024, PIECE = 7 };

static struct conversation conversation;
static struct turns turns;

// The first hole of a direction counts.
static void lose(struct feeding *feeding, const struct said *said)
{
	struct hole *hole = &feeding->holes[said->from];
	static uint8_t unseen[4096];
	if (hole->length > 0)
		return;
	enum direction from = (enum direction)said->from;
	size_t lost = said->lost < sizeof unseen ? said->lost : sizeof unseen;
	*hole = (struct hole){conversation_length(&conversation, from), lost};
	conversation_add(&conversation, from, unseen, lost);
}

static void fill(struct feeding *feeding, uint8_t settings)
{
	conversation_clear(&conversation);
	for (unsigned i = 0; i < turns.count; i++) {
		const struct said *said = &turns.said[i];
		if (said->lost > 0 && (settings & HOLES))
			lose(feeding, said);
		conversation_add(&conversation, (enum direction)said->from, said->bytes.data,
		    said->bytes.length);
	}
	conversation.closed[FROM_CLIENT] = settings & CLIENT_CLOSES;
	conversation.closed[FROM_SERVER] = settings & SERVER_CLOSES;
	feeding->without[FROM_CLIENT] = settings & WITHOUT_CLIENT;
	feeding->without[FROM_SERVER] = settings & WITHOUT_SERVER;
	feeding->memory = settings & LITTLE_MEMORY ? LITTLE : 0;
}

static struct tls_keylog *read_keylog(struct view text)
{
	struct tls_keylog *keylog = tls_keylog_create();
	MUST(keylog != NULL);
	for (size_t half = 0; half < 2; half++) { // in two pieces
		struct view piece = view_split(&text, half == 0 ? text.length / 2 : text.length);
		if (piece.length > 0)
			tls_keylog_add(keylog, piece.data, piece.length);
	}
	tls_keylog_end(keylog);
	struct tls_keylog_counters counters = tls_keylog_counters(keylog);
	MUST(counters.secrets + counters.unused + counters.malformed + counters.refused ==
	     counters.lines);
	MUST(counters.sessions <= counters.secrets);
	return keylog;
}

static void check_pieces(struct feeding *feeding)
{
	static struct facts whole, other;
	facts_of(&conversation, feeding, &whole);
	for (feeding->piece = 1; feeding->piece <= PIECE; feeding->piece += PIECE - 1) {
		facts_of(&conversation, feeding, &other);
		if (feeding->memory == 0) // else it counts when it is asked for
			facts_equal(&whole, &other);
	}
	feeding->piece = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feeding feeding = {.piece = 0};
	turns_read(&turns, view_of(data, size));
	struct view head = turns.head;
	uint8_t settings = head.length > 0 ? view_u8(&head) : 0;
	fill(&feeding, settings);
	check_pieces(&feeding);
	if (head.length == 0)
		return 0;
	struct tls_keylog *keylog = read_keylog(head);
	feeding.keylog = keylog;
	check_pieces(&feeding);
	tls_keylog_destroy(keylog);
	return 0;
}
