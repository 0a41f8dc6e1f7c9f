// SPDX-License-Identifier: Apache-2.0
// Lines between two threads: whole, in order, bounded, and refused or waited for as it is said.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/store_queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOON = 10, LONG = 10000 }; // milliseconds; nothing is measured by them

static size_t count_lines(const struct store_block *blocks)
{
	size_t lines = 0;
	for (; blocks != NULL; blocks = blocks->next)
		lines += blocks->lines;
	return lines;
}

static void what_is_not_handed_over_is_not_there(void **state)
{
	struct store_queue *queue = store_queue_create();
	(void)state;
	assert_non_null(queue);
	assert_true(store_queue_add(queue, STORE_SESSIONS, "a\n", 2));
	assert_true(store_queue_add(queue, STORE_ALERTS, "b\n", 2));
	assert_true(store_queue_add(queue, STORE_SESSIONS, "c\n", 2));
	assert_null(store_queue_take(queue, LONG, SOON));
	store_queue_flush(queue);
	struct store_block *blocks = store_queue_take(queue, LONG, SOON);
	assert_non_null(blocks);
	assert_int_equal(blocks->table, STORE_SESSIONS);
	assert_memory_equal(blocks->text, "a\nc\n", 4);
	assert_int_equal(blocks->next->table, STORE_ALERTS);
	assert_null(blocks->next->next);
	store_queue_give_back(queue, blocks);
	assert_false(store_queue_is_over(queue));
	store_queue_close(queue);
	assert_true(store_queue_is_over(queue));
	store_queue_destroy(queue);
}

static void no_more_is_taken_than_asked_for(void **state)
{
	struct store_queue *queue = store_queue_create();
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(store_queue_add(queue, STORE_SESSIONS, "0123456789\n", 11));
		store_queue_flush(queue);
	}
	struct store_block *first = store_queue_take(queue, 25, SOON),
	                   *second = store_queue_take(queue, 1, SOON);
	assert_int_equal(count_lines(first), 2);
	assert_int_equal(count_lines(second), 1); // at least one
	store_queue_give_back(queue, first);
	store_queue_give_back(queue, second);
	store_queue_destroy(queue);
}

// Fills it: the number of lines of that length that it took.
static size_t fill(struct store_queue *queue, const char *line, size_t length)
{
	size_t lines = 0;
	while (store_queue_add(queue, STORE_SESSIONS, line, length))
		lines++;
	return lines;
}

static void what_has_no_room_is_refused(void **state)
{
	enum { LENGTH = 1000 };
	char line[LENGTH];
	struct store_queue *queue = store_queue_create();
	(void)state;
	memset(line, 'x', sizeof line);
	line[LENGTH - 1] = '\n';
	size_t lines = fill(queue, line, LENGTH);
	assert_true(lines * LENGTH <= STORE_QUEUE_MAX && lines * LENGTH > STORE_QUEUE_MAX / 10 * 9);
	store_queue_flush(queue);
	struct store_block *blocks = store_queue_take(queue, SIZE_MAX, SOON);
	assert_int_equal(count_lines(blocks), lines); // those that were taken, and no other
	assert_false(
	    store_queue_add(queue, STORE_SESSIONS, line, LENGTH)); // they are still under way
	store_queue_give_back(queue, blocks);
	assert_true(store_queue_add(queue, STORE_SESSIONS, line, LENGTH));
	store_queue_destroy(queue);
}

// A second that brings one line takes no room of a whole block.
static void small_blocks_take_little_room(void **state)
{
	struct store_queue *queue = store_queue_create();
	(void)state;
	for (size_t i = 0; i < 4 * STORE_QUEUE_MAX / STORE_BLOCK; i++) {
		assert_true(store_queue_add(queue, STORE_SESSIONS, "a\n", 2));
		store_queue_flush(queue);
	}
	store_queue_destroy(queue);
}

