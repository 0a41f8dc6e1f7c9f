// SPDX-License-Identifier: Apache-2.0
// What statistics count with: bounded maps, distinct things, proportions, intervals of packet time.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/bounded_map.h"
#include "analytics/distinct.h"
#include "analytics/interval_clock.h"
#include "analytics/proportion.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- bounded maps ---- */

static void a_map_finds_what_it_holds_and_no_more(void **state)
{
	(void)state;
	enum { MOST = 1000 };
	struct bounded_map *map = bounded_map_create(sizeof(uint64_t), MOST);
	for (uint64_t round = 0; round < 2; round++) {
		for (uint64_t key = 0; key < MOST; key++) {
			uint64_t *value = bounded_map_at(map, &key, sizeof key);
			assert_non_null(value);
			assert_int_equal(*value, round * key); // zero when new
			*value += key;
		}
	}
	uint64_t key = MOST;
	assert_null(bounded_map_at(map, &key, sizeof key));
	assert_false(bounded_map_has(map, &key, sizeof key));
	key = MOST - 1;
	assert_true(bounded_map_has(map, &key, sizeof key));
	assert_false(bounded_map_has(map, &key, sizeof key - 1)); // another length, another key
	assert_int_equal(bounded_map_count(map), MOST);
	bounded_map_destroy(map);
}

static int backwards(const struct map_entry *one, const struct map_entry *other)
{
	const int *a = one->value, *b = other->value;
	return *b - *a;
}

static void a_map_is_sorted_by_value_then_key(void **state)
{
	(void)state;
	static const char *const keys[] = {"b", "aa", "a", "c", ""};
	static const int values[] = {1, 1, 1, 2, 0};
	struct bounded_map *map = bounded_map_create(sizeof(int), 10);
	assert_null(bounded_map_sorted(map, backwards)); // nothing to sort
	for (size_t i = 0; i < 5; i++)
		*(int *)bounded_map_at(map, keys[i], strlen(keys[i])) = values[i];
	struct map_entry *entries = bounded_map_sorted(map, backwards);
	static const char *const expected[] = {"c", "a", "aa", "b", ""};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(entries[i].key_length, strlen(expected[i]));
		assert_memory_equal(entries[i].key, expected[i], strlen(expected[i]));
	}
	free(entries);
	bounded_map_destroy(map);
}

/* ---- distinct things ---- */

static void count_up_to(struct distinct *distinct, uint64_t most)
{
	for (uint64_t i = 0; i < most; i++)
		for (int twice = 0; twice < 2; twice++)
			distinct_add(distinct, &i, sizeof i);
}

static void few_are_counted_exactly(void **state)
{
	(void)state;
	struct hash_key key = hash_key_random();
	struct distinct *distinct = distinct_create(&key, 1000);
	assert_int_equal(distinct_count(distinct).count, 0);
	count_up_to(distinct, 1000);
	struct distinct_count count = distinct_count(distinct);
	assert_int_equal(count.count, 1000);
	assert_true(count.exact);
	distinct_destroy(distinct);
}

// Keys are random: six standard errors are not exceeded in a lifetime of runs.
static void many_are_estimated_within_the_error(void **state)
{
	(void)state;
	static const uint64_t sizes[] = {11, 500, 5000, 40000, 45000, 300000};
	struct hash_key key = hash_key_random();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct distinct *distinct = distinct_create(&key, 10);
		count_up_to(distinct, sizes[i]);
		struct distinct_count count = distinct_count(distinct);
		assert_false(count.exact);
		assert_true(count.error > 0.008 && count.error < 0.0082);
		double off = fabs((double)count.count - (double)sizes[i]) / (double)sizes[i];
		assert_true(off < 6 * count.error || sizes[i] < 100);
		assert_true(off < 0.2);
		distinct_destroy(distinct);
	}
}

static struct distinct *count_range(
    const struct hash_key *key, size_t exact, uint64_t from, uint64_t until)
{
	struct distinct *distinct = distinct_create(key, exact);
	for (uint64_t i = from; i < until; i++)
		distinct_add(distinct, &i, sizeof i);
	return distinct;
}

