// SPDX-License-Identifier: Apache-2.0
// Lines: where they end, what a reader remembers between feeds, and words in them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/line.h"

#include <stdlib.h>

static struct line line_of(const char *text)
{
	return (struct line){.bytes = (const uint8_t *)text, .length = strlen(text)};
}

static bool line_is(const struct line *line, const char *text)
{
	return line->bytes != NULL && line->length == strlen(text) &&
	       memcmp(line->bytes, text, line->length) == 0;
}

static size_t next(struct line_reader *reader, const char *text, struct line *line)
{
	return line_next(reader, (const uint8_t *)text, strlen(text), line);
}

static void ends(void **state)
{
	(void)state;
	static const struct {
		const char *text, *line;
		size_t used;
		bool bare_lf;
	} cases[] = {
	    {"abc\r\nd", "abc", 5, false},
	    {"abc\nd", "abc", 4, true},
	    {"\r\nd", "", 2, false},
	    {"\nd", "", 1, true},
	    {"a\rb\r\n", "a\rb", 5, false},
	    {"a\r\r\n", "a\r", 4, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct line_reader reader = {0};
		struct line line;
		assert_int_equal(next(&reader, cases[i].text, &line), cases[i].used);
		assert_true(line_is(&line, cases[i].line));
		assert_int_equal(line.bare_lf, cases[i].bare_lf);
		assert_false(line.overlong);
	}
}

static void no_end_yet(void **state)
{
	(void)state;
	struct line_reader reader = {0};
	struct line line;
	assert_int_equal(next(&reader, "", &line), 0);
	assert_null(line.bytes);
	assert_int_equal(next(&reader, "abc\r", &line), 0);
	assert_null(line.bytes);
	assert_int_equal(reader.scanned, 4);
	// The same bytes again with more behind them: only what is new is searched.
	assert_int_equal(next(&reader, "abc\r\n", &line), 5);
	assert_true(line_is(&line, "abc"));
	assert_int_equal(reader.scanned, 0);
}

static void scanned_bytes_are_not_searched_again(void **state)
{
	(void)state;
	struct line_reader reader = {.scanned = 3};
	struct line line;
	assert_int_equal(next(&reader, "a\nb\n", &line), 4);
	reader = (struct line_reader){.scanned = 9}; // more than there is: everything was
	assert_int_equal(next(&reader, "a\nb\n", &line), 0);
}

// What a reader makes of a text that comes in two pieces, unread bytes presented again: "[line]" for
// each, "[line>" for a cut one.
static void read_in_two(const uint8_t *text, size_t length, size_t cut, char *said, size_t size)
{
	struct line_reader reader = {0};
	size_t at = 0, filled = 0;
	for (int part = 0; part < 2; part++) {
		size_t end = part == 0 ? cut : length, used;
		while (at < end) {
			struct line line;
			uint8_t *copy = malloc(end - at);
			assert_non_null(copy);
			memcpy(copy, text + at, end - at);
			used = line_next(&reader, copy, end - at, &line);
			if (line.bytes != NULL) {
				assert_true(filled + line.length + 2 < size);
				said[filled++] = '[';
				memcpy(said + filled, line.bytes, line.length);
				filled += line.length;
				said[filled++] = line.overlong ? '>' : line.bare_lf ? '|' : ']';
			}
			free(copy);
			at += used;
			if (used == 0)
				break;
		}
	}
	said[filled] = '\0';
}

static void split_anywhere(void **state)
{
	(void)state;
	static uint8_t text[3 * LINE_MAX_BYTES];
	static char whole[sizeof text * 2], said[sizeof whole];
	size_t length = 0;
	memcpy(text, "ab\r\n\n\r\nc\n", 9);
	length = 9;
	memset(text + length, 'x', LINE_MAX_BYTES + 500);
	length += LINE_MAX_BYTES + 500;
	memcpy(text + length, "\r\nde\r\n", 6);
	length += 6;
	read_in_two(text, length, 0, whole, sizeof whole);
	assert_memory_equal(whole, "[ab][|[][c|[xxx", 15);
	assert_string_equal(whole + strlen(whole) - 6, "x>[de]");
	for (size_t cut = 1; cut < length; cut++) {
		read_in_two(text, length, cut, said, sizeof said);
		assert_string_equal(said, whole);
	}
}

static void overlong_lines_are_cut_and_read_over(void **state)
{
	(void)state;
	static char text[2 * LINE_MAX_BYTES + 1];
	struct line_reader reader = {0};
	struct line line;
	memset(text, 'x', sizeof text - 1);
	// One byte short of too long.
	assert_int_equal(line_next(&reader, (uint8_t *)text, LINE_MAX_BYTES - 1, &line), 0);
	text[LINE_MAX_BYTES - 1] = '\n';
	assert_int_equal(next(&reader, text, &line), LINE_MAX_BYTES);
	assert_int_equal(line.length, LINE_MAX_BYTES - 1);
	assert_false(line.overlong);
	// Too long, with its end in sight or not.
	text[LINE_MAX_BYTES - 1] = 'x';
	for (int in_sight = 0; in_sight < 2; in_sight++) {
		text[LINE_MAX_BYTES] = in_sight ? '\n' : 'x';
		reader = (struct line_reader){0};
		assert_int_equal(next(&reader, text, &line), LINE_MAX_BYTES);
		assert_true(line.overlong);
		assert_int_equal(line.length, LINE_MAX_BYTES);
		assert_true(reader.reading_over);
	}
	// The rest is passed over without being a line.
	assert_int_equal(next(&reader, "rest", &line), 4);
	assert_null(line.bytes);
	assert_true(reader.reading_over);
	assert_int_equal(next(&reader, "rest\r\nnext\r\n", &line), 6);
	assert_null(line.bytes);
	assert_false(reader.reading_over);
	assert_int_equal(next(&reader, "next\r\n", &line), 6);
	assert_true(line_is(&line, "next"));
}

static void keywords(void **state)
{
	(void)state;
	struct line line = line_of("StartTLS now");
	assert_true(line_starts(&line, "STARTTLS"));
	assert_false(line_starts(&line, "START"));
	assert_false(line_starts(&line, "STARTTLS NOW AND THEN"));
	line = line_of("starttls-x");
	assert_true(line_starts(&line, "STARTTLS"));
	line = line_of("starttls2");
	assert_false(line_starts(&line, "STARTTLS"));
	line = line_of("");
	assert_false(line_starts(&line, "STARTTLS"));
	assert_true(bytes_equal_keyword((const uint8_t *)"aUtH", 4, "AUTH"));
	assert_false(bytes_equal_keyword((const uint8_t *)"aUtH", 3, "AUTH"));
	assert_false(bytes_equal_keyword((const uint8_t *)"aUtHx", 5, "AUTH"));
	assert_true(bytes_equal_keyword(NULL, 0, ""));
	// '@' and '`' are next to the letters.
	assert_false(bytes_equal_keyword((const uint8_t *)"`", 1, "@"));
	assert_false(bytes_equal_keyword((const uint8_t *)"{", 1, "["));
}

static void words_anywhere(void **state)
{
	(void)state;
	struct line line = line_of("530 5.7.0 must use (tls) first");
	assert_true(line_has_word(&line, "TLS"));
	assert_true(line_has_word(&line, "530"));
	assert_true(line_has_word(&line, "FIRST"));
	assert_false(line_has_word(&line, "LS"));
	assert_false(line_has_word(&line, "FIRS"));
	line = line_of("xtls tlsx");
	assert_false(line_has_word(&line, "TLS"));
	line = line_of("");
	assert_false(line_has_word(&line, "TLS"));
}

static void words_in_turn(void **state)
{
	(void)state;
	struct line line = line_of("  one\t two  "), word;
	size_t position = 0;
	assert_true(line_word(&line, &position, &word));
	assert_true(line_is(&word, "one"));
	assert_int_equal(position, 5);
	assert_true(line_word(&line, &position, &word));
	assert_true(line_is(&word, "two"));
	assert_false(line_word(&line, &position, &word));
	assert_int_equal(position, line.length);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends),
	    cmocka_unit_test(no_end_yet),
	    cmocka_unit_test(scanned_bytes_are_not_searched_again),
	    cmocka_unit_test(split_anywhere),
	    cmocka_unit_test(overlong_lines_are_cut_and_read_over),
	    cmocka_unit_test(keywords),
	    cmocka_unit_test(words_anywhere),
	    cmocka_unit_test(words_in_turn),
	};
	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
