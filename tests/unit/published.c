// SPDX-License-Identifier: Apache-2.0
// Pages from the thread that has the figures to the one that is asked: made when asked for, never older than
// the question, whole for as long as somebody reads them; and whether the thread still turns.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/published.h"
#include "capture/base/monotonic.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUESTIONS = 300, LENGTH = 5000 };
#define KIND PUBLISHED_METRICS

// A text that tells where it is torn: one number over and over.
static char *text_of(uint64_t number, size_t length)
{
	char *text = malloc(length);
	assert_non_null(text);
	for (size_t i = 0; i + sizeof number <= length; i += sizeof number)
		memcpy(text + i, &number, sizeof number);
	return text;
}

static uint64_t number_in(const struct published_page *page)
{
	uint64_t first, other;
	memcpy(&first, page->text, sizeof first);
	for (size_t i = 0; i + sizeof other <= page->length; i += sizeof other) {
		memcpy(&other, page->text + i, sizeof other);
		assert_int_equal(other, first);
	}
	return first;
}

static bool readable(const struct published *published)
{
	struct pollfd poll_for = {.fd = published_descriptor(published), .events = POLLIN};
	return poll(&poll_for, 1, 0) == 1;
}

static bool turned(struct published *published)
{
	enum published_kind kind = PUBLISHED_KINDS;
	bool asked = published_turn(published, &kind);
	assert_true(kind == (asked ? KIND : PUBLISHED_KINDS));
	return asked;
}

static void turn_until_asked(struct published *published)
{
	while (!turned(published))
		sched_yield();
}

static void made_only_when_asked(void **state)
{
	struct error error;
	(void)state;
	struct published *published = published_create(&error);
	assert_non_null(published);
	for (int i = 0; i < 100; i++)
		assert_false(turned(published));
	assert_null(published_page(published, KIND));
	assert_false(readable(published));
	for (uint64_t number = 1; number < 4; number++) {
		uint64_t asked = published_ask(published, KIND);
		assert_int_equal(asked, number);
		assert_int_equal(published_ask(published, KIND), number); // one page for both
		turn_until_asked(published);
		assert_false(turned(published));
		published_put(published, KIND, text_of(number, LENGTH), LENGTH);
		assert_true(readable(published));
		published_clear(published);
		assert_false(readable(published));
		const struct published_page *page = published_page(published, KIND);
		assert_non_null(page);
		assert_int_equal(page->number, asked);
		assert_int_equal(page->length, LENGTH);
		assert_int_equal(number_in(page), number);
		published_release(page);
	}
	published_destroy(published);
	published_destroy(NULL);
}

// Who asks while a page is being made needs the next one: this one may have been begun before.
static void not_older_than_the_question(void **state)
{
	struct error error;
	(void)state;
	struct published *published = published_create(&error);
	uint64_t first = published_ask(published, KIND);
	turn_until_asked(published);
	uint64_t second = published_ask(published, KIND);
	assert_int_equal(second, first + 1);
	published_put(published, KIND, text_of(1, LENGTH), LENGTH);
	const struct published_page *page = published_page(published, KIND);
	assert_true(page->number >= first && page->number < second);
	turn_until_asked(published);
	published_put(published, KIND, text_of(2, LENGTH), LENGTH);
	assert_int_equal(number_in(page), 1); // it is held
	const struct published_page *next = published_page(published, KIND);
	assert_int_equal(next->number, second);
	published_release(page);
	published_release(next);
	published_destroy(published);
}

static void what_could_not_be_made(void **state)
{
	struct error error;
	(void)state;
	struct published *published = published_create(&error);
	published_ask(published, KIND);
	turn_until_asked(published);
	published_put(published, KIND, NULL, 0);
	assert_null(published_page(published, KIND));
	published_ask(published, KIND);
	turn_until_asked(published);
	published_put(published, KIND, text_of(7, LENGTH), LENGTH);
	const struct published_page *page = published_page(published, KIND);
	assert_int_equal(number_in(page), 7);
	published_release(page);
	published_destroy(published);
}

