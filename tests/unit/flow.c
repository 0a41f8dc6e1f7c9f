// SPDX-License-Identifier: Apache-2.0
// The table of connections: finding, time-outs and eviction, by class and in order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/flow.h"

#include <string.h>

enum { BUDGET = 4 << 20, ENDS_MAX = 256 };

// What left the table, in order.
static struct {
	uint16_t port[ENDS_MAX];
	enum end_reason reason[ENDS_MAX];
	size_t count;
} ends;

static struct memory *memory;
static struct flow_table *table;

static void on_end(void *context, struct flow *flow, enum end_reason reason)
{
	assert_ptr_equal(context, &ends);
	if (ends.count < ENDS_MAX) {
		ends.port[ends.count] = flow->key.port[0];
		ends.reason[ends.count] = reason;
	}
	ends.count++;
}

static const struct hash_key secret = {{1, 2}};

static int begin(void **state)
{
	(void)state;
	ends.count = 0;
	memory = memory_create(BUDGET);
	table = flow_table_create(memory, BUDGET, on_end, &ends);
	return memory == NULL || table == NULL;
}

static int finish(void **state)
{
	(void)state;
	flow_table_destroy(table);
	size_t left = memory_in_use(memory);
	memory_destroy(memory);
	return left != 0;
}

static struct flow_key key_of(uint32_t number)
{
	struct flow_key key;
	memset(&key, 0, sizeof key);
	key.address[1].bytes[0] = (uint8_t)(number >> 16);
	key.port[0] = (uint16_t)number;
	key.port[1] = 25;
	return key;
}

static struct flow *add(uint32_t number, nanoseconds now)
{
	struct flow_key key = key_of(number);
	return flow_add(table, &key, flow_hash(&secret, &key), now);
}

static struct segment segment_of(uint32_t number, uint32_t tap_point)
{
	struct flow_key key = key_of(number);
	struct segment segment = {.context.tap_point = tap_point,
	    .flags = TCP_ACK,
	    .length = 1,
	    .source = key.address[0],
	    .destination = key.address[1],
	    .source_port = key.port[0],
	    .destination_port = key.port[1],
	    .hash = flow_hash(&secret, &key)};
	return segment;
}

static struct flow *find(uint32_t number, uint32_t tap_point)
{
	struct segment segment = segment_of(number, tap_point);
	return flow_find(table, &segment);
}

static void what_was_added_is_found(void **state)
{
	enum { FLOWS = 3000 };
	struct flow *flows[FLOWS];
	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		assert_null(find(i, 0));
		flows[i] = add(i, 1);
		assert_non_null(flows[i]);
		assert_int_equal(flows[i]->class, FLOW_OPENING);
	}
	for (uint32_t i = 0; i < FLOWS; i++)
		assert_ptr_equal(find(i, 0), flows[i]);
	for (uint32_t i = 0; i < FLOWS; i += 2)
		flow_remove(table, flows[i], END_RST);
	for (uint32_t i = 0; i < FLOWS; i++)
		assert_ptr_equal(find(i, 0), i % 2 ? flows[i] : NULL);
	struct flow_counters counters = flow_table_counters(table);
	assert_int_equal(counters.created, FLOWS);
	assert_int_equal(counters.ended, FLOWS / 2);
	assert_int_equal(counters.live, FLOWS / 2);
	assert_int_equal(counters.live_peak, FLOWS);
}