static void a_long_line_has_a_block_of_its_own(void **state)
{
	enum { LENGTH = 3 * STORE_BLOCK };
	char *line = malloc(LENGTH);
	struct store_queue *queue = store_queue_create();
	(void)state;
	memset(line, 'x', LENGTH);
	assert_true(store_queue_add(queue, STORE_STATISTICS, "a\n", 2));
	assert_true(store_queue_add(queue, STORE_STATISTICS, line, LENGTH));
	assert_true(store_queue_add(queue, STORE_STATISTICS, "b\n", 2));
	store_queue_flush(queue);
	struct store_block *blocks = store_queue_take(queue, SIZE_MAX, SOON);
	assert_int_equal(count_lines(blocks), 3);
	assert_int_equal(blocks->next->length, LENGTH);
	assert_false(store_queue_add(queue, STORE_SESSIONS, line, STORE_QUEUE_MAX + 1));
	store_queue_give_back(queue, blocks);
	store_queue_destroy(queue);
	free(line);
}

/* ---- two threads ---- */

enum { MANY = 200000 };

// Takes all until it is over; the numbers have to come in order.
static void *take_all(void *context)
{
	struct store_queue *queue = context;
	uintptr_t next = 0;
	while (!store_queue_is_over(queue)) {
		struct store_block *blocks = store_queue_take(queue, 1 << 20, SOON);
		for (const struct store_block *block = blocks; block != NULL; block = block->next) {
			const char *at = block->text;
			for (size_t i = 0; i < block->lines; i++) {
				if (strtoul(at, NULL, 10) != next)
					return NULL;
				next++;
				at = strchr(at, '\n') + 1;
			}
		}
		if (blocks != NULL)
			store_queue_give_back(queue, blocks);
	}
	return (void *)next; // NOLINT: how many
}

static void who_waits_loses_nothing(void **state)
{
	pthread_t thread;
	char line[256];
	void *taken;
	struct store_queue *queue = store_queue_create();
	(void)state;
	store_queue_let_wait(queue, true);
	assert_int_equal(pthread_create(&thread, NULL, take_all, queue), 0);
	for (unsigned i = 0; i < MANY; i++) {
		int length = snprintf(line, sizeof line, "%u %200s\n", i, "");
		assert_true(store_queue_add(queue, STORE_SESSIONS, line, (size_t)length));
	}
	store_queue_flush(queue);
	store_queue_close(queue);
	assert_int_equal(pthread_join(thread, &taken), 0);
	assert_int_equal((uintptr_t)taken, MANY);
	store_queue_destroy(queue);
}

static void *stop_waiting(void *context)
{
	store_queue_pause(context, SOON);
	store_queue_let_wait(context, false);
	return NULL;
}

static void *close_soon(void *context)
{
	store_queue_pause(context, SOON);
	store_queue_close(context);
	return NULL;
}

// Where nothing is taken any more, nobody waits for ever.
static void who_waits_is_let_go(void **state)
{
	void *(*const ends[])(void *) = {stop_waiting, close_soon};
	char line[1000];
	(void)state;
	memset(line, 'x', sizeof line);
	for (size_t i = 0; i < 2; i++) {
		pthread_t thread;
		struct store_queue *queue = store_queue_create();
		(void)fill(queue, line, sizeof line);
		store_queue_let_wait(queue, true);
		assert_int_equal(pthread_create(&thread, NULL, ends[i], queue), 0);
		assert_false(store_queue_add(queue, STORE_ALERTS, line, sizeof line));
		pthread_join(thread, NULL);
		assert_int_equal(store_queue_pause(queue, 0), i == 1);
		store_queue_destroy(queue);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_not_handed_over_is_not_there),
	    cmocka_unit_test(no_more_is_taken_than_asked_for),
	    cmocka_unit_test(what_has_no_room_is_refused),
	    cmocka_unit_test(small_blocks_take_little_room),
	    cmocka_unit_test(a_long_line_has_a_block_of_its_own),
	    cmocka_unit_test(who_waits_loses_nothing),
	    cmocka_unit_test(who_waits_is_let_go),
	};
	return cmocka_run_group_tests_name("store_queue", tests, NULL, NULL);
}
