// SPDX-License-Identifier: Apache-2.0
// What a key log opens of handshakes that OpenSSL makes through memory, whole, split anywhere, with holes anywhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_handshakes_lab.h"

#include <string.h>

static struct facts part;

static bool is_modern(const struct scenario *scenario)
{
	return scenario->requested == NOT_SEEN && scenario->hidden;
}

// Of TLS 1.3 what 1.2 shows in the clear; of what is older nothing more.
static void check_opened(const struct handshake *handshake)
{
	const struct scenario *scenario = handshake->scenario;
	const struct facts *opened = &handshake->opened;
	bool resumed = scenario->resumed == SEEN_YES;
	print_message("# %s: %u calls, %u records opened\n", scenario->name,
	    handshake->watched.calls, handshake->watched.opened);
	facts_include(opened, &handshake->whole);
	assert_false(handshake->watched.saw_forbidden);
	assert_int_equal(opened->outcome.established, scenario->established);
	if (!is_modern(scenario)) {
		facts_equal(&handshake->whole, opened);
		bool known =
		    strncmp(scenario->name, "tls12", 5) == 0 && scenario->established == SEEN_YES;
		assert_int_equal(handshake->watched.opened, known ? 2 : 0);
		return;
	}
	enum twist twist = scenario->twist;
	if (twist == TWIST_CLIENT_LEAVES) { // it never came to write a secret
		facts_equal(&handshake->whole, opened);
		return;
	}
	assert_int_equal(handshake->watched.calls,
	    handshake->watched.opened + (twist == TWIST_EARLY_DATA)); // EndOfEarlyData
	bool asked = twist == TWIST_CLIENT_CERTIFICATE || twist == TWIST_CLIENT_HAS_NONE;
	assert_int_equal(opened->outcome.client_certificate_requested, asked ? SEEN_YES : SEEN_NO);
	assert_int_equal(facts_have(opened, "chain end 1 2"), !resumed);
	assert_int_equal(opened->outcome.server_certificate_hidden, resumed);
	assert_int_equal(facts_have(opened, "chain end 0 1"), twist == TWIST_CLIENT_CERTIFICATE);
	assert_int_equal(facts_have(opened, "chain end 0 0"), twist == TWIST_CLIENT_HAS_NONE);
}

static void key_logs_open_handshakes(void **state)
{
	(void)state;
	for_each_handshake(check_opened);
}

static void check_opened_splits(const struct handshake *handshake)
{
	struct feeding feeding = {.keylog = handshake->keylog};
	for (feeding.piece = 1; feeding.piece < 20; feeding.piece++) {
		facts_of(&handshake->conversation, &feeding, &part);
		facts_equal(&handshake->opened, &part);
	}
	feeding.piece = 0;
	for (feeding.cut = 1; feeding.cut < handshake->conversation.filled; feeding.cut += 3) {
		facts_of(&handshake->conversation, &feeding, &part);
		facts_equal(&handshake->opened, &part);
	}
}

static void what_is_opened_does_not_depend_on_splits(void **state)
{
	(void)state;
	for_each_handshake(check_opened_splits);
}

// With a key log more is known or as much, never something else, however it is fed.
static void check_opened_as(
    const struct handshake *handshake, const struct conversation *talk, struct feeding feeding)
{
	static struct facts plain, bytewise;
	feeding.keylog = NULL;
	facts_of(talk, &feeding, &plain);
	feeding.keylog = handshake->keylog;
	facts_of(talk, &feeding, &part);
	facts_include(&part, &plain);
	facts_never_contradict(&handshake->opened, &part);
	feeding.piece = 1;
	facts_of(talk, &feeding, &bytewise);
	facts_equal(&part, &bytewise);
}

static void check_opened_holes(const struct handshake *handshake)
{
	const struct conversation *talk = &handshake->conversation;
	for (enum direction sender = FROM_CLIENT; sender <= FROM_SERVER; sender++) {
		size_t length = conversation_length(talk, sender);
		for (size_t at = 0; at < length;) {
			size_t record = record_length(talk, sender, at);
			struct feeding feeding = {.piece = 0};
			feeding.holes[sender] = (struct hole){at, record};
			check_opened_as(handshake, talk, feeding);
			at += record;
		}
	}
	for (int round = 0; round < 200; round++) {
		struct feeding feeding = {
		    .holes = {chance_hole(talk, FROM_CLIENT), chance_hole(talk, FROM_SERVER)}};
		check_opened_as(handshake, talk, feeding);
	}
}

static void holes_hide_what_could_be_opened(void **state)
{
	(void)state;
	for_each_handshake(check_opened_holes);
}

static void check_opened_mutations(const struct handshake *handshake)
{
	static struct conversation mutant;
	static struct facts bytewise;
	for (int round = 0; round < 200; round++) {
		memcpy(&mutant, &handshake->conversation,
		    offsetof(struct conversation, bytes) + handshake->conversation.filled);
		for (int change = 0; change <= round % 4; change++)
			mutant.bytes[chance(mutant.filled)] = (uint8_t)chance(256);
		struct feeding feeding = {.piece = chance(40), .keylog = handshake->keylog};
		facts_of(&mutant, &feeding, &part);
		feeding.piece = 1;
		facts_of(&mutant, &feeding, &bytewise);
		facts_equal(&part, &bytewise);
	}
}

static void mutations_do_no_harm_to_what_is_opened(void **state)
{
	(void)state;
	for_each_handshake(check_opened_mutations);
}

static void check_opened_refusal(const struct handshake *handshake)
{
	struct feeding feeding = {.piece = 1, .memory = 300 * 1024, .keylog = handshake->keylog};
	facts_of(&handshake->conversation, &feeding, &part);
	facts_never_contradict(&handshake->opened, &part);
}

static void memory_refused_opens_nothing(void **state)
{
	(void)state;
	for_each_handshake(check_opened_refusal);
}

// The secrets of the session after next.
static void check_other_secrets(const struct handshake *handshake)
{
	size_t next = (size_t)(handshake - handshakes + 2) % SCENARIOS;
	struct feeding feeding = {.keylog = handshakes[next].keylog};
	facts_of(&handshake->conversation, &feeding, &part);
	facts_equal(&handshake->whole, &part);
}

static void secrets_of_others_open_nothing(void **state)
{
	(void)state;
	for_each_handshake(check_other_secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_logs_open_handshakes),
	    cmocka_unit_test(what_is_opened_does_not_depend_on_splits),
	    cmocka_unit_test(holes_hide_what_could_be_opened),
	    cmocka_unit_test(mutations_do_no_harm_to_what_is_opened),
	    cmocka_unit_test(memory_refused_opens_nothing),
	    cmocka_unit_test(secrets_of_others_open_nothing),
	};
	return cmocka_run_group_tests_name(
	    "tls_handshakes_opened", tests, make_handshakes, free_handshakes);
}