// What is in both is counted once, whichever of them is exact.
static void united_they_count_as_one(void **state)
{
	(void)state;
	struct hash_key key = hash_key_random();
	for (int beyond = 0; beyond < 4; beyond++) {
		struct distinct *sum = count_range(&key, beyond & 1 ? 10 : 1000, 0, 300);
		struct distinct *part = count_range(&key, beyond & 2 ? 10 : 1000, 200, 600);
		struct distinct *whole = count_range(&key, beyond > 0 ? 10 : 1000, 0, 600);
		distinct_unite(sum, part);
		struct distinct_count united = distinct_count(sum), one = distinct_count(whole);
		assert_int_equal(united.count, one.count);
		assert_int_equal(united.exact, beyond == 0);
		distinct_destroy(sum);
		distinct_destroy(part);
		distinct_destroy(whole);
	}
}

/* ---- proportions ---- */

static void assert_near(double found, double expected)
{
	assert_true(fabs(found - expected) < 0.00005);
}

// Newcombe 1998, table I, method 3 (without correction).
static void intervals_are_those_of_the_literature(void **state)
{
	(void)state;
	static const struct {
		uint64_t part, of;
		double low, high;
	} known[] = {
	    {81, 263, 0.2553, 0.3662},
	    {15, 148, 0.0624, 0.1605},
	    {0, 20, 0.0000, 0.1611},
	    {1, 29, 0.0061, 0.1718},
	};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		struct proportion found = proportion_of(known[i].part, known[i].of);
		assert_near(found.value, (double)known[i].part / (double)known[i].of);
		assert_near(found.low, known[i].low);
		assert_near(found.high, known[i].high);
	}
}

static void intervals_stay_between_0_and_1(void **state)
{
	(void)state;
	for (uint64_t of = 1; of < 200; of++) {
		for (uint64_t part = 0; part <= of; part++) {
			struct proportion p = proportion_of(part, of);
			assert_true(
			    p.low >= 0 && p.low <= p.value && p.value <= p.high && p.high <= 1);
		}
	}
	assert_near(proportion_of(UINT64_MAX, UINT64_MAX).low, 1);
}

/* ---- intervals ---- */

static struct packet_batch batch_at(size_t count, const nanoseconds *times)
{
	struct packet_batch batch = {.count = count};
	for (size_t i = 0; i < count; i++)
		batch.packets[i].time = SECONDS(times[i]);
	return batch;
}

static void an_interval_ends_in_a_batch(void **state)
{
	(void)state;
	struct interval_clock clock = {.length = SECONDS(60)};
	struct packet_batch batch = batch_at(4, (nanoseconds[]){130, 179, 180, 100});
	assert_int_equal(interval_clock_take(&clock, &batch), 2);
	assert_true(clock.first);
	assert_int_equal(clock.from, SECONDS(120));
	assert_int_equal(clock.until, SECONDS(180));
	assert_int_equal(clock.latest, SECONDS(179));
	interval_clock_next(&clock, SECONDS(180));
	assert_false(clock.first);
	batch = batch_at(2, (nanoseconds[]){180, 100}); // what goes back stays
	assert_int_equal(interval_clock_take(&clock, &batch), 2);
	assert_int_equal(clock.latest, SECONDS(180));
	batch = batch_at(1, (nanoseconds[]){100000}); // a leap
	assert_int_equal(interval_clock_take(&clock, &batch), 0);
	interval_clock_next(&clock, SECONDS(100000));
	assert_int_equal(clock.from, SECONDS(99960));
	assert_int_equal(interval_clock_take(&clock, &batch), 1);
}

static void without_length_there_are_none(void **state)
{
	(void)state;
	struct interval_clock clock = {0};
	struct packet_batch batch = batch_at(2, (nanoseconds[]){1, 100000}), none = {0};
	assert_int_equal(interval_clock_take(&clock, &batch), 2);
	assert_false(clock.open);
	clock.length = SECONDS(1);
	assert_int_equal(interval_clock_take(&clock, &none), 0);
	assert_false(clock.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_map_finds_what_it_holds_and_no_more),
	    cmocka_unit_test(a_map_is_sorted_by_value_then_key),
	    cmocka_unit_test(few_are_counted_exactly),
	    cmocka_unit_test(many_are_estimated_within_the_error),
	    cmocka_unit_test(united_they_count_as_one),
	    cmocka_unit_test(intervals_are_those_of_the_literature),
	    cmocka_unit_test(intervals_stay_between_0_and_1),
	    cmocka_unit_test(an_interval_ends_in_a_batch),
	    cmocka_unit_test(without_length_there_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
