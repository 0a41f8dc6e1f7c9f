// SPDX-License-Identifier: Apache-2.0
// Lines for people: whatever is put into one, it stays one line, and does nothing to the terminal.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/error.h"

#include <string.h>

static void check(const char *text, const char *wanted)
{
	struct error error;
	error_set(&error, "%s", text);
	assert_string_equal(error.text, wanted);
}

static void harmless(void **state)
{
	(void)state;
	check("", "");
	check("gr\xc3\xbc\xc3\x9f.pcap: \xf0\x9f\x98\x80",
	    "gr\xc3\xbc\xc3\x9f.pcap: \xf0\x9f\x98\x80");
	check("a\nb\r\x1b[2J\x7f", "a?b??[2J?");
	check("\xc2\x9b"
	      "31m",
	    "??31m"); // a control of eight bits
	check("\x9b"
	      "31m",
	    "?31m"); // as some terminals take it
	check("a\xe2\x80\xae"
	      "b",
	    "a???b"); // right to left
}

// A character that was cut in two is none.
static void cut(void **state)
{
	struct error error;
	char text[600];
	(void)state;
	memset(text, 'a', sizeof text);
	memcpy(text + sizeof error.text - 2, "\xc3\xbc", 2);
	text[sizeof text - 1] = '\0';
	error_set(&error, "%s", text);
	assert_int_equal(strlen(error.text), sizeof error.text - 1);
	assert_int_equal(error.text[sizeof error.text - 2], '?');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(harmless),
	    cmocka_unit_test(cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
