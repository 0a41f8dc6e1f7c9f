// SPDX-License-Identifier: Apache-2.0
// Logs: whole and in order, and an error line instead of silence wherever they cannot be written.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/log_file.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], path[PATH_MAX], inner[PATH_MAX + 16];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/log_file.XXXXXX");
	signal(SIGPIPE, SIG_IGN);
	return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static struct log_file *create(const char *directory, const char *name, struct error *error)
{
	static const struct log_policy plain = {.keep = false};
	return log_directory_make(directory, error)
	           ? log_file_create(directory, name, &plain, error)
	           : NULL;
}

static size_t file_size(const char *name)
{
	struct stat status;
	assert_int_equal(stat(name, &status), 0);
	return (size_t)status.st_size;
}

static void lines_arrive_whole_and_in_order(void **state)
{
	enum { LINES = 100000, LENGTH = 12 };
	struct error error = {""};
	char line[32];
	(void)state;
	snprintf(path, sizeof path, "%s/a/b//c", root);
	struct log_file *file = create(path, "log", &error);
	assert_non_null(file);
	for (int i = 0; i < LINES; i++) {
		snprintf(line, sizeof line, "line %06d\n", i);
		assert_true(log_file_add(file, line, LENGTH, &error));
	}
	assert_true(log_file_close(file, &error));
	snprintf(inner, sizeof inner, "%s/log.jsonl", path);
	assert_int_equal(file_size(inner), LINES * LENGTH);
	FILE *again = fopen(inner, "r");
	for (int i = 0; i < LINES; i++) {
		char read[32];
		snprintf(line, sizeof line, "line %06d\n", i);
		assert_non_null(fgets(read, sizeof read, again));
		assert_string_equal(read, line);
	}
	fclose(again);
}

static void a_file_that_exists_is_emptied(void **state)
{
	struct error error = {""};
	(void)state;
	for (int round = 0; round < 2; round++) {
		struct log_file *file = create(root, "again", &error);
		assert_true(log_file_add(file, "long enough", round == 0 ? 11 : 4, &error));
		assert_true(log_file_close(file, &error));
	}
	snprintf(path, sizeof path, "%s/again.jsonl", root);
	assert_int_equal(file_size(path), 4);
}

static void text_larger_than_the_block(void **state)
{
	enum { LENGTH = 3000001 };
	static char text[LENGTH];
	struct error error = {""};
	(void)state;
	memset(text, 'x', LENGTH);
	struct log_file *file = create(root, "large", &error);
	assert_true(log_file_add(file, text, LENGTH, &error));
	assert_true(log_file_close(file, &error));
	snprintf(path, sizeof path, "%s/large.jsonl", root);
	assert_int_equal(file_size(path), LENGTH);
}

static void a_full_disk_is_told(void **state)
{
	static char text[300000];
	struct error error = {""};
	(void)state;
	struct log_file *file = log_file_at("/dev/full", &error);
	assert_non_null(file);
	assert_true(log_file_add(file, "a", 1, &error)); // still collected
	assert_false(log_file_close(file, &error));
	assert_non_null(strstr(error.text, "/dev/full"));
	assert_non_null(strstr(error.text, "No space"));

	file = log_file_at("/dev/full", &error);
	error.text[0] = '\0';
	assert_false(log_file_add(file, text, sizeof text, &error));
	assert_non_null(strstr(error.text, "No space"));
	assert_false(log_file_tick(file, time(NULL), &error)); // it stays failed, and that is told once
	assert_string_equal(error.text, "");
	strcpy(error.text, "?");
	assert_false(log_file_close(file, &error));
	assert_string_equal(error.text, "");
}

static void a_closed_pipe_is_told(void **state)
{
	int ends[2];
	struct error error = {""};
	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
	struct log_file *file = log_file_at(path, &error);
	assert_non_null(file);
	close(ends[0]);
	close(ends[1]);
	assert_true(log_file_add(file, "a\n", 2, &error));
	assert_false(log_file_close(file, &error));
	assert_non_null(strstr(error.text, "its reader has gone"));
}

