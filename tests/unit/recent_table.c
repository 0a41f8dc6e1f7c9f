// SPDX-License-Identifier: Apache-2.0
// The table of what was used last: four keys to a place, and the one that was not used for longest gives way.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/recent_table.h"

static int released;

static void release(void *value)
{
	released += *(int *)value;
}

static enum recent_taken take(struct recent_table *table, uint64_t key, int number)
{
	void *value;
	enum recent_taken taken = recent_table_take(table, key, &value);
	assert_non_null(value);
	*(int *)value = number;
	return taken;
}

static void what_was_not_used_for_longest_gives_way(void **state)
{
	(void)state;
	struct recent_table *table = recent_table_create(4, sizeof(int));
	void *value;
	for (uint64_t key = 1; key <= 4; key++)
		assert_int_equal(take(table, key, (int)key), RECENT_NEW);
	recent_table_use(table, 1);
	assert_int_equal(take(table, 2, 20), RECENT_KNOWN);
	assert_int_equal(recent_table_take(table, 5, &value), RECENT_REPLACED);
	assert_int_equal(*(int *)value, 3);
	assert_null(recent_table_find(table, 3));
	assert_int_equal(*(int *)recent_table_find(table, 1), 1);
	assert_int_equal(*(int *)recent_table_find(table, 2), 20);
	assert_int_equal(*(int *)recent_table_find(table, 4), 4);
	recent_table_use(table, 3); // nothing to use
	assert_int_equal(take(table, 6, 6), RECENT_REPLACED);
	assert_null(recent_table_find(table, 4));
	recent_table_destroy(table, NULL);
}

static void values_do_not_move_and_are_released_once(void **state)
{
	(void)state;
	enum { MANY = 4096 };
	struct recent_table *table = recent_table_create(MANY, sizeof(int));
	int *first = NULL;
	int distinct = 0;
	for (uint64_t key = 1; key <= MANY; key++) {
		void *value;
		enum recent_taken taken = recent_table_take(table, key * 2, &value);
		distinct += taken == RECENT_NEW;
		*(int *)value = 1;
		first = first == NULL ? value : first;
	}
	assert_ptr_equal(recent_table_find(table, 2), first);
	released = 0;
	recent_table_destroy(table, release);
	assert_int_equal(released, distinct);
	recent_table_destroy(NULL, release);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_not_used_for_longest_gives_way),
	    cmocka_unit_test(values_do_not_move_and_are_released_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
