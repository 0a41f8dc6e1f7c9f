// SPDX-License-Identifier: Apache-2.0
// The TLS parser on handshakes that OpenSSL makes through memory, whole, split anywhere, with holes
// anywhere, and from one side only.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_handshakes_lab.h"

#include <string.h>

static struct facts part;

static void check_facts(const struct handshake *handshake)
{
	const struct scenario *scenario = handshake->scenario;
	const struct facts *whole = &handshake->whole;
	print_message("# %s\n", scenario->name);
	for (unsigned i = 0; i < whole->count; i++)
		print_message("#   %s\n", whole->lines[i]);
	assert_int_equal(whole->outcome.established, scenario->established);
	assert_int_equal(whole->outcome.resumed, scenario->resumed);
	assert_int_equal(whole->outcome.client_certificate_requested, scenario->requested);
	bool stapled = scenario->twist == TWIST_STAPLE && scenario->client_max == TLS12;
	bool flight = scenario->client_max != 0 && scenario->resumed == SEEN_NO;
	assert_int_equal(whole->outcome.ocsp_staple, stapled  ? SEEN_YES
	                                             : flight ? SEEN_NO
	                                                      : NOT_SEEN);
	assert_int_equal(whole->outcome.server_certificate_hidden, scenario->hidden);
	assert_true(whole->outcome.begun);
	for (unsigned i = 0; i < 4 && scenario->lines[i] != NULL; i++)
		if (!facts_have(whole, scenario->lines[i]))
			fail_msg("missing: %s", scenario->lines[i]);
}

static void facts_are_as_made(void **state)
{
	(void)state;
	for_each_handshake(check_facts);
}

static void check_splits(const struct handshake *handshake)
{
	for (size_t piece = 1; piece < 20; piece++) {
		facts_of(&handshake->conversation, &(struct feeding){.piece = piece}, &part);
		facts_equal(&handshake->whole, &part);
	}
	for (size_t cut = 1; cut < handshake->conversation.filled; cut++) {
		facts_of(&handshake->conversation, &(struct feeding){.cut = cut}, &part);
		facts_equal(&handshake->whole, &part);
	}
}

static void facts_do_not_depend_on_splits(void **state)
{
	(void)state;
	for_each_handshake(check_splits);
}

// With a hole in either direction: fed whole and byte by byte.
static void try_holes(const struct handshake *handshake, struct hole client, struct hole server)
{
	static struct facts bytewise;
	struct feeding feeding = {.holes = {client, server}};
	facts_of(&handshake->conversation, &feeding, &part);
	facts_never_contradict(&handshake->whole, &part);
	feeding.piece = 1;
	facts_of(&handshake->conversation, &feeding, &bytewise);
	facts_equal(&part, &bytewise);
}

static void try_hole(
    const struct handshake *handshake, enum direction sender, size_t from, size_t length)
{
	struct hole hole = {from, length}, none = {0, 0};
	try_holes(
	    handshake, sender == FROM_CLIENT ? hole : none, sender == FROM_SERVER ? hole : none);
}

static void check_recalled(const struct handshake *handshake)
{
	for (enum recalled recalled = RECALLED_NONE; recalled <= RECALLED_OTHER_SOON; recalled++) {
		for (size_t piece = 1; piece < 3000; piece += 1 + piece / 3) {
			struct feeding feeding = {.piece = piece, .recalled = recalled};
			facts_of(&handshake->conversation, &feeding, &part);
			facts_equal(&handshake->whole, &part);
			feeding.holes[FROM_SERVER] =
			    chance_hole(&handshake->conversation, FROM_SERVER);
			facts_of(&handshake->conversation, &feeding, &part);
			facts_never_contradict(&handshake->whole, &part);
		}
	}
}

// A certificate that is compared with one that was seen before, and turns out to be it or another.
static void known_certificates_change_nothing(void **state)
{
	(void)state;
	for_each_handshake(check_recalled);
}