// The next page waits for nine times as long as the last one took.
static void no_more_than_a_tenth_of_its_time(void **state)
{
	struct error error;
	(void)state;
	struct published *published = published_create(&error);
	published_ask(published, KIND);
	turn_until_asked(published);
	int64_t begun = monotonic_now();
	while (monotonic_now() - begun < 5000000)
		sched_yield();
	published_put(published, KIND, text_of(1, LENGTH), LENGTH);
	published_ask(published, KIND);
	turn_until_asked(published);
	assert_true(monotonic_now() - begun >= 50000000);
	published_put(published, KIND, text_of(2, LENGTH), LENGTH);
	published_destroy(published);
}

static void stages_and_silence(void **state)
{
	struct error error;
	(void)state;
	struct published *published = published_create(&error);
	assert_int_equal(published_stage(published), STAGE_STARTING);
	published_set_stage(published, STAGE_READING);
	assert_int_equal(published_stage(published), STAGE_READING);
	assert_int_equal(published_silence(published), 0);
	int64_t before = monotonic_now();
	turned(published);
	while (monotonic_now() - before < 2000000)
		sched_yield();
	nanoseconds silence = published_silence(published);
	assert_true(silence > 0 && silence <= monotonic_now() - before);
	published_rest(published);
	assert_int_equal(published_silence(published), 0);
	published_destroy(published);
}

// Each kind has its own pages, and none waits for another that is asked for all the time.
static void one_kind_beside_the_other(void **state)
{
	struct error error;
	enum published_kind kind;
	(void)state;
	struct published *published = published_create(&error);
	for (unsigned i = 0; i < PUBLISHED_KINDS; i++)
		assert_int_equal(published_ask(published, (enum published_kind)i), 1);
	for (unsigned made = 0; made < PUBLISHED_KINDS; made++) {
		while (!published_turn(published, &kind))
			sched_yield();
		published_put(published, kind, text_of(kind, LENGTH), LENGTH);
		published_ask(published, kind);
	}
	for (unsigned i = 0; i < PUBLISHED_KINDS; i++) {
		const struct published_page *page =
		    published_page(published, (enum published_kind)i);
		assert_non_null(page);
		assert_int_equal(number_in(page), i);
		assert_int_equal(page->number, 1);
		published_release(page);
	}
	published_destroy(published);
}

/* ---- between threads ---- */

struct figures {
	struct published *published;
	_Atomic uint64_t number; // what a page made now would say
	atomic_bool over;
};

static void *turn(void *context)
{
	struct figures *figures = context;
	while (!atomic_load(&figures->over)) {
		atomic_fetch_add(&figures->number, 1);
		if (turned(figures->published))
			published_put(figures->published, KIND,
			    text_of(atomic_load(&figures->number), LENGTH), LENGTH);
		else
			sched_yield();
	}
	return NULL;
}

static void between_threads(void **state)
{
	struct error error;
	struct figures figures = {.published = published_create(&error)};
	pthread_t thread;
	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, turn, &figures), 0);
	for (int i = 0; i < QUESTIONS; i++) {
		uint64_t at_least = atomic_load(&figures.number);
		uint64_t asked = published_ask(figures.published, KIND);
		const struct published_page *page = published_page(figures.published, KIND);
		while (page == NULL || page->number < asked) {
			struct pollfd poll_for = {
			    .fd = published_descriptor(figures.published), .events = POLLIN};
			if (page != NULL)
				published_release(page);
			poll(&poll_for, 1, -1);
			published_clear(figures.published);
			page = published_page(figures.published, KIND);
		}
		assert_true(number_in(page) >= at_least);
		published_release(page);
	}
	atomic_store(&figures.over, true);
	pthread_join(thread, NULL);
	published_destroy(figures.published);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(made_only_when_asked),
	    cmocka_unit_test(not_older_than_the_question),
	    cmocka_unit_test(what_could_not_be_made),
	    cmocka_unit_test(no_more_than_a_tenth_of_its_time),
	    cmocka_unit_test(stages_and_silence),
	    cmocka_unit_test(one_kind_beside_the_other),
	    cmocka_unit_test(between_threads),
	};
	return cmocka_run_group_tests_name("published", tests, NULL, NULL);
}
