// SPDX-License-Identifier: Apache-2.0
// Pattern files as text: what a line gives, and what is said of one that is wrong.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/pattern_file.h"
#include "pattern_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct pattern_list list;
static struct error error;

static bool read_bytes(const char *text, size_t length)
{
	// An exact copy on the heap, so that a sanitizer sees a read past the end.
	uint8_t *copy = malloc(length);
	assert_non_null(copy);
	memcpy(copy, text, length);
	pattern_list_free(&list);
	error.text[0] = '\0';
	bool good = pattern_text_read(&list, "t", view_of(copy, length), &error);
	free(copy);
	return good;
}

static bool read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void lines(void **state)
{
	(void)state;
	assert_true(read_text("# words\n\n  [software]  \r\n"
	                      "My Server  /^220 a\\/b/c$/i\n"
	                      "\t-\t/x/\n"
	                      "[filler-echo]\n"
	                      "a/b  / \\/{edit_distance=1}/{edit_distance=1}\n"
	                      "last  /y/i{edit_distance=1}"));
	assert_int_equal(list.count, 4);
	const struct pattern *first = &list.patterns[0], *third = &list.patterns[2];
	assert_string_equal(first->identifier, "My Server");
	assert_string_equal(first->expression, "^220 a\\/b/c$");
	assert_true(first->caseless);
	assert_int_equal(first->edit_distance, 0);
	assert_int_equal(first->class, PATTERN_SOFTWARE);
	assert_int_equal(first->line, 4);
	assert_string_equal(first->file, "t");
	assert_null(list.patterns[1].identifier);
	assert_string_equal(list.patterns[1].expression, "x");
	assert_false(list.patterns[1].caseless);
	assert_string_equal(third->identifier, "a/b");
	assert_string_equal(third->expression, " \\/{edit_distance=1}");
	assert_int_equal(third->edit_distance, 1);
	assert_int_equal(third->class, PATTERN_FILLER_ECHO);
	assert_string_equal(list.patterns[3].identifier, "last");
	assert_true(list.patterns[3].caseless);
	assert_int_equal(list.patterns[3].edit_distance, 1);
	pattern_list_free(&list);
}

static void assert_wrong(const char *text, const char *message)
{
	assert_false(read_text(text));
	assert_string_equal(error.text, message);
	pattern_list_free(&list);
}

static void wrong_lines(void **state)
{
	(void)state;
	const char *none = "t:2: no pattern: expected identifier /expression/flags";
	const char *flags =
	    "t:2: unknown flags behind the last slash: there are i and {edit_distance=1}";
	assert_wrong("[software]\nPostfix", none);
	assert_wrong("[software]\nPostfix/x/", none);
	assert_wrong("[software]\n/x/", none);
	assert_wrong("[software]\nPostfix /x", none);
	assert_wrong("[software]\nPostfix /x/z", flags);
	assert_wrong("[software]\nPostfix /x/ii", flags);
	assert_wrong("[software]\nPostfix /x/i {edit_distance=1}", flags);
	assert_wrong("[software]\nPostfix /x/{edit_distance=2}", flags);
	assert_wrong("[soft]\n", "t:1: there is no class \"soft\"");
	assert_wrong("\n[]\n", "t:2: there is no class \"\"");
	assert_wrong("[", "t:1: expected ] at the line's end, behind the class");
	assert_wrong("[software] x", "t:1: expected ] at the line's end, behind the class");
	assert_wrong("#\nPostfix /x/", "t:2: a pattern before any [class]");
	assert_wrong("[software]\na\"b /x/",
	    "t:2: the identifier is longer than 64 characters, or has others than letters, digits "
	    "and signs of ASCII");
	assert_wrong("[software]\nb\xc3\xbc /x/",
	    "t:2: the identifier is longer than 64 characters, or has others than letters, digits "
	    "and signs of ASCII");
	static const char zero[] = "[software]\na /x\0y/";
	assert_false(read_bytes(zero, sizeof zero - 1));
	assert_string_equal(error.text, "t:2: a zero byte in the expression; write \\x00");
	pattern_list_free(&list);
}

static void limits(void **state)
{
	(void)state;
	static char text[PATTERN_LINE_MAX + 64];
	snprintf(text, sizeof text, "[software]\n%0*d /x/", PATTERN_IDENTIFIER_MAX, 1);
	assert_true(read_text(text));
	snprintf(text, sizeof text, "[software]\n%0*d /x/", PATTERN_IDENTIFIER_MAX + 1, 1);
	assert_false(read_text(text));
	snprintf(text, sizeof text, "[software]\n#%0*d", PATTERN_LINE_MAX - 1, 1);
	assert_true(read_text(text));
	snprintf(text, sizeof text, "[software]\n#%0*d", PATTERN_LINE_MAX, 1);
	assert_wrong(text, "t:2: longer than 4096 bytes");
}

static void too_many(void **state)
{
	(void)state;
	enum { LINE = 7 };
	size_t length = 11 + (size_t)LINE * (PATTERNS_MAX + 1);
	char *text = malloc(length + 1), *at = text;
	assert_non_null(text);
	at += sprintf(at, "[software]\n");
	for (int i = 0; i <= PATTERNS_MAX; i++)
		at += sprintf(at, "a /xy/\n");
	assert_true(read_bytes(text, length - LINE));
	assert_int_equal(list.count, PATTERNS_MAX);
	assert_false(read_bytes(text, length));
	assert_string_equal(
	    error.text, "t:16386: too many patterns: 16384 may be in all files together");
	pattern_list_free(&list);
	free(text);
}

static void files(void **state)
{
	(void)state;
	const char *path = lab_file("good", "[software]\nA /a/\n");
	assert_true(pattern_file_read(&list, path, &error));
	assert_true(pattern_file_read(&list, lab_file("more", "[software]\nB /b/\n"), &error));
	assert_int_equal(list.count, 2);
	assert_string_equal(list.patterns[1].identifier, "B");
	pattern_list_free(&list);
	assert_false(pattern_file_read(&list, lab_path("none"), &error));
	assert_non_null(strstr(error.text, "none: cannot open the patterns: No such file"));
	assert_false(pattern_file_read(&list, lab_path("."), &error));
	assert_non_null(strstr(error.text, "cannot read the patterns: Is a directory"));
	path = lab_file("large", "");
	assert_int_equal(truncate(path, PATTERN_FILE_MAX + 1), 0);
	assert_false(pattern_file_read(&list, path, &error));
	assert_non_null(strstr(error.text, "large: larger than 1 MiB: no file of patterns"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines),
	    cmocka_unit_test(wrong_lines),
	    cmocka_unit_test(limits),
	    cmocka_unit_test(too_many),
	    cmocka_unit_test(files),
	};
	return cmocka_run_group_tests_name(
	    "pattern_file", tests, lab_folder_make, lab_folder_remove);
}
