// SPDX-License-Identifier: Apache-2.0
// The cache of compiled patterns: what comes back is what was stored, or nothing at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/pattern_cache.h"
#include "pattern_lab.h"

#include <fcntl.h>
#include <hs.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t key[PATTERN_KEY_SIZE] = {3, 1, 4};
static char directory[128], path[192];
static struct hs_database *stored[PATTERN_CLASSES], *loaded[PATTERN_CLASSES];

/* ---- what is stored ---- */

// Two small ones; the rest are missing.
static int make(void **state)
{
	hs_compile_error_t *reason;
	if (lab_folder_make(state) != 0)
		return 1;
	snprintf(directory, sizeof directory, "%s", lab_path("a/cache"));
	snprintf(path, sizeof path, "%s/patterns-3", directory);
	return hs_compile("ab", 0, HS_MODE_BLOCK, NULL, &stored[0], &reason) != HS_SUCCESS ||
	       hs_compile("^c+$", 0, HS_MODE_BLOCK, NULL, &stored[2], &reason) != HS_SUCCESS;
}

static int release(void **state)
{
	for (int i = 0; i < PATTERN_CLASSES; i++)
		hs_free_database(stored[i]);
	return lab_folder_remove(state);
}

static bool load_with(const uint8_t *with)
{
	bool good = pattern_cache_load(directory, with, loaded);
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		assert_true((loaded[i] != NULL) == (good && stored[i] != NULL));
		hs_free_database(loaded[i]);
	}
	return good;
}

static bool load(void)
{
	return load_with(key);
}

static void store(void)
{
	pattern_cache_store(directory, key, stored);
	assert_true(load());
}

static uint8_t *contents(size_t *size)
{
	static uint8_t bytes[64 * 1024];
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	*size = fread(bytes, 1, sizeof bytes, file);
	assert_in_range(*size, 1000, sizeof bytes - 1);
	assert_int_equal(fclose(file), 0);
	return bytes;
}

static void overwrite(const uint8_t *bytes, size_t size)
{
	int file = open(path, O_WRONLY | O_TRUNC);
	assert_true(file >= 0);
	assert_int_equal(write(file, bytes, size), size);
	assert_int_equal(close(file), 0);
}

/* ---- tests ---- */

static void comes_back(void **state)
{
	char *a, *b;
	size_t a_size, b_size;
	struct stat status;
	(void)state;
	assert_false(load());
	store();
	assert_true(pattern_cache_load(directory, key, loaded));
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		if (stored[i] == NULL)
			continue;
		assert_int_equal(hs_serialize_database(stored[i], &a, &a_size), HS_SUCCESS);
		assert_int_equal(hs_serialize_database(loaded[i], &b, &b_size), HS_SUCCESS);
		assert_int_equal(a_size, b_size);
		assert_memory_equal(a, b, a_size);
		hs_free_database(loaded[i]);
		free(a);
		free(b);
	}
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(stat(directory, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
}

static void damaged_bytes(void **state)
{
	(void)state;
	size_t size;
	store();
	uint8_t *bytes = contents(&size);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= (uint8_t)(1u << i % 8);
		overwrite(bytes, size);
		assert_false(load());
		bytes[i] ^= (uint8_t)(1u << i % 8);
	}
	overwrite(bytes, size);
	assert_true(load());
}

static void cut_or_longer(void **state)
{
	(void)state;
	size_t size;
	store();
	uint8_t *bytes = contents(&size);
	for (size_t length = 0; length < size; length++) {
		overwrite(bytes, length);
		assert_false(load());
	}
	bytes[size] = 0;
	overwrite(bytes, size + 1);
	assert_false(load());
	store(); // over it
}

static void other_patterns(void **state)
{
	(void)state;
	uint8_t other[PATTERN_KEY_SIZE];
	store();
	memcpy(other, key, sizeof other);
	other[PATTERN_KEY_SIZE - 1] ^= 1; // the same slot
	assert_false(load_with(other));
	pattern_cache_store(directory, other, stored);
	assert_true(load_with(other));
	assert_false(load());
	memcpy(other, key, sizeof other);
	other[0]++; // the next slot
	store();
	pattern_cache_store(directory, other, stored);
	assert_true(load_with(other));
	assert_true(load());
}

static void not_our_own(void **state)
{
	(void)state;
	char aside[256];
	store();
	assert_int_equal(chmod(path, 0640), 0);
	assert_false(load());
	assert_int_equal(chmod(path, 0602), 0);
	assert_false(load());
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(load());
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_false(load());
		assert_int_equal(chown(path, 0, 0), 0);
	}
	snprintf(aside, sizeof aside, "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_false(load());
	store(); // replaces the link, not what it leads to
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(load());
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	pattern_cache_store(directory, key, stored);
	assert_false(load());
	assert_int_equal(rmdir(path), 0);
}

static void nowhere(void **state)
{
	(void)state;
	static const char *const places[] = {"/dev/null/cache", "/proc/cache"};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		pattern_cache_store(places[i], key, stored);
		assert_false(pattern_cache_load(places[i], key, loaded));
	}
	char *longest = malloc(PATH_MAX + 1);
	assert_non_null(longest);
	memset(longest, 'a', PATH_MAX);
	longest[PATH_MAX] = '\0';
	pattern_cache_store(longest, key, stored);
	assert_false(pattern_cache_load(longest, key, loaded));
	free(longest);
}

static void usual_directory(void **state)
{
	(void)state;
	char place[64];
	setenv("HOME", "/home/u", 1);
	setenv("XDG_CACHE_HOME", "/var/u", 1);
	assert_true(pattern_cache_usual_directory(place, sizeof place));
	assert_string_equal(place, "/var/u/mailtap");
	setenv("XDG_CACHE_HOME", "not/absolute", 1);
	assert_true(pattern_cache_usual_directory(place, sizeof place));
	assert_string_equal(place, "/home/u/.cache/mailtap");
	assert_false(pattern_cache_usual_directory(place, 22));
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", "", 1);
	assert_false(pattern_cache_usual_directory(place, sizeof place));
	unsetenv("HOME");
	assert_false(pattern_cache_usual_directory(place, sizeof place));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(comes_back),
	    cmocka_unit_test(damaged_bytes),
	    cmocka_unit_test(cut_or_longer),
	    cmocka_unit_test(other_patterns),
	    cmocka_unit_test(not_our_own),
	    cmocka_unit_test(nowhere),
	    cmocka_unit_test(usual_directory),
	};
	return cmocka_run_group_tests_name("pattern_cache", tests, make, release);
}
