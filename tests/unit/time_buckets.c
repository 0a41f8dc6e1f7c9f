// SPDX-License-Identifier: Apache-2.0
// Counting over time: whatever the order and however far apart, nothing is lost and memory stays the same.
#include "analytics/time_buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const nanoseconds noon = SECONDS(1795780800); // 2026-11-27T12:00:00Z

static uint64_t sum(const struct time_buckets *buckets, size_t counter)
{
	uint64_t all = 0;
	for (size_t i = 0; i < buckets->count; i++)
		all += buckets->counters[i][counter];
	return all;
}

static void minutes_at_first(void **state)
{
	struct time_buckets buckets = {0};
	(void)state;
	time_buckets_add(&buckets, noon + SECONDS(59), 0, 1);
	time_buckets_add(&buckets, noon + SECONDS(60), 0, 2);
	time_buckets_add(&buckets, noon - 1, 1, 4);
	assert_int_equal(buckets.width, SECONDS(60));
	assert_int_equal(buckets.count, 3);
	assert_int_equal(time_buckets_start(&buckets, 0), noon - SECONDS(60));
	assert_int_equal(buckets.counters[0][1], 4);
	assert_int_equal(buckets.counters[1][0], 1);
	assert_int_equal(buckets.counters[2][0], 2);
}

static void as_many_as_there_is_room_for(void **state)
{
	struct time_buckets buckets = {0};
	(void)state;
	time_buckets_add(&buckets, noon, 0, 1);
	time_buckets_add(&buckets, noon + SECONDS(60 * (TIME_BUCKETS - 1)), 0, 1);
	assert_int_equal(buckets.count, TIME_BUCKETS);
	assert_int_equal(buckets.width, SECONDS(60));
	time_buckets_add(&buckets, noon + SECONDS(60 * TIME_BUCKETS), 0, 1);
	assert_int_equal(buckets.width, SECONDS(300));
	assert_int_equal(sum(&buckets, 0), 3);
}

static void the_order_does_not_matter(void **state)
{
	struct time_buckets one = {0}, other = {0};
	nanoseconds times[500];
	(void)state;
	srand(7);
	for (size_t i = 0; i < 500; i++)
		times[i] = noon + SECONDS(rand() % 4000000);
	for (size_t i = 0; i < 500; i++)
		time_buckets_add(&one, times[i], i % 8, i);
	for (size_t i = 500; i-- > 0;)
		time_buckets_add(&other, times[i], i % 8, i);
	assert_int_equal(one.width, SECONDS(21600));
	assert_int_equal(one.count, other.count);
	assert_int_equal(one.first, other.first);
	assert_memory_equal(one.counters, other.counters, one.count * sizeof one.counters[0]);
}

static void from_the_first_time_to_the_last(void **state)
{
	struct time_buckets buckets = {0};
	(void)state;
	time_buckets_add(&buckets, PACKET_TIME_MAX, 0, 1);
	time_buckets_add(&buckets, 0, 0, 1);
	time_buckets_add(&buckets, noon, 0, 1);
	assert_in_range(buckets.count, 1, TIME_BUCKETS);
	assert_int_equal(sum(&buckets, 0), 3);
	assert_int_equal(time_buckets_start(&buckets, 0), 0);
}

static void spans_are_shared_out(void **state)
{
	struct time_buckets buckets = {0};
	(void)state;
	time_buckets_add_span(&buckets, noon + SECONDS(30), noon + SECONDS(150), 2);
	assert_int_equal(buckets.count, 3);
	assert_int_equal(buckets.counters[0][2], SECONDS(30));
	assert_int_equal(buckets.counters[1][2], SECONDS(60));
	assert_int_equal(buckets.counters[2][2], SECONDS(30));
	time_buckets_add_span(&buckets, noon, noon + SECONDS(86400), 2);
	assert_int_equal(sum(&buckets, 2), SECONDS(86400 + 120));
	time_buckets_add_span(&buckets, noon, noon, 2); // nothing
	assert_int_equal(sum(&buckets, 2), SECONDS(86400 + 120));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(minutes_at_first),
	    cmocka_unit_test(as_many_as_there_is_room_for),
	    cmocka_unit_test(the_order_does_not_matter),
	    cmocka_unit_test(from_the_first_time_to_the_last),
	    cmocka_unit_test(spans_are_shared_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
