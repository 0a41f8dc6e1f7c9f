// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/server_memory_saver.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BEGAN = 1700000000 };

static void saved_every_so_often(void **state)
{
	struct server_memory_saver saver = server_memory_saver_begin(NULL, "x", BEGAN);
	(void)state;
	assert_false(server_memory_saver_is_due(&saver, BEGAN));
	assert_false(server_memory_saver_is_due(&saver, BEGAN + MEMORY_SAVED_EVERY - 1));
	assert_true(server_memory_saver_is_due(&saver, BEGAN + MEMORY_SAVED_EVERY));
	saver.pause = 1000; // the last time took ten seconds
	assert_false(server_memory_saver_is_due(&saver, BEGAN + 999));
	assert_true(server_memory_saver_is_due(&saver, BEGAN + 1000));
}

static void clocks_put_back(void **state)
{
	struct server_memory_saver saver = server_memory_saver_begin(NULL, "x", BEGAN);
	(void)state;
	assert_false(server_memory_saver_is_due(&saver, BEGAN - 86400));
	assert_true(server_memory_saver_is_due(&saver, BEGAN - 86400 + MEMORY_SAVED_EVERY));
}

static void without_a_file_nothing_is_saved(void **state)
{
	struct server_memory_saver saver = server_memory_saver_begin(NULL, NULL, BEGAN);
	(void)state;
	assert_false(server_memory_saver_is_due(&saver, BEGAN + 1000000));
}

// Told once, and tried again.
static void where_it_cannot_be_saved(void **state)
{
	const struct server_memory_options usual = {0};
	struct server_memory *servers = server_memory_create(&usual);
	char folder[] = "/tmp/saver-XXXXXX", path[PATH_MAX];
	struct error error;
	time_t now = BEGAN;
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/servers", folder);
	assert_int_equal(rmdir(folder), 0);
	struct server_memory_saver saver = server_memory_saver_begin(servers, path, now);
	assert_true(server_memory_saver_turn(&saver, now, &error));
	assert_false(server_memory_saver_turn(&saver, now += MEMORY_SAVED_EVERY, &error));
	assert_true(server_memory_saver_turn(&saver, now += MEMORY_SAVED_EVERY, &error));
	assert_non_null(mkdtemp(memcpy(folder, "/tmp/saver-XXXXXX", sizeof folder)));
	snprintf(path, sizeof path, "%s/servers", folder);
	assert_true(server_memory_saver_turn(&saver, now += MEMORY_SAVED_EVERY, &error));
	assert_false(saver.failed);
	assert_int_equal(access(path, R_OK), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	server_memory_destroy(servers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(saved_every_so_often),
	    cmocka_unit_test(clocks_put_back),
	    cmocka_unit_test(without_a_file_nothing_is_saved),
	    cmocka_unit_test(where_it_cannot_be_saved),
	};
	return cmocka_run_group_tests_name("server_memory_saver", tests, NULL, NULL);
}
