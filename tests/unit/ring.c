// SPDX-License-Identifier: Apache-2.0
// Messages through a ring: none lost, none changed, in order, however long they are and whoever waits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/ring.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { SIZE = 4096, MESSAGES = 200000 };

static size_t length_of(uint32_t number)
{
	return 1 + number * 7919u % 1000;
}

static bool send(struct ring *ring, uint32_t number)
{
	uint8_t *room = ring_reserve(ring, length_of(number));
	if (room == NULL)
		return false;
	assert_int_equal((uintptr_t)room % 16, 0);
	memset(room, (int)(number & 0xff), length_of(number));
	ring_commit(ring);
	return true;
}

static bool receive(struct ring *ring, uint32_t number)
{
	size_t length;
	const uint8_t *message = ring_peek(ring, &length);
	if (message == NULL)
		return false;
	assert_int_equal(length, length_of(number));
	for (size_t i = 0; i < length; i++)
		assert_int_equal(message[i], number & 0xff);
	ring_release(ring);
	return true;
}

static void filled_and_emptied(void **state)
{
	uint32_t sent = 0, received = 0;
	(void)state;
	struct ring *ring = ring_create(SIZE);
	while (sent < MESSAGES) {
		while (send(ring, sent))
			sent++;
		assert_true(sent > received);
		for (uint32_t some = 1 + sent % 3; some > 0 && received < sent; some--)
			assert_true(receive(ring, received++));
	}
	while (received < sent)
		assert_true(receive(ring, received++));
	assert_false(receive(ring, received));
	assert_false(ring_is_over(ring));
	ring_close(ring);
	assert_true(ring_is_over(ring));
	ring_destroy(ring);
}

static void what_is_not_committed_is_not_there(void **state)
{
	size_t length;
	(void)state;
	struct ring *ring = ring_create(SIZE);
	assert_non_null(ring_reserve(ring, 100));
	assert_null(ring_peek(ring, &length));
	assert_true(send(ring, 5));
	assert_true(receive(ring, 5));
	assert_null(ring_peek(ring, &length));
	assert_null(ring_reserve(ring, 0));
	assert_null(ring_reserve(ring, ring_message_max(ring) + 1));
	for (int i = 0; i < 100; i++) { // wherever the ring's end is
		assert_non_null(ring_reserve(ring, ring_message_max(ring)));
		ring_commit(ring);
		assert_non_null(ring_peek(ring, &length));
		assert_int_equal(length, ring_message_max(ring));
		ring_release(ring);
		assert_true(send(ring, 1));
		assert_true(receive(ring, 1));
	}
	ring_destroy(ring);
}

static void *write_all(void *context)
{
	struct ring *ring = context;
	for (uint32_t i = 0; i < MESSAGES; i++)
		while (!send(ring, i))
			sched_yield();
	ring_close(ring);
	return NULL;
}

static void between_threads(void **state)
{
	pthread_t writer;
	uint32_t received = 0;
	(void)state;
	struct ring *ring = ring_create(SIZE);
	assert_int_equal(pthread_create(&writer, NULL, write_all, ring), 0);
	while (!ring_is_over(ring)) {
		if (receive(ring, received))
			received++;
		else
			sched_yield();
	}
	assert_int_equal(received, MESSAGES);
	pthread_join(writer, NULL);
	ring_destroy(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(filled_and_emptied),
	    cmocka_unit_test(what_is_not_committed_is_not_there),
	    cmocka_unit_test(between_threads),
	};
	return cmocka_run_group_tests_name("ring", tests, NULL, NULL);
}
