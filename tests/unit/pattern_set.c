// SPDX-License-Identifier: Apache-2.0
// How a user's own patterns stand before the shipped ones, what is refused of them, their cache, and how one set takes
// the place of another while it is asked.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pattern_asking.h"
#include "pattern_lab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static int make(void **state)
{
	return asking_begin(state) != 0 || lab_folder_make(state) != 0;
}

static int release(void **state)
{
	asking_end(state);
	return lab_folder_remove(state);
}

/* ---- a user's own ---- */

static struct pattern_set *load(const char *const *files, size_t count, const char *cache)
{
	struct error error = {0};
	struct pattern_set_options options = {files, count, cache};
	struct pattern_set *set = pattern_set_load(&options, &error);
	assert_string_equal(error.text, "");
	assert_non_null(set);
	return set;
}

static void own_patterns(void **state)
{
	(void)state;
	const char *files[] = {lab_file("one", "[software]\nFirst /Own Mail/\n- /hidden/\n"),
	    lab_file(
	        "two", "[software]\nSecond /Own|Other/i\n[unknown-command]\nmine /^-ERR nix/\n")};
	struct pattern_set *set = load(files, 2, NULL);
	struct pattern_scratch *own = pattern_scratch_create(set);
	assert_non_null(own);
	assert_false(pattern_set_was_cached(set));
	assert_string_equal(asked(set, own, PATTERN_SOFTWARE, "220 a Own Mail, other"), "First");
	assert_string_equal(
	    asked(set, own, PATTERN_SOFTWARE, "220 a OTHER ESMTP Postfix"), "Second");
	assert_string_equal(asked(set, own, PATTERN_SOFTWARE, "220 a ESMTP Postfix"), "Postfix");
	assert_null(asked(set, own, PATTERN_SOFTWARE, "220 hidden ESMTP Postfix"));
	assert_string_equal(asked(set, own, PATTERN_UNKNOWN_COMMAND, "-ERR nix"), "mine");
	assert_null(asked(NULL, NULL, PATTERN_SOFTWARE, "220 a ESMTP Postfix"));
	pattern_scratch_destroy(own);
	pattern_set_destroy(set);
}

static void assert_refused(const char *text, const char *message)
{
	struct error error = {0};
	const char *path = lab_file("bad", text);
	struct pattern_set_options options = {&path, 1, NULL};
	assert_null(pattern_set_load(&options, &error));
	assert_ptr_equal(strstr(error.text, path), error.text);
	assert_string_equal(error.text + strlen(path), message);
}

// What Hyperscan does not take, in its own words.
static void refused_patterns(void **state)
{
	(void)state;
	assert_refused("[software]\nA /good/\n\nB /(/\n",
	    ":4: Missing close parenthesis for group started at index 0.");
	assert_refused("[software]\nA /x*/\n",
	    ":2: Pattern matches empty buffer; use HS_FLAG_ALLOWEMPTY to enable support.");
	assert_refused("[software]\nA /(a)\\1/\n", ":2: Back-references are unsupported.");
	assert_refused("[software]\nA /a{40000}/\n", ":2: Bounded repeat is too large.");
	assert_refused("[software]\nA /x/q\n",
	    ":2: unknown flags behind the last slash: there are i and {edit_distance=1}");
}

static void cached(void **state)
{
	(void)state;
	char cache[128];
	const char *files[] = {lab_file("own", "[software]\nOwn /Own/\n")};
	snprintf(cache, sizeof cache, "%s", lab_path("cache"));
	for (int round = 0; round < 4; round++) {
		struct pattern_set *set = load(files, 1, cache);
		struct pattern_scratch *own = pattern_scratch_create(set);
		assert_non_null(own);
		assert_int_equal(pattern_set_was_cached(set), round == 1 || round == 3);
		bool found = asked(set, own, PATTERN_SOFTWARE, "220 a own") != NULL;
		assert_int_equal(found, round >= 2);
		pattern_scratch_destroy(own);
		pattern_set_destroy(set);
		if (round == 1)
			files[0] = lab_file("own", "[software]\nOwn /Own/i\n");
	}
}

/* ---- one in the place of another ---- */

