// SPDX-License-Identifier: Apache-2.0
// The ring of commands that wait for their replies.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/commands.h"

static void in_order(void **state)
{
	(void)state;
	struct commands commands = {0};
	assert_int_equal(commands_oldest(&commands), -1);
	assert_int_equal(commands_pop(&commands), -1);
	commands_push(&commands, 3, 0);
	commands_push(&commands, 0, 0);
	assert_int_equal(commands_oldest(&commands), 3);
	assert_int_equal(commands_oldest(&commands), 3);
	assert_int_equal(commands_pop(&commands), 3);
	assert_int_equal(commands_pop(&commands), 0);
	assert_int_equal(commands_pop(&commands), -1);
	assert_false(commands.lost);
}

static void the_same_many_times(void **state)
{
	(void)state;
	struct commands commands = {0};
	for (int i = 0; i < 1000; i++)
		commands_push(&commands, 5, 0);
	commands_push(&commands, 6, 0);
	assert_false(commands.lost);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(commands_pop(&commands), 5);
	assert_int_equal(commands_pop(&commands), 6);
	assert_int_equal(commands_pop(&commands), -1);
}

static void more_repeats_than_can_be_counted(void **state)
{
	(void)state;
	struct commands commands = {0};
	for (int i = 0; i < 2 * (UINT16_MAX + 1); i++)
		commands_push(&commands, 5, 0);
	assert_int_equal(commands.count, 2);
	for (int i = 0; i < 2 * (UINT16_MAX + 1); i++)
		assert_int_equal(commands_pop(&commands), 5);
	assert_int_equal(commands_pop(&commands), -1);
}

static void too_many_lose_the_oldest(void **state)
{
	(void)state;
	for (int before = 0; before < COMMANDS_MAX; before++) {
		struct commands commands = {0};
		for (int i = 0; i < before; i++) { // move the ring's start
			commands_push(&commands, 1, 0);
			commands_pop(&commands);
		}
		for (int i = 0; i < COMMANDS_MAX; i++)
			commands_push(&commands, (uint8_t)i, 0);
		assert_false(commands.lost);
		commands_push(&commands, COMMANDS_MAX, 0);
		assert_true(commands.lost);
		for (int i = 1; i <= COMMANDS_MAX; i++)
			assert_int_equal(commands_pop(&commands), i);
		assert_int_equal(commands_pop(&commands), -1);
	}
}

static void by_tag(void **state)
{
	(void)state;
	for (uint32_t wanted = 1; wanted <= 5; wanted++) {
		struct commands commands = {.first = COMMANDS_MAX - 2};
		for (uint32_t tag = 1; tag <= 5; tag++)
			commands_push(&commands, (uint8_t)(10 + tag), tag);
		assert_int_equal(commands_pop_tag(&commands, wanted), 10 + wanted);
		assert_int_equal(commands_pop_tag(&commands, wanted), -1);
		for (uint32_t tag = 1; tag <= 5; tag++)
			if (tag != wanted)
				assert_int_equal(commands_pop(&commands), 10 + tag);
		assert_int_equal(commands_pop(&commands), -1);
	}
}

// The same kind twice with tags are two commands, answered each on its own.
static void tagged_ones_are_kept_apart(void **state)
{
	(void)state;
	struct commands commands = {0};
	commands_push(&commands, 4, 7);
	commands_push(&commands, 4, 7);
	commands_push(&commands, 4, 8);
	assert_int_equal(commands_pop_tag(&commands, 8), 4);
	assert_int_equal(commands_pop_tag(&commands, 7), 4);
	assert_int_equal(commands_pop_tag(&commands, 7), 4);
	assert_int_equal(commands_pop_tag(&commands, 7), -1);
}

static void finds_a_kind(void **state)
{
	(void)state;
	struct commands commands = {.first = COMMANDS_MAX - 1};
	assert_false(commands_have(&commands, 0));
	commands_push(&commands, 1, 0);
	commands_push(&commands, 2, 0);
	assert_true(commands_have(&commands, 1));
	assert_true(commands_have(&commands, 2));
	assert_false(commands_have(&commands, 3));
	commands_pop(&commands);
	assert_false(commands_have(&commands, 1));
	commands_clear(&commands);
	assert_false(commands_have(&commands, 2));
	assert_int_equal(commands_oldest(&commands), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(in_order),
	    cmocka_unit_test(the_same_many_times),
	    cmocka_unit_test(more_repeats_than_can_be_counted),
	    cmocka_unit_test(too_many_lose_the_oldest),
	    cmocka_unit_test(by_tag),
	    cmocka_unit_test(tagged_ones_are_kept_apart),
	    cmocka_unit_test(finds_a_kind),
	};
	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