// New bytes at another tap point: it moved. Old ones: another copy.
static void tap_points(void **state)
{
	struct segment segment = segment_of(1, 8);
	(void)state;
	struct flow *flow = add(1, 1);
	struct stream *stream = &flow->streams[flow->client_end == 0 ? FROM_CLIENT : FROM_SERVER];
	stream->packets = 1;
	stream->tap_point = 7;
	stream->known = true;
	stream->next = 1000;
	assert_ptr_equal(find(1, 7), flow);
	static const struct {
		uint32_t sequence, length;
		uint8_t flags;
		bool found;
	} cases[] = {{990, 10, TCP_ACK, false}, {991, 10, TCP_ACK, true}, {1000, 10, TCP_ACK, true},
	    {500, 10, TCP_ACK, false}, {1000, 0, TCP_ACK, true}, {1000, 10, TCP_SYN, false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		segment.sequence = cases[i].sequence;
		segment.length = cases[i].length;
		segment.flags = cases[i].flags;
		struct flow *found = flow_find(table, &segment);
		assert_ptr_equal(found, cases[i].found ? flow : NULL);
	}
}

// A copy is what another tap point saw at the same time; not a flow that came from there as well.
static void copies_know_each_other(void **state)
{
	static const struct {
		uint32_t number, tap_point;
		nanoseconds first, last;
		bool twin;
	} cases[] = {{1, 8, 15, 25, true}, {1, 8, 20 + TWIN_DELAY, 3 * TWIN_DELAY, true},
	    {1, 8, 21 + TWIN_DELAY, 3 * TWIN_DELAY, false},
	    {1, 8, -50, 10 - TWIN_DELAY, true}, {1, 8, -50, 9 - TWIN_DELAY, false}, {1, 7, 15, 25, false}, {2, 8, 15, 25, false}};
	(void)state;
	struct flow *flow = add(1, 10);
	flow->last = 20;
	flow->streams[FROM_SERVER].packets = 1;
	flow->streams[FROM_SERVER].tap_point = 7;
	assert_false(flow_has_twin(table, flow));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct flow *other = add(cases[i].number, cases[i].first);
		other->last = cases[i].last;
		assert_false(flow_has_twin(table, flow)); // no packet says where it is seen
		other->streams[FROM_SERVER].packets = 1;
		other->streams[FROM_SERVER].tap_point = cases[i].tap_point;
		assert_int_equal(flow_has_twin(table, flow), cases[i].twin);
		assert_int_equal(flow_has_twin(table, other), cases[i].twin);
		flow_remove(table, other, END_FIN);
	}
}

static void time_outs(void **state)
{
	static const struct {
		enum flow_class class;
		int64_t seconds;
		enum end_reason reason;
	} cases[] = {{FLOW_OPENING, 60, END_TIMEOUT}, {FLOW_DIALOGUE, 1860, END_TIMEOUT},
	    {FLOW_CUT_OVER, 1860, END_TIMEOUT}, {FLOW_CLOSING, 5, END_RST},
	    {FLOW_ELSEWHERE, 60, END_TIMEOUT}};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct flow *flow = add(1, SECONDS(1));
		nanoseconds timeout = SECONDS(cases[i].seconds), last = SECONDS(1);
		ends.count = 0;
		flow_set_class(table, flow, cases[i].class, last);
		flow->end_reason = END_RST;
		for (int packet = 0; packet < 40; packet++) {
			flow_expire(table, last + timeout, 64);
			assert_int_equal(ends.count, 0);
			last += timeout / 37 * (packet % 5);
			flow_seen(table, flow, last);
			assert_int_equal(flow->last, last);
		}
		flow_seen(table, flow, last - timeout); // out of order
		assert_int_equal(flow->last, last);
		flow_expire(table, last + timeout, 64);
		assert_int_equal(ends.count, 0);
		flow_expire(table, last + timeout + timeout / 16 + 1, 64);
		assert_int_equal(ends.count, 1);
		assert_int_equal(ends.reason[0], cases[i].reason);
	}
}

// Packet time goes back by a day: flows of before end when their time has passed once more.
static void time_goes_back(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		add(i, SECONDS(86400));
	for (uint32_t i = 100; i < 110; i++)
		add(i, SECONDS(1));
	for (int second = 1; second <= 61; second++) {
		flow_expire(table, SECONDS(second), 64);
		assert_int_equal(ends.count, 0);
	}
	flow_expire(table, SECONDS(70), 64);
	flow_expire(table, SECONDS(70), 64);
	assert_int_equal(ends.count, 110);
}