static void replaced(void **state)
{
	(void)state;
	struct pattern_set *sets[3];
	const char *files[] = {lab_file("own", "[software]\nOwn /Own/\n")};
	for (int i = 0; i < 3; i++)
		sets[i] = load(files, 1, NULL);
	assert_null(pattern_set_newer(NULL));
	assert_null(pattern_set_newer(sets[0]));
	const struct pattern_set *share = pattern_set_share(sets[0]);
	assert_ptr_equal(share, sets[0]);
	pattern_set_replace(sets[0], sets[1]);
	pattern_set_replace(sets[1], sets[2]);
	for (int i = 0; i < 3; i++)
		pattern_set_destroy(sets[i]); // what is left is the share, and those that follow it
	assert_ptr_equal(pattern_set_newer(share), sets[1]);
	assert_ptr_equal(pattern_set_newer(sets[1]), sets[2]);
	assert_null(pattern_set_newer(sets[2]));
	const struct pattern_set *last = pattern_set_share(sets[2]);
	pattern_set_destroy(share);
	struct pattern_scratch *own = pattern_scratch_create(last);
	assert_string_equal(asked(last, own, PATTERN_SOFTWARE, "220 a Own"), "Own");
	pattern_scratch_destroy(own);
	pattern_set_destroy(last);
}

struct asker {
	const struct pattern_set *patterns; // a share
	atomic_bool *over;
	unsigned changes, wrong;
};

// As a worker does it: looks for newer ones in between, and asks.
static void *ask(void *context)
{
	struct asker *asker = context;
	struct pattern_scratch *own = pattern_scratch_create(asker->patterns);
	bool last = false;
	while (!last) {
		bool over = atomic_load(asker->over); // before looking: no set comes after it
		const struct pattern_set *newer = pattern_set_newer(asker->patterns);
		last = over && newer == NULL;
		if (newer != NULL) {
			pattern_scratch_destroy(own);
			own = pattern_scratch_create(newer);
			pattern_set_share(newer);
			pattern_set_destroy(asker->patterns);
			asker->patterns = newer;
			asker->changes++;
		}
		asker->wrong += asked(asker->patterns, own, PATTERN_SOFTWARE, "220 a Own") == NULL;
	}
	pattern_scratch_destroy(own);
	pattern_set_destroy(asker->patterns);
	return NULL;
}

static void replaced_while_asked(void **state)
{
	enum { ASKERS = 3, CHANGES = 50 };
	(void)state;
	struct asker askers[ASKERS];
	pthread_t threads[ASKERS];
	atomic_bool over = false;
	char file[128], cache[128];
	snprintf(file, sizeof file, "%s", lab_file("own", "[software]\nOwn /Own/\n"));
	snprintf(cache, sizeof cache, "%s", lab_path("cache"));
	const char *files[] = {file};
	const struct pattern_set *set = load(files, 1, cache);
	for (int i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){pattern_set_share(set), &over, 0, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
	}
	for (int i = 0; i < CHANGES; i++) {
		const struct pattern_set *newer = load(files, 1, cache);
		pattern_set_replace(set, newer);
		pattern_set_destroy(set);
		set = newer;
	}
	pattern_set_destroy(set);
	atomic_store(&over, true);
	for (int i = 0; i < ASKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(askers[i].changes, CHANGES);
		assert_int_equal(askers[i].wrong, 0);
	}
}

/* ---- bounds ---- */

static void long_texts(void **state)
{
	(void)state;
	static uint8_t text[PATTERN_TEXT_MAX + 8];
	memset(text, 'a', sizeof text);
	memcpy(text, "220 ", 4);
	memcpy(text + PATTERN_TEXT_MAX - 8, " Postfix", 8);
	struct view view = view_of(text, PATTERN_TEXT_MAX);
	assert_non_null(pattern_match(shipped_set(), asking_scratch(), PATTERN_SOFTWARE, view));
	memcpy(text + PATTERN_TEXT_MAX - 8, "a Postfix", 9);
	text[PATTERN_TEXT_MAX + 1] = ' ';
	view = view_of(text, sizeof text); // its last letter is not looked at
	assert_null(pattern_match(shipped_set(), asking_scratch(), PATTERN_SOFTWARE, view));
	assert_null(
	    pattern_match(shipped_set(), asking_scratch(), PATTERN_SOFTWARE, view_of(text, 0)));
	assert_null(
	    pattern_match(shipped_set(), asking_scratch(), PATTERN_SOFTWARE, view_of(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(own_patterns),
	    cmocka_unit_test(refused_patterns),
	    cmocka_unit_test(cached),
	    cmocka_unit_test(replaced),
	    cmocka_unit_test(replaced_while_asked),
	    cmocka_unit_test(long_texts),
	};
	return cmocka_run_group_tests_name("pattern_set", tests, make, release);
}
