// SPDX-License-Identifier: Apache-2.0
// A table that grows: whatever is in it is found in its chain, newer ones first, however often buckets were split.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/chain_table.h"

enum { ENTRIES = 30000 };

static struct chained entries[ENTRIES];

// Every third hash is that of the entry before, as copies of a connection have it.
static uint64_t hash_of(uint64_t number)
{
	return (number - (number % 3 == 1)) * 0x9e3779b97f4a7c15u >> 3;
}

static bool is_there(const struct chain_table *table, const struct chained *entry)
{
	struct chained *chained = *chain_table_bucket(table, entry->hash);
	while (chained != NULL && chained != entry)
		chained = chained->next;
	return chained != NULL;
}

static void fill(struct chain_table *table)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		entries[i] = (struct chained){.hash = hash_of(i)};
		chain_table_add(table, &entries[i]);
		assert_int_equal(table->count, i + 1);
	}
}

static void what_was_added_is_found(void **state)
{
	static const size_t mosts[] = {1, 4, 1024, 2048, 1 << 20};
	(void)state;
	for (size_t m = 0; m < sizeof mosts / sizeof mosts[0]; m++) {
		struct chain_table table;
		assert_true(chain_table_begin(&table, mosts[m]));
		fill(&table);
		assert_true(table.level + table.split <= mosts[m]);
		for (size_t i = 0; i < ENTRIES; i += mosts[m] < 1024 ? 1000 : 1)
			assert_true(is_there(&table, &entries[i]));
		chain_table_end(&table);
	}
}

// With room enough, no bucket has much more than others.
static void chains_stay_short(void **state)
{
	struct chain_table table;
	size_t longest = 0;
	(void)state;
	assert_true(chain_table_begin(&table, 1 << 20));
	fill(&table);
	assert_in_range(table.level + table.split, 2 * ENTRIES - 1, 2 * ENTRIES);
	for (size_t i = 0; i < ENTRIES; i++) {
		size_t length = 0;
		for (struct chained *at = *chain_table_bucket(&table, entries[i].hash); at != NULL; at = at->next)
			length++;
		longest = length > longest ? length : longest;
	}
	assert_in_range(longest, 2, 10);
	chain_table_end(&table);
}

static void newer_ones_come_first(void **state)
{
	struct chain_table table;
	(void)state;
	assert_true(chain_table_begin(&table, 1 << 20));
	fill(&table);
	for (size_t i = 0; i + 1 < ENTRIES; i += 3) {
		struct chained *chain = *chain_table_bucket(&table, hash_of(i));
		assert_ptr_equal(chained_with(chain, hash_of(i)), &entries[i + 1]);
		assert_ptr_equal(chained_with(entries[i + 1].next, hash_of(i)), &entries[i]);
		assert_null(chained_with(entries[i].next, hash_of(i)));
	}
	chain_table_end(&table);
}

static void what_was_removed_is_gone(void **state)
{
	struct chain_table table;
	(void)state;
	assert_true(chain_table_begin(&table, 1 << 14));
	fill(&table);
	for (size_t i = 0; i < ENTRIES; i += 2)
		chain_table_remove(&table, &entries[i]);
	assert_int_equal(table.count, ENTRIES / 2);
	for (size_t i = 0; i < ENTRIES; i++)
		assert_int_equal(is_there(&table, &entries[i]), i % 2);
	chain_table_end(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_added_is_found),
	    cmocka_unit_test(chains_stay_short),
	    cmocka_unit_test(newer_ones_come_first),
	    cmocka_unit_test(what_was_removed_is_gone),
	};
	return cmocka_run_group_tests_name("chain_table", tests, NULL, NULL);
}