static void what_cannot_be_opened_is_told(void **state)
{
	struct error error = {""};
	(void)state;
	assert_null(log_file_at(root, &error)); // a directory
	assert_non_null(strstr(error.text, root));
	snprintf(path, sizeof path, "%s/plain", root);
	struct log_file *file = log_file_at(path, &error);
	assert_true(log_file_close(file, &error));
	error.text[0] = '\0';
	assert_null(create(path, "log", &error)); // a file where a directory should be
	assert_non_null(strstr(error.text, "Not a directory"));
	snprintf(inner, sizeof inner, "%s/plain/deeper", root);
	error.text[0] = '\0';
	assert_null(create(inner, "log", &error));
	assert_non_null(strstr(error.text, inner));
	memset(path, 'x', sizeof path - 1);
	error.text[0] = '\0';
	assert_null(create(path, "log", &error));
	assert_string_not_equal(error.text, "");
	assert_true(log_file_close(NULL, &error));
}

static void others_cannot_read_it(void **state)
{
	struct stat status;
	struct error error = {""};
	(void)state;
	mode_t mask = umask(0);
	snprintf(path, sizeof path, "%s/private", root);
	assert_true(log_file_close(create(path, "log", &error), &error));
	umask(mask);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07, 0);
	snprintf(inner, sizeof inner, "%s/log.jsonl", path);
	assert_int_equal(stat(inner, &status), 0);
	assert_int_equal(status.st_mode & 0137, 0);
}

static void add(struct log_file *file, const char *line)
{
	struct error error;
	assert_true(log_file_add(file, line, strlen(line), &error));
}

static struct log_file *create_lasting(const char *directory, const char *name)
{
	static const struct log_policy lasting = {
	    .keep = true, .stay_up = true, .rotate_interval = 3600};
	struct error error;
	return log_file_create(directory, name, &lasting, &error);
}

static void what_was_moved_away_is_begun_anew(void **state)
{
	struct error error = {""};
	char aside[sizeof inner + 8];
	(void)state;
	snprintf(path, sizeof path, "%s/moved", root);
	assert_true(log_directory_make(path, &error));
	struct log_file *file = create_lasting(path, "log");
	snprintf(inner, sizeof inner, "%s/log.jsonl", path);
	snprintf(aside, sizeof aside, "%s.aside", inner);
	add(file, "one\n");
	assert_true(log_file_flush(file, &error));
	assert_int_equal(rename(inner, aside), 0);
	add(file, "another\n");
	assert_true(log_file_flush(file, &error));
	assert_int_equal(file_size(aside), 4);
	assert_int_equal(file_size(inner), 8);
	assert_int_equal(rename(inner, aside), 0);
	assert_true(log_file_rotate(file, &error)); // as who moves logs away asks for then
	assert_int_equal(file_size(inner), 0);
	assert_true(log_file_close(file, &error));
}

static void a_clock_put_back_delays_nothing(void **state)
{
	struct error error = {""};
	char away[sizeof path + 8];
	(void)state;
	snprintf(path, sizeof path, "%s/clock", root);
	snprintf(away, sizeof away, "%s.away", path);
	assert_true(log_directory_make(path, &error));
	struct log_file *file = create_lasting(path, "log");
	snprintf(inner, sizeof inner, "%s/log.jsonl", path);
	assert_int_equal(rename(path, away), 0);
	add(file, "lost\n");
	assert_true(log_file_flush(file, &error));
	assert_int_equal(log_file_lost(file), 1);
	assert_int_equal(rename(away, path), 0);
	time_t now = time(NULL) - 86400; // a day before it was tried
	assert_true(log_file_tick(file, now, &error));
	add(file, "kept\n");
	assert_true(log_file_tick(file, now, &error));
	assert_int_equal(file_size(inner), 5);
	assert_true(log_file_tick(file, now + 3600, &error)); // the next hour by that clock
	assert_true(log_file_was_rotated(file));
	assert_int_equal(file_size(inner), 0);
	assert_false(log_file_close(file, &error));
	assert_non_null(strstr(error.text, "1 records were lost"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_arrive_whole_and_in_order),
	    cmocka_unit_test(a_file_that_exists_is_emptied),
	    cmocka_unit_test(text_larger_than_the_block),
	    cmocka_unit_test(a_full_disk_is_told),
	    cmocka_unit_test(a_closed_pipe_is_told),
	    cmocka_unit_test(what_cannot_be_opened_is_told),
	    cmocka_unit_test(others_cannot_read_it),
	    cmocka_unit_test(what_was_moved_away_is_begun_anew),
	    cmocka_unit_test(a_clock_put_back_delays_nothing),
	};
	return cmocka_run_group_tests_name("log_file", tests, make_root, remove_root);
}
