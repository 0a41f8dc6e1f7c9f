// SPDX-License-Identifier: Apache-2.0
// Text from the wire in a table: harmless, and within its columns.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/plain_text.h"

#include <stdio.h>
#include <string.h>

static void check(const char *from, size_t columns, const char *expected, size_t width)
{
	char room[512];
	memset(room, 'x', sizeof room);
	size_t used = plain_text(room, columns, (const uint8_t *)from, strlen(from));
	assert_string_equal(room, expected);
	assert_int_equal(used, width);
	assert_true(used <= columns);
}

static void harmless(void **state)
{
	(void)state;
	check("mx.example.com", 20, "mx.example.com", 14);
	check("", 20, "", 0);
	check("a\x1b[2J", 20, "a\\x1b[2J", 8);
	check("a\r\nb\t\x7f", 40, "a\\x0d\\x0ab\\x09\\x7f", 18);
	check("\xc2\x9b"
	      "31m",
	    20, "\\u{009b}31m", 11); // a control of eight bits
	check("a\xe2\x80\xae"
	      "b",
	    20, "a\\u{202e}b", 10); // right to left
	check("\xd8\x9c", 20, "\\u{061c}", 8);
	check("\xff\xc3", 20, "\\xff\\xc3", 8);
	check("\xed\xa0\x80", 20, "\\xed\\xa0\\x80", 12); // a surrogate
	check("gr\xc3\xbc\xc3\x9f", 20, "gr\xc3\xbc\xc3\x9f", 4);
	check("\\x1b", 20, "\\\\x1b", 5);
}

static void within_its_columns(void **state)
{
	(void)state;
	check("abcdef", 6, "abcdef", 6);
	check("abcdefg", 6, "abc...", 6);
	check("abc\x1b\x1b", 8, "abc...", 6); // an escape is there whole or not at all
	check("abcdefg", 2, "..", 2);
	check("abcdefg", 0, "", 0);
	check("\xf0\x9f\x98\x80\xf0\x9f\x98\x80", 1, ".", 1);
}

// All there is, in all widths: never more than the room promised.
static void never_beyond_its_room(void **state)
{
	uint8_t bytes[64];
	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		unsigned next = seed * 2654435761u + 1;
		for (size_t i = 0; i < sizeof bytes; i++) {
			next = next * 1664525u + 1013904223u;
			bytes[i] = (uint8_t)(next >> 24);
		}
		size_t columns = seed % 40;
		char room[4 * 40 + 2];
		memset(room, 1, sizeof room);
		size_t used = plain_text(room, columns, bytes, sizeof bytes);
		assert_true(used <= columns);
		assert_true(strlen(room) <= 4 * columns);
		assert_int_equal(room[4 * columns + 1], 1);
		assert_true(utf8_is_valid((const uint8_t *)room, strlen(room)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(harmless),
	    cmocka_unit_test(within_its_columns),
	    cmocka_unit_test(never_beyond_its_room),
	};
	return cmocka_run_group_tests_name("plain_text", tests, NULL, NULL);
}
