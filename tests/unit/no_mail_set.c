// SPDX-License-Identifier: Apache-2.0
// The memory of what was given up: whole hashes, one in each place, bounded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/no_mail_set.h"

enum { BUDGET = 8 << 20, PLACES = BUDGET / 128 / 8 };

static void only_whole_hashes_are_known(void **state)
{
	(void)state;
	struct no_mail_set *set = no_mail_set_create(BUDGET);
	const uint64_t hash = 0x123456789abcdef0, same_place = hash ^ (uint64_t)1 << 63;
	assert_false(no_mail_set_has(set, hash));
	assert_false(no_mail_set_has(set, 0));
	no_mail_set_add(set, hash);
	no_mail_set_prefetch(set, hash);
	assert_true(no_mail_set_has(set, hash));
	assert_false(no_mail_set_has(set, same_place));
	no_mail_set_remove(set, same_place);
	assert_true(no_mail_set_has(set, hash));
	no_mail_set_add(set, same_place);
	assert_false(no_mail_set_has(set, hash));
	no_mail_set_remove(set, same_place);
	assert_false(no_mail_set_has(set, same_place));
	no_mail_set_destroy(set);
	no_mail_set_destroy(NULL);
}

static void it_holds_as_many_as_the_budget_says(void **state)
{
	(void)state;
	struct no_mail_set *set = no_mail_set_create(BUDGET);
	for (uint64_t hash = 1; hash <= 2 * PLACES; hash++)
		no_mail_set_add(set, hash);
	size_t known = 0;
	for (uint64_t hash = 1; hash <= 2 * PLACES; hash++)
		known += no_mail_set_has(set, hash);
	assert_int_equal(known, PLACES);
	no_mail_set_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_whole_hashes_are_known),
	    cmocka_unit_test(it_holds_as_many_as_the_budget_says),
	};
	return cmocka_run_group_tests_name("no_mail_set", tests, NULL, NULL);
}
