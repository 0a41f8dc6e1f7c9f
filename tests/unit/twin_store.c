// SPDX-License-Identifier: Apache-2.0
// Two copies of a connection find each other, and nothing is held for ever.
#include "tests/unit/evidence_lab.h"

#include "analytics/twin_store.h"

#include <string.h>

static struct evidence_lab lab;
static struct twin_store *store;

static int begin(void **state)
{
	(void)state;
	evidence_lab_begin(&lab);
	evidence_lab_text(&lab, &lab.session.server_banner, "220 here");
	lab.record.tap_point = 1;
	lab.record.twin_live = true;
	store = twin_store_create();
	return 0;
}

static int end(void **state)
{
	(void)state;
	twin_store_destroy(store);
	evidence_lab_end(&lab);
	return 0;
}

static void hold(void)
{
	const struct session_record *released;
	assert_true(twin_store_hold(store, &lab.record, &released));
	assert_null(released);
}

static void twins_find_each_other(void **state)
{
	(void)state;
	hold();
	assert_null(twin_store_take(store, &lab.record)); // itself
	lab.record.tap_point = 2;
	evidence_lab_text(&lab, &lab.session.server_banner, "220 there");
	const struct session_record *twin = twin_store_take(store, &lab.record);
	assert_non_null(twin);
	assert_memory_equal(twin->session->server_banner->bytes, "220 here", 8);
	assert_null(twin_store_take(store, &lab.record));
	assert_null(twin_store_drain(store));
}

static void others_are_no_twins(void **state)
{
	(void)state;
	hold();
	lab.record.tap_point = 2;
	lab.record.port[FROM_CLIENT]++;
	assert_null(twin_store_take(store, &lab.record));
	lab.record.port[FROM_CLIENT]--;
	lab.record.start += SECONDS(100); // the ports were used again
	lab.record.end += SECONDS(100);
	assert_null(twin_store_take(store, &lab.record));
	assert_non_null(twin_store_drain(store));
}

static void the_oldest_gives_way(void **state)
{
	const struct session_record *released;
	(void)state;
	for (int i = 0; i < TWINS_HELD_MAX; i++) {
		lab.record.port[FROM_CLIENT] = (uint16_t)i;
		hold();
	}
	lab.record.port[FROM_CLIENT] = 60000;
	assert_true(twin_store_hold(store, &lab.record, &released));
	assert_non_null(released);
	assert_int_equal(released->port[FROM_CLIENT], 0);
	int count = 0;
	while (twin_store_drain(store) != NULL)
		count++;
	assert_int_equal(count, TWINS_HELD_MAX);
}

static void the_copy_that_tells_more(void **state)
{
	struct session_record other = lab.record;
	(void)state;
	other.start++;
	assert_ptr_equal(twin_better(&other, &lab.record), &lab.record);
	lab.record.missing[FROM_SERVER] = 1;
	assert_ptr_equal(twin_better(&other, &lab.record), &other);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    ROW(twins_find_each_other),
	    ROW(others_are_no_twins),
	    ROW(the_oldest_gives_way),
	    ROW(the_copy_that_tells_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
