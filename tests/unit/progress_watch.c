// SPDX-License-Identifier: Apache-2.0
// Whether all get on: one that stands still is noticed, one that waits is not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/progress_watch.h"

static struct progress_watch watch;

static void every_loop_counts(void **state)
{
	struct watched_loop *loops[3];
	(void)state;
	watch = (struct progress_watch){.loop_count = 0};
	assert_true(progress_watch_all(&watch)); // nobody stands still
	for (int i = 0; i < 3; i++)
		loops[i] = progress_watch_add(&watch);
	assert_false(progress_watch_all(&watch));
	for (int i = 0; i < 3; i++) {
		assert_false(progress_watch_all(&watch));
		watched_turn(loops[i]);
	}
	assert_true(progress_watch_all(&watch));
	assert_false(progress_watch_all(&watch)); // nobody went on since
	watched_turn(loops[0]);
	watched_turn(loops[0]);
	watched_turn(loops[2]);
	assert_false(progress_watch_all(&watch));
	watched_waits(loops[1], true);
	assert_true(progress_watch_all(&watch));
	watched_waits(loops[1], false);
	watched_turn(loops[0]);
	watched_turn(loops[2]);
	assert_false(progress_watch_all(&watch));
	watched_turn(loops[1]);
	assert_true(progress_watch_all(&watch));
}

static void too_many_are_not_watched(void **state)
{
	(void)state;
	watch = (struct progress_watch){.loop_count = 0};
	for (int i = 0; i < WATCHED_LOOPS_MAX; i++)
		watched_turn(progress_watch_add(&watch));
	assert_null(progress_watch_add(&watch));
	assert_null(progress_watch_add(NULL));
	watched_turn(NULL);
	watched_waits(NULL, true);
	assert_true(progress_watch_all(&watch));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_loop_counts),
	    cmocka_unit_test(too_many_are_not_watched),
	};
	return cmocka_run_group_tests_name("progress_watch", tests, NULL, NULL);
}
