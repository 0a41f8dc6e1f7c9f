// SPDX-License-Identifier: Apache-2.0
// What a direction holds back: order, first capture, room and bounds; compared with a plain model of
// the bytes on pieces that come in any order.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/backlog.h"

#include <stdlib.h>
#include <string.h>

enum { BUDGET = 16 << 20 };

static struct conflict ignored;

static struct segment segment_of(uint32_t sequence, const void *bytes, uint32_t length)
{
	return (struct segment){.sequence = sequence,
	    .payload = bytes,
	    .captured = length,
	    .length = length,
	    .flags = TCP_ACK,
	    .acknowledgement = 1};
}

static bool hold(
    struct memory *memory, struct backlog *backlog, uint32_t sequence, const char *text)
{
	struct segment segment = segment_of(sequence, text, (uint32_t)strlen(text));
	return backlog_hold(memory, backlog, &segment, &ignored);
}

static void nothing_is_held_at_first(void **state)
{
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	struct backlog *backlog = backlog_create(memory);
	assert_null(backlog_first(backlog));
	assert_null(backlog_first(NULL));
	assert_false(backlog_is_full(backlog));
	assert_false(backlog_is_full(NULL));
	assert_int_equal(backlog_conflicting(backlog), 0);
	backlog_destroy(memory, NULL);
	backlog_destroy(memory, backlog);
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

// Random pieces of a text around the wrap of sequence numbers, some with wrong bytes; what is held is
// for each byte its first capture, in order, and what differs later is counted.
static void any_pieces_in_any_order(void **state)
{
	enum { SPAN = 600, PIECES = 60, ROUNDS = 3000 };
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	srand(1);
	for (int round = 0; round < ROUNDS; round++) {
		uint32_t base = (uint32_t)-300 + (uint32_t)round, conflicts = 0;
		int model[SPAN];
		struct backlog *backlog = backlog_create(memory);
		memset(model, -1, sizeof model);
		for (int piece = 0; piece < PIECES; piece++) {
			uint8_t bytes[64];
			uint32_t length = 1 + (uint32_t)rand() % sizeof bytes;
			uint32_t at = (uint32_t)rand() % (SPAN - length);
			for (uint32_t i = 0; i < length; i++) {
				bytes[i] = (uint8_t)(rand() % 8 == 0 ? rand() : 'a');
				if (model[at + i] < 0)
					model[at + i] = bytes[i];
				conflicts += model[at + i] != bytes[i];
			}
			struct segment segment = segment_of(base + at, bytes, length);
			segment.acknowledgement = (uint32_t)rand() % 2;
			assert_true(backlog_hold(memory, backlog, &segment, &ignored));
		}
		assert_int_equal(backlog_conflicting(backlog), conflicts);
		for (uint32_t at = 0; at < SPAN;) {
			const struct held_segment *first = backlog_first(backlog);
			if (first == NULL || first->sequence != base + at) {
				assert_int_equal(model[at++], -1);
				continue;
			}
			assert_int_equal(first->captured, first->length);
			for (uint32_t i = 0; i < first->length; i++)
				assert_int_equal(first->bytes[i], model[at + i]);
			at += first->length;
			backlog_drop_first(memory, backlog);
		}
		assert_null(backlog_first(backlog));
		backlog_destroy(memory, backlog);
		assert_int_equal(memory_in_use(memory), 0);
	}
	memory_destroy(memory);
}

static void what_was_not_captured_is_held_as_such(void **state)
{
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	struct backlog *backlog = backlog_create(memory);
	struct segment segment = segment_of(100, "abcd", 4);
	segment.length = 10;
	assert_true(backlog_hold(memory, backlog, &segment, &ignored));
	assert_true(hold(memory, backlog, 104, "XXXXXXyz")); // what is not there cannot conflict
	const struct held_segment *first = backlog_first(backlog);
	assert_int_equal(first->captured, 4);
	assert_int_equal(first->length, 10);
	backlog_drop_first(memory, backlog);
	first = backlog_first(backlog);
	assert_int_equal(first->sequence, 110);
	assert_int_equal(first->captured, 2);
	assert_memory_equal(first->bytes, "yz", 2);
	assert_int_equal(backlog_conflicting(backlog), 0);
	backlog_destroy(memory, backlog);
	memory_destroy(memory);
}

// Bytes sent one by one share blocks, but only while their sender had seen the same.
static void small_pieces_share_blocks(void **state)
{
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	struct backlog *backlog = backlog_create(memory);
	size_t empty = memory_in_use(memory);
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(hold(memory, backlog, i, "x"));
	assert_true(memory_in_use(memory) - empty < 4000);
	assert_false(backlog_is_full(backlog));
	struct segment later = segment_of(1000, "y", 1);
	later.acknowledgement = 2;
	assert_true(backlog_hold(memory, backlog, &later, &ignored));
	uint32_t seen = 0;
	for (const struct held_segment *held; (held = backlog_first(backlog)) != NULL;) {
		assert_int_equal(held->sequence, seen);
		seen += held->length;
		assert_int_equal(held->acknowledgement, seen == 1001 ? 2 : 1);
		backlog_drop_first(memory, backlog);
	}
	assert_int_equal(seen, 1001);
	backlog_destroy(memory, backlog);
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

static void it_is_full_at_some_point(void **state)
{
	static char text[1001];
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	for (int by_count = 0; by_count <= 1; by_count++) {
		struct backlog *backlog = backlog_create(memory);
		uint32_t held = 0;
		memset(text, 'x', by_count ? 1 : 1000);
		text[by_count ? 1 : 1000] = '\0';
		while (!backlog_is_full(backlog) && held < 100000)
			assert_true(hold(memory, backlog, 2000 * held++, text));
		assert_true(by_count ? held > 256 && held < 1024 : held >= 60 && held < 70);
		backlog_drop_first(memory, backlog);
		assert_false(backlog_is_full(backlog));
		backlog_destroy(memory, backlog);
	}
	memory_destroy(memory);
}

static void memory_used_up_is_told(void **state)
{
	static char text[20001];
	(void)state;
	struct memory *memory = memory_create(1 << 20);
	struct backlog *backlog = backlog_create(memory);
	uint32_t held = 0;
	memset(text, 'x', 20000);
	while (held < 1000 && hold(memory, backlog, 30000 * held, text))
		held++;
	assert_in_range(held, 10, 60);
	for (; held > 0; held--)
		backlog_drop_first(memory, backlog);
	assert_null(backlog_first(backlog));
	assert_true(hold(memory, backlog, 5, "again"));
	backlog_destroy(memory, backlog);
	assert_int_equal(memory_in_use(memory), 0);
	memory_destroy(memory);
}

static void delivered_bytes_are_compared(void **state)
{
	static const struct {
		uint32_t sequence;
		const char *text;
		uint32_t conflicts;
	} cases[] = {{1000, "0123456789", 0}, {1000, "0123456780", 1}, {1005, "56xxx", 3},
	    {990, "----------01", 0}, {1008, "8_beyond", 1}, {1010, "beyond", 0},
	    {995, "-----x", 1}};
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct backlog *backlog = backlog_create(memory);
		backlog_remember(backlog, (const uint8_t *)"0123", 4);
		backlog_remember(backlog, (const uint8_t *)"456789", 6);
		struct segment segment =
		    segment_of(cases[i].sequence, cases[i].text, (uint32_t)strlen(cases[i].text));
		backlog_compare(backlog, &segment, 1010, &ignored);
		assert_int_equal(backlog_conflicting(backlog), cases[i].conflicts);
		backlog_forget(backlog);
		segment = segment_of(1000, "XXXXXXXXXX", 10);
		backlog_compare(backlog, &segment, 1010, &ignored);
		assert_int_equal(backlog_conflicting(backlog), cases[i].conflicts);
		backlog_destroy(memory, backlog);
	}
	memory_destroy(memory);
}

// However the bytes come, the last ones are known.
static void the_last_bytes_are_remembered(void **state)
{
	static uint8_t bytes[5000];
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7 / 3);
	for (size_t step = 1; step < 1000; step += 1 + step / 2) {
		struct backlog *backlog = backlog_create(memory);
		uint32_t next = 0;
		for (; next + step <= sizeof bytes; next += (uint32_t)step)
			backlog_remember(backlog, bytes + next, step);
		struct segment segment = segment_of(next - 300, bytes + next - 300, 300);
		backlog_compare(backlog, &segment, next, &ignored);
		assert_int_equal(backlog_conflicting(backlog), 0);
		uint8_t other[300];
		for (size_t i = 0; i < 300; i++)
			other[i] = (uint8_t)~bytes[next - 300 + i];
		segment.payload = other;
		backlog_compare(backlog, &segment, next, &ignored);
		assert_int_equal(backlog_conflicting(backlog), 300);
		backlog_destroy(memory, backlog);
	}
	memory_destroy(memory);
}