// However many have timed out, one call ends a bounded number, and all calls all of them.
static void expiry_is_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		add(i, 0);
	unsigned calls = 0;
	for (size_t before = 0; ends.count < 1000 && calls < 1000; calls++, before = ends.count) {
		flow_expire(table, SECONDS(1000), 64);
		assert_in_range(ends.count - before, 1, 100);
	}
	assert_true(calls >= 10 && calls < 100);
}

static void who_is_evicted_first(void **state)
{
	static const enum flow_class classes[] = {
	    FLOW_DIALOGUE, FLOW_OPENING, FLOW_CUT_OVER, FLOW_CLOSING, FLOW_OPENING, FLOW_ELSEWHERE,
	    FLOW_DIALOGUE};
	enum { FLOWS = sizeof classes / sizeof classes[0] };
	static const uint16_t order[FLOWS - 1] = {5, 1, 3, 4, 2, 0};
	(void)state;
	struct flow *spared = NULL;
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow *flow = add(i, 0);
		flow_set_class(table, flow, classes[i], 0);
		flow->end_reason = END_FIN;
		spared = flow;
	}
	while (flow_evict(table, spared))
		assert_true(ends.count < FLOWS);
	assert_int_equal(ends.count, FLOWS - 1);
	for (size_t i = 0; i < FLOWS - 1; i++) {
		assert_int_equal(ends.port[i], order[i]);
		assert_int_equal(ends.reason[i], order[i] == 3 ? END_FIN : END_EVICTED);
	}
	assert_int_equal(flow_table_counters(table).evicted, 4);
	assert_int_equal(flow_table_counters(table).evicted_elsewhere, 1);
	assert_true(flow_evict(table, NULL));
	assert_false(flow_evict(table, NULL));
}

// What opens never takes more than its share; what is read stays.
static void the_silent_make_room_for_each_other(void **state)
{
	(void)state;
	struct flow *read = add(0, 0);
	flow_set_class(table, read, FLOW_DIALOGUE, 0);
	for (uint32_t i = 1; i < 100000; i++)
		assert_non_null(add(i, 0));
	assert_true(memory_in_use(memory) <= BUDGET / 2 + 1024);
	assert_true(memory_in_use(memory) > BUDGET / 3);
	assert_ptr_equal(find(0, 0), read);
	assert_null(find(1, 0));
	assert_non_null(find(99999, 0));
	assert_int_equal(flow_table_counters(table).refused, 0);
}

static void all_end_once(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		struct flow *flow = add(i, 0);
		flow_set_class(table, flow, (enum flow_class)(i % FLOW_CLASSES), 0);
		flow->end_reason = END_RST;
	}
	flow_table_end_all(table);
	assert_int_equal(ends.count, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(ends.reason[i],
		    ends.port[i] % FLOW_CLASSES == FLOW_CLOSING ? END_RST : END_OF_CAPTURE);
	flow_table_end_all(table);
	assert_int_equal(ends.count, 100);
	assert_int_equal(memory_in_use(memory), 0);
}

// As they come from the allocator, whose classes are coarser than the structures.
static void a_counted_connection_stays_small(void **state)
{
	(void)state;
	assert_true(memory_class_size(sizeof(struct flow)) +
	                memory_class_size(sizeof(struct session)) <=
	            512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_counted_connection_stays_small),
	    cmocka_unit_test_setup_teardown(what_was_added_is_found, begin, finish),
	    cmocka_unit_test_setup_teardown(tap_points, begin, finish),
	    cmocka_unit_test_setup_teardown(copies_know_each_other, begin, finish),
	    cmocka_unit_test_setup_teardown(time_outs, begin, finish),
	    cmocka_unit_test_setup_teardown(time_goes_back, begin, finish),
	    cmocka_unit_test_setup_teardown(expiry_is_bounded, begin, finish),
	    cmocka_unit_test_setup_teardown(who_is_evicted_first, begin, finish),
	    cmocka_unit_test_setup_teardown(the_silent_make_room_for_each_other, begin, finish),
	    cmocka_unit_test_setup_teardown(all_end_once, begin, finish),
	};
	return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
