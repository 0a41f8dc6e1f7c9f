// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/judging_budget.h"

static int64_t work_of(size_t bytes, unsigned key_bits, size_t count)
{
	struct certificate one = {.facts = {.der = {NULL, bytes}, .key_bits = key_bits}};
	const struct certificate *sent[8];
	assert_true(count <= 8);
	for (size_t i = 0; i < count; i++)
		sent[i] = &one;
	return judging_work(sent, count);
}

static void work_grows_with_bytes_and_keys(void **state)
{
	(void)state;
	assert_int_equal(work_of(1000, 2048, 1), 4);
	assert_int_equal(work_of(2048, 256, 4), 64);
	assert_int_equal(work_of(200 << 10, 0, 1), 40000);
	assert_int_equal(work_of(0, 16384, 2), 512);
	assert_int_equal(work_of(0, 100000, 2), 512); // OpenSSL does not use it
}

// What mail servers show is far below what counts, however often it comes.
static void ordinary_lists_are_free(void **state)
{
	struct judging_budget budget = judging_budget_full();
	(void)state;
	for (int i = 0; i < 1000000; i++)
		assert_true(judging_budget_spend(&budget, work_of(3000, 4096, 4)));
	assert_true(judging_budget_spend(&budget, JUDGING_WORK_FREE));
	assert_int_equal(budget.left, JUDGING_WORK_MAX);
}

static void what_is_spent_comes_back(void **state)
{
	enum { NOW = 1700000000 };
	struct judging_budget budget = judging_budget_full();
	(void)state;
	judging_budget_tell_time(&budget, NOW);
	for (int i = 0; i < 10; i++)
		assert_true(judging_budget_spend(&budget, 40000));
	assert_false(judging_budget_spend(&budget, 40000));
	assert_true(judging_budget_spend(&budget, JUDGING_WORK_FREE)); // others are not hurt
	judging_budget_tell_time(&budget, NOW);
	assert_false(judging_budget_spend(&budget, 40000));
	judging_budget_tell_time(&budget, NOW + 1);
	assert_true(judging_budget_spend(&budget, 40000));
	assert_false(judging_budget_spend(&budget, 40000));
	judging_budget_tell_time(&budget, NOW + 1000000);
	assert_int_equal(budget.left, JUDGING_WORK_MAX);
}

// Sessions come in the order of their ends, and captures in any.
static void time_that_goes_back_gives_nothing(void **state)
{
	enum { NOW = 1700000000, DAYS = 10 * 86400 };
	struct judging_budget budget = judging_budget_full();
	(void)state;
	judging_budget_tell_time(&budget, NOW);
	assert_true(judging_budget_spend(&budget, JUDGING_WORK_MAX));
	for (int i = 0; i < 100; i++) {
		judging_budget_tell_time(&budget, NOW - 3600);
		judging_budget_tell_time(&budget, NOW);
	}
	assert_int_equal(budget.left, 0);
	judging_budget_tell_time(&budget, NOW - DAYS);
	assert_int_equal(budget.left, 0);
	judging_budget_tell_time(&budget, NOW - DAYS + 2);
	assert_int_equal(budget.left, 2 * JUDGING_WORK_SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(work_grows_with_bytes_and_keys),
	    cmocka_unit_test(ordinary_lists_are_free),
	    cmocka_unit_test(what_is_spent_comes_back),
	    cmocka_unit_test(time_that_goes_back_gives_nothing),
	};
	return cmocka_run_group_tests_name("judging_budget", tests, NULL, NULL);
}