// Nor does it matter whether they are looked at meanwhile.
static void looking_changes_nothing(void **state)
{
	enum { KEPT = 384, STREAM = 20000 };
	static uint8_t bytes[STREAM];
	(void)state;
	struct memory *memory = memory_create(BUDGET);
	struct backlog *backlog = backlog_create(memory);
	uint32_t next = 0, expected = 0;
	srand(2);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(rand() >> 8);
	while (next < STREAM - 600) {
		uint32_t length = (uint32_t)(rand() % (rand() % 2 == 0 ? 40 : 500)) + 1;
		backlog_remember(backlog, bytes + next, length);
		next += length;
		uint32_t kept = next < KEPT ? next : KEPT, at = next - kept + (uint32_t)rand() % kept;
		if (rand() % 3 == 0)
			continue;
		struct segment segment = segment_of(next - kept, bytes + next - kept, kept);
		backlog_compare(backlog, &segment, next, &ignored);
		assert_int_equal(backlog_conflicting(backlog), expected);
		bytes[at] ^= 1;
		backlog_compare(backlog, &segment, next, &ignored);
		assert_int_equal(backlog_conflicting(backlog), ++expected);
		bytes[at] ^= 1;
	}
	assert_true(expected > 50);
	backlog_destroy(memory, backlog);
	memory_destroy(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_held_at_first),
	    cmocka_unit_test(any_pieces_in_any_order),
	    cmocka_unit_test(what_was_not_captured_is_held_as_such),
	    cmocka_unit_test(small_pieces_share_blocks),
	    cmocka_unit_test(it_is_full_at_some_point),
	    cmocka_unit_test(memory_used_up_is_told),
	    cmocka_unit_test(delivered_bytes_are_compared),
	    cmocka_unit_test(the_last_bytes_are_remembered),
	    cmocka_unit_test(looking_changes_nothing),
	};
	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
