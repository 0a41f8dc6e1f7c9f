// SPDX-License-Identifier: Apache-2.0
// The table of what was used last: what was not used for longest gives way, whatever the keys are, and nothing before
// the table is full.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
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
	for (uint64_t key = 1; key <= MANY; key++) {
		assert_int_equal(take(table, key * 2, 1), RECENT_NEW);
		first = first == NULL ? recent_table_find(table, key * 2) : first;
	}
	assert_ptr_equal(recent_table_find(table, 2), first);
	assert_ptr_equal(recent_table_value(table, 0), first);
	assert_non_null(recent_table_value(table, MANY - 1));
	assert_null(recent_table_value(table, MANY));
	released = 0;
	recent_table_destroy(table, release);
	assert_int_equal(released, MANY);
	recent_table_destroy(NULL, release);
}

// As they are with an unlucky hash key: all in one bucket. The same are kept as with any other.
static void keys_do_not_matter(void **state)
{
	enum { MOST = 300, MANY = 1000 };
	static const uint64_t factors[] = {2, (uint64_t)1 << 32, 0x9e3779b97f4a7c15u};
	(void)state;
	for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
		struct recent_table *table = recent_table_create(MOST, sizeof(int));
		for (int n = 1; n <= MANY; n++) {
			assert_int_equal(take(table, (uint64_t)n * factors[i], n),
			    n <= MOST ? RECENT_NEW : RECENT_REPLACED);
			recent_table_use(table, factors[i]);
		}
		for (int n = 1; n <= MANY; n++) {
			const int *value = recent_table_find(table, (uint64_t)n * factors[i]);
			bool kept = n == 1 || n > MANY - MOST + 1;
			assert_int_equal(value != NULL, kept);
			assert_int_equal(kept ? *value : n, n);
		}
		recent_table_destroy(table, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_not_used_for_longest_gives_way),
	    cmocka_unit_test(values_do_not_move_and_are_released_once),
	    cmocka_unit_test(keys_do_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