static void check_holes(const struct handshake *handshake)
{
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		size_t length = conversation_length(&handshake->conversation, sender);
		for (size_t at = 0; at < length;) {
			size_t record = record_length(&handshake->conversation, sender, at);
			try_hole(handshake, sender, at, record);
			try_hole(handshake, sender, at, record + 3);
			try_hole(handshake, sender, at + 3, record);
			try_hole(handshake, sender, at, length - at);
			at += record;
		}
	}
	for (int round = 0; round < 600; round++)
		try_holes(handshake, chance_hole(&handshake->conversation, FROM_CLIENT),
		    chance_hole(&handshake->conversation, FROM_SERVER));
}

static void holes_hide_and_never_invent(void **state)
{
	(void)state;
	for_each_handshake(check_holes);
}

// Up to TLS 1.2 either side will do, in 1.3 only the client's, unless it sends early data.
static void check_one_side(const struct handshake *handshake)
{
	const struct scenario *scenario = handshake->scenario;
	bool modern = scenario->requested == NOT_SEEN;
	for (enum direction blind = FROM_CLIENT; blind <= FROM_SERVER; blind++) {
		struct feeding feeding = {0};
		feeding.without[blind] = true;
		facts_of(&handshake->conversation, &feeding, &part);
		facts_never_contradict(&handshake->whole, &part);
		bool proves = blind == FROM_SERVER ? scenario->twist != TWIST_EARLY_DATA : !modern;
		if (scenario->established == SEEN_YES)
			assert_int_equal(part.outcome.established, proves ? SEEN_YES : NOT_SEEN);
	}
}

static void one_side_proves_what_it_can(void **state)
{
	(void)state;
	for_each_handshake(check_one_side);
}

// One slab: room for the state, none for messages that come in bytes.
static void check_refusal(const struct handshake *handshake)
{
	struct feeding feeding = {.piece = 1, .memory = 300 * 1024};
	facts_of(&handshake->conversation, &feeding, &part);
	facts_never_contradict(&handshake->whole, &part);
}

static void memory_refused_hides(void **state)
{
	(void)state;
	for_each_handshake(check_refusal);
}

// From each segment of the conversation on, without a word about what came before. The last four are
// a record of data and the close of either side.
static void check_joining(const struct handshake *handshake)
{
	static struct conversation rest;
	const struct conversation *talk = &handshake->conversation;
	for (unsigned from = 1; from < talk->count; from++) {
		conversation_clear(&rest);
		for (unsigned i = from; i < talk->count; i++)
			conversation_add(&rest, talk->segments[i].sender,
			    talk->bytes + talk->segments[i].offset, talk->segments[i].length);
		facts_of(&rest, &(struct feeding){0}, &part);
		facts_never_contradict(&handshake->whole, &part);
		if (handshake->scenario->established == SEEN_YES && from == talk->count - 4)
			assert_int_equal(part.outcome.established, SEEN_YES);
	}
}

static void joined_later(void **state)
{
	(void)state;
	for_each_handshake(check_joining);
}

static void check_mutations(const struct handshake *handshake)
{
	static struct conversation mutant;
	static struct facts bytewise;
	for (int round = 0; round < 400; round++) {
		memcpy(&mutant, &handshake->conversation,
		    offsetof(struct conversation, bytes) + handshake->conversation.filled);
		for (int change = 0; change <= round % 8; change++)
			mutant.bytes[chance(mutant.filled)] = (uint8_t)chance(256);
		struct feeding feeding = {.piece = chance(40)};
		if (round % 3 == 0)
			feeding.holes[chance(2)] = (struct hole){chance(2000), chance(500)};
		facts_of(&mutant, &feeding, &part);
		feeding.piece = 1;
		facts_of(&mutant, &feeding, &bytewise);
		facts_equal(&bytewise, &part);
	}
}

static void mutations_do_no_harm(void **state)
{
	(void)state;
	for_each_handshake(check_mutations);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_are_as_made),
	    cmocka_unit_test(facts_do_not_depend_on_splits),
	    cmocka_unit_test(known_certificates_change_nothing),
	    cmocka_unit_test(holes_hide_and_never_invent),
	    cmocka_unit_test(one_side_proves_what_it_can),
	    cmocka_unit_test(memory_refused_hides),
	    cmocka_unit_test(joined_later),
	    cmocka_unit_test(mutations_do_no_harm),
	};
	return cmocka_run_group_tests_name(
	    "tls_handshakes", tests, make_handshakes, free_handshakes);
}
