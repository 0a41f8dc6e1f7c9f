// SPDX-License-Identifier: Apache-2.0
// Logs that are put aside: no line is lost, doubled or split, nothing is ever written over, and what cannot
// be written is counted and tried again.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/log_directory.h"
#include "analytics/log_compress.h"
#include "analytics/log_name.h"
#include "analytics/session_log.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOBODY = 65534 };

static char root[64], path[PATH_MAX];
static struct error told; // last
static int times_told;

static void hear(const struct error *what)
{
	told = *what;
	times_told++;
}

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof root, "/tmp/log_directory.XXXXXX");
	signal(SIGXFSZ, SIG_IGN);
	times_told = 0;
	told.text[0] = '\0';
	return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
	char command[128];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", root);
	return system(command);
}

static const char *in_root(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", root, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(in_root(name), "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static size_t size_of(const char *name)
{
	struct stat status;
	return stat(in_root(name), &status) == 0 ? (size_t)status.st_size : 0;
}

/* ---- numbered lines, written and read back ---- */

static void add_lines(struct log_file *log, unsigned from, unsigned until)
{
	struct error error;
	char line[32];
	for (unsigned i = from; i < until; i++) {
		snprintf(line, sizeof line, "{\"line\":%08u}\n", i);
		assert_true(log_file_add(log, line, strlen(line), &error));
	}
}

struct found {
	unsigned next, files;
	bool wrong;
};

static enum log_line take_line(void *context, const char *line, size_t length)
{
	struct found *found = context;
	char expected[32];
	snprintf(expected, sizeof expected, "{\"line\":%08u}", found->next);
	found->wrong |= length != strlen(expected) || memcmp(line, expected, length) != 0;
	found->next++;
	return LOG_LINE_TAKEN;
}

static void take_file(
    void *context, const char *name, const struct log_counters *counters, const struct error *error)
{
	struct found *found = context;
	(void)name;
	found->files++;
	found->wrong |= error != NULL || counters->torn || counters->damaged > 0;
}

static struct found read_back(void)
{
	struct found found = {0};
	size_t files = log_read_series(root, "sessions", take_line, take_file, &found);
	assert_int_equal(files, found.files);
	assert_false(found.wrong);
	return found;
}

static struct log_directory *open_directory(const struct log_policy *policy)
{
	struct error error = {""};
	struct log_directory *directory = log_directory_open(root, policy, &error);
	assert_non_null(directory);
	return directory;
}

static struct log_file *open_log(struct log_directory *directory)
{
	struct error error = {""};
	struct log_file *log = log_directory_log(directory, "sessions", &error);
	assert_non_null(log);
	return log;
}

static void close_all(struct log_directory *directory, struct log_file *log)
{
	struct error error = {""};
	assert_true(log_directory_close_log(directory, log, &error));
	log_directory_close(directory);
}

// The sizes of what was put aside; returns how many there are.
static size_t listed(struct log_listing *listing)
{
	struct error error = {""};
	assert_true(log_listing_read(listing, root, "sessions", &error));
	return listing->count;
}

/* ---- tests ---- */

static void names_are_read_as_they_are_written(void **state)
{
	struct log_name name = log_name_of(1795748400, 0, false), read;
	char text[LOG_NAME_SIZE];
	(void)state;
	log_name_text(text, "sessions", &name);
	assert_string_equal(text, "sessions-2026-11-27T03-00-00Z.jsonl");
	assert_true(log_name_read(&read, "sessions", text));
	assert_false(log_name_read(&read, "session", text));
	assert_false(log_name_read(&read, "alerts", text));
	name = log_name_of(1795748400, 12, true);
	log_name_text(text, "alerts", &name);
	assert_string_equal(text, "alerts-2026-11-27T03-00-00Z-12.jsonl.zst");
	assert_true(log_name_read(&read, "alerts", text));
	assert_int_equal(read.number, 12);
	assert_true(read.packed);
	static const char *const others[] = {"sessions.jsonl", "sessions-.jsonl", "sessions",
	    "sessions-2026-11-27T03-00-00.jsonl", "sessions-2026-11-27T03-00-00Z",
	    "sessions-2026-11-27T03-00-00Z.jsonl.zst.new", "sessions-2026-11-27T03-00-00Z.jsonl~",
	    "sessions-2026-11-27T03-00-00Z-0.jsonl", "sessions-2026-11-27T03-00-00Z--1.jsonl",
	    "sessions-2026-11-27T03-00-00Z-1x.jsonl", "sessions-2026-11-27T03-00-00Z-+1.jsonl",
	    "sessions-2026-11-27T03-00-00Z-99999999999999999999.jsonl"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(log_name_read(&read, "sessions", others[i]));
}

static void a_listing_is_in_order_and_has_each_once(void **state)
{
	static const char *const files[] = {"sessions-2026-11-27T03-00-00Z-10.jsonl.zst",
	    "sessions-2026-11-27T03-00-00Z-2.jsonl", "sessions-2026-11-27T03-00-00Z.jsonl",
	    "sessions-2025-01-01T00-00-00Z.jsonl.zst", "sessions-2026-11-27T03-00-00Z.jsonl.zst",
	    "alerts-2026-11-27T03-00-00Z.jsonl", "sessions.jsonl"};
	struct log_listing listing;
	char text[LOG_NAME_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		put(files[i], "");
	assert_int_equal(listed(&listing), 4);
	static const size_t order[] = {3, 2, 1, 0};
	for (size_t i = 0; i < 4; i++) {
		log_name_text(text, "sessions", &listing.names[i]);
		assert_string_equal(text, files[order[i]]);
	}
	log_listing_free(&listing);
	struct error error = {""};
	assert_false(log_listing_read(&listing, "/nonexistent", "sessions", &error));
	assert_non_null(strstr(error.text, "/nonexistent"));
}

static void size_splits_no_line_and_loses_none(void **state)
{
	enum { LINES = 20000, SIZE = 30001 };
	const struct log_policy policy = {.keep = true, .rotate_size = SIZE, .tell = hear};
	struct log_listing listing;
	char text[LOG_NAME_SIZE];
	(void)state;
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	add_lines(log, 0, LINES);
	close_all(directory, log);
	assert_int_equal(read_back().next, LINES);
	assert_in_range(listed(&listing), LINES * 18 / SIZE, LINES);
	for (size_t i = 0; i < listing.count; i++) {
		log_name_text(text, "sessions", &listing.names[i]);
		assert_in_range(size_of(text), SIZE - 18, SIZE);
	}
	log_listing_free(&listing);
	assert_int_equal(times_told, 0);
}

static void a_line_longer_than_the_limit_has_a_log_for_itself(void **state)
{
	static char text[600001];
	const struct log_policy policy = {.keep = true, .rotate_size = 1000, .tell = hear};
	struct error error = {""};
	struct log_listing listing;
	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\n';
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	for (int i = 0; i < 3; i++)
		assert_true(log_file_add(log, text, sizeof text, &error));
	close_all(directory, log);
	assert_int_equal(listed(&listing), 2);
	assert_int_equal(size_of("sessions.jsonl"), sizeof text);
	log_listing_free(&listing);
}

static void what_is_there_is_kept_but_for_a_torn_line(void **state)
{
	const struct log_policy policy = {.keep = true, .tell = hear};
	(void)state;
	put("sessions.jsonl", "{\"line\":00000000}\n{\"line\":00000001}\n{\"line\":0000");
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	assert_int_equal(times_told, 1);
	assert_non_null(strstr(told.text, "its 12 bytes were cut off"));
	add_lines(log, 2, 10);
	close_all(directory, log);
	assert_int_equal(read_back().next, 10);
	// Nothing but a piece of a line, and longer than what is read at a time.
	static char piece[700000];
	memset(piece, 'x', sizeof piece - 1);
	put("sessions.jsonl", piece);
	directory = open_directory(&policy);
	log = open_log(directory);
	assert_int_equal(times_told, 2);
	add_lines(log, 0, 3);
	close_all(directory, log);
	assert_int_equal(read_back().next, 3);
}

static void without_being_kept_it_is_replaced(void **state)
{
	const struct log_policy policy = {.tell = hear};
	(void)state;
	put("sessions.jsonl", "{\"line\":0000");
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	add_lines(log, 0, 3);
	close_all(directory, log);
	assert_int_equal(read_back().next, 3);
	assert_int_equal(times_told, 0);
}

static void nothing_is_written_over(void **state)
{
	const struct log_policy policy = {.keep = true, .tell = hear};
	struct error error = {""};
	struct log_listing listing;
	char text[LOG_NAME_SIZE];
	(void)state;
	// Whatever name it would take, it is taken already.
	time_t now = time(NULL);
	for (time_t at = now - 1; at < now + 30; at++)
		for (unsigned number = 0; number < 3; number++) {
			struct log_name name = log_name_of(at, number, number == 1);
			log_name_text(text, "sessions", &name);
			put(text, "");
		}
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	for (unsigned i = 0; i < 5; i++) {
		add_lines(log, 100 * i, 100 * i + 100);
		assert_true(log_directory_rotate(directory, &error));
		assert_true(log_directory_rotate(directory, &error)); // nothing is in it: it stays
	}
	close_all(directory, log);
	assert_int_equal(listed(&listing), 31 * 3 + 5);
	log_listing_free(&listing);
	assert_int_equal(times_told, 0);
}

static void time_puts_aside(void **state)
{
	const struct log_policy policy = {.keep = true, .rotate_interval = 3600, .tell = hear};
	struct error error = {""};
	struct log_listing listing;
	(void)state;
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	time_t now = time(NULL), next = now - now % 3600 + 3600;
	add_lines(log, 0, 10);
	assert_true(log_directory_tick(directory, next - 1, &error));
	assert_int_equal(
	    size_of("sessions.jsonl"), 10 * 18); // and does not wait for its block to fill
	assert_true(log_directory_tick(directory, next, &error));
	assert_int_equal(size_of("sessions.jsonl"), 0);
	assert_true(log_directory_tick(directory, next + 3600, &error)); // nothing is in it
	add_lines(log, 10, 20);
	close_all(directory, log);
	assert_int_equal(listed(&listing), 1);
	log_listing_free(&listing);
	assert_int_equal(read_back().next, 20);
}

static void old_logs_are_compressed_and_counted(void **state)
{
	const struct log_policy policy = {
	    .keep = true, .rotate_size = 100, .compress = true, .rotate_keep = 4, .tell = hear};
	struct log_listing listing;
	(void)state;
	if (!log_compress_can())
		skip();
	// What a run that was killed left behind: half compressed, and compressed but not removed.
	put("sessions-2020-01-01T00-00-00Z.jsonl", "{\"line\":00000000}\n");
	put("sessions-2020-01-01T00-00-00Z.jsonl.zst.new", "half");
	put("sessions-2020-01-01T00-00-01Z.jsonl", "{\"line\":00000001}\n");
	put("sessions-2020-01-01T00-00-01Z.jsonl.zst", "whatever");
	struct log_directory *directory = open_directory(&policy);
	log_directory_close(directory);
	assert_int_equal(size_of("sessions-2020-01-01T00-00-00Z.jsonl"), 0);
	assert_int_equal(read_back().next, 2);
	directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	add_lines(log, 2, 12); // five to a log
	close_all(directory, log);
	assert_int_equal(listed(&listing), 3);
	log_listing_free(&listing);
	assert_int_equal(read_back().next, 12);
	put("sessions-2020-01-01T00-00-00Z.jsonl.zst.new", "half"); // by a run that was killed
	directory = open_directory(&policy);
	log = open_log(directory);
	add_lines(log, 12, 22);
	close_all(directory, log);
	assert_int_equal(listed(&listing), 4); // one was removed, in all its forms
	assert_int_equal(size_of("sessions-2020-01-01T00-00-00Z.jsonl.zst.new"), 0);
	for (size_t i = 0; i < listing.count; i++)
		assert_true(listing.names[i].packed);
	log_listing_free(&listing);
	assert_int_equal(times_told, 0);
}

/* A log that is put aside, and even compressed, while all are read. */

static bool packed_meanwhile;

static void take_file_and_rotate(
    void *context, const char *name, const struct log_counters *counters, const struct error *error)
{
	static const char aside[] = "sessions-2026-11-27T03-00-00Z.jsonl";
	char from[PATH_MAX];
	struct found *found = context;
	take_file(context, name, counters, error);
	if (found->files > 1)
		return;
	snprintf(from, sizeof from, "%s/sessions.jsonl", root);
	assert_int_equal(rename(from, in_root(aside)), 0);
	if (packed_meanwhile)
		assert_int_equal(unlink(in_root(aside)), 0);
	put("sessions.jsonl", "{\"line\":99999999}\n");
}

static void what_is_read_is_what_was_there(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		struct found found = {0};
		packed_meanwhile = round == 1;
		put("sessions-2020-01-01T00-00-00Z.jsonl", "{\"line\":00000000}\n");
		put("sessions.jsonl", "{\"line\":00000001}\n{\"line\":00000002}\n");
		size_t files =
		    log_read_series(root, "sessions", take_line, take_file_and_rotate, &found);
		assert_int_equal(files, 2);
		assert_int_equal(found.next, 3);
		assert_false(found.wrong);
		(void)unlink(in_root("sessions-2026-11-27T03-00-00Z.jsonl"));
	}
}

// The log is a pipe here, so that what happens between its opening and the listing can be decided: it is put
// aside, compressed, and gone.
static void *put_aside_at_once(void *context)
{
	FILE *pipe = fopen(context, "w"); // once the other end is open
	assert_int_equal(unlink(context), 0);
	put("sessions-2026-11-27T03-00-00Z.jsonl", "{\"line\":00000000}\n");
	fputs("{\"line\":00000000}\n", pipe);
	fclose(pipe);
	return NULL;
}

static void what_is_gone_is_not_read_twice(void **state)
{
	char log[PATH_MAX];
	pthread_t thread;
	(void)state;
	snprintf(log, sizeof log, "%s/sessions.jsonl", root);
	assert_int_equal(mkfifo(log, 0600), 0);
	assert_int_equal(pthread_create(&thread, NULL, put_aside_at_once, log), 0);
	struct found found = read_back();
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(found.next, 1);
	assert_int_equal(found.files, 1);
}

static void one_run_at_a_time(void **state)
{
	const struct log_policy policy = {.keep = true};
	struct error error = {""};
	(void)state;
	struct log_directory *directory = open_directory(&policy);
	assert_null(log_directory_open(root, &policy, &error));
	assert_non_null(strstr(error.text, "another mailtap writes to it"));
	log_directory_close(directory);
	log_directory_close(open_directory(&policy));
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// A limit on what a file may have stands for a disk that is full.
static void a_full_disk_is_waited_for(void **state)
{
	const struct log_policy policy = {.keep = true, .stay_up = true, .tell = hear};
	struct error error = {""};
	(void)state;
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	add_lines(log, 0, 10);
	assert_true(log_file_flush(log, &error));
	limit_files(10 * 18 + 2 * 18 + 5); // two lines more, and a piece of one
	add_lines(log, 10, 20);
	assert_true(log_file_flush(log, &error));
	assert_int_equal(times_told, 1);
	assert_non_null(strstr(told.text, "lost until it can be written again"));
	assert_int_equal(size_of("sessions.jsonl"), 12 * 18);
	add_lines(log, 20, 30); // not even tried
	assert_int_equal(log_file_lost(log), 18);
	assert_true(log_directory_tick(directory, time(NULL) + 10, &error));
	add_lines(log, 30, 40); // tried, in vain, and not told once more
	assert_true(log_file_flush(log, &error));
	limit_files(RLIM_INFINITY);
	assert_int_equal(times_told, 1);
	assert_int_equal(log_file_lost(log), 28);
	assert_true(log_directory_tick(directory, time(NULL) + 10, &error));
	add_lines(log, 12, 15);
	assert_true(log_file_flush(log, &error));
	assert_int_equal(times_told, 2);
	assert_non_null(strstr(told.text, "28 records were lost"));
	assert_int_equal(read_back().next, 15);
	assert_false(log_directory_close_log(directory, log, &error)); // the run was not whole
	assert_non_null(strstr(error.text, "28 records were lost"));
	log_directory_close(directory);
}

static void a_full_disk_ends_a_run_over_captures(void **state)
{
	const struct log_policy policy = {.tell = hear};
	struct error error = {""};
	(void)state;
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	limit_files(10);
	add_lines(log, 0, 10);
	assert_false(log_file_flush(log, &error));
	limit_files(RLIM_INFINITY);
	assert_int_equal(times_told, 0);
	assert_non_null(strstr(error.text, "records from here on are lost"));
	assert_false(log_directory_close_log(directory, log, &error));
	log_directory_close(directory);
}

static void what_cannot_be_put_aside_grows_on(void **state)
{
	const struct log_policy policy = {.keep = true, .rotate_size = 100, .tell = hear};
	(void)state;
	bool all_powerful = geteuid() == 0;
	if (all_powerful) {
		assert_int_equal(chown(root, NOBODY, NOBODY), 0);
		assert_int_equal(seteuid(NOBODY), 0);
	}
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	assert_int_equal(chmod(root, 0500), 0);
	add_lines(log, 0, 100);
	assert_int_equal(times_told, 1);
	assert_non_null(strstr(told.text, "cannot be put aside, and grows on"));
	assert_int_equal(chmod(root, 0700), 0);
	close_all(directory, log);
	assert_int_equal(read_back().next, 100);
	if (all_powerful)
		assert_int_equal(seteuid(0), 0);
}

static void a_pipe_in_its_place_is_not_put_aside(void **state)
{
	const struct log_policy policy = {.keep = true, .rotate_size = 20, .tell = hear};
	struct error error = {""};
	(void)state;
	assert_int_equal(symlink("/dev/null", in_root("sessions.jsonl")), 0);
	struct log_directory *directory = open_directory(&policy);
	struct log_file *log = open_log(directory);
	add_lines(log, 0, 100);
	assert_true(log_directory_rotate(directory, &error));
	close_all(directory, log);
	struct log_listing listing;
	assert_int_equal(listed(&listing), 0);
	log_listing_free(&listing);
}

#define test(function) cmocka_unit_test_setup_teardown(function, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(names_are_read_as_they_are_written),
	    test(a_listing_is_in_order_and_has_each_once),
	    test(size_splits_no_line_and_loses_none),
	    test(a_line_longer_than_the_limit_has_a_log_for_itself),
	    test(what_is_there_is_kept_but_for_a_torn_line),
	    test(without_being_kept_it_is_replaced),
	    test(nothing_is_written_over),
	    test(time_puts_aside),
	    test(old_logs_are_compressed_and_counted),
	    test(what_is_read_is_what_was_there),
	    test(what_is_gone_is_not_read_twice),
	    test(one_run_at_a_time),
	    test(a_full_disk_is_waited_for),
	    test(a_full_disk_ends_a_run_over_captures),
	    test(what_cannot_be_put_aside_grows_on),
	    test(a_pipe_in_its_place_is_not_put_aside),
	};
	return cmocka_run_group_tests_name("log_directory", tests, NULL, NULL);
}
