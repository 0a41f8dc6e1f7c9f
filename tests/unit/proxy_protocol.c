// SPDX-License-Identifier: Apache-2.0
// The PROXY header, whole, short of any number of bytes, and what only looks like one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/proxy_protocol.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

// An exact copy on the heap, so that a sanitizer sees a read past the end.
static enum proxy_header find(const void *bytes, size_t length, size_t *header)
{
	uint8_t *copy = malloc(length > 0 ? length : 1);
	assert_non_null(copy);
	if (length > 0)
		memcpy(copy, bytes, length);
	enum proxy_header found = proxy_header_find(copy, length, header);
	free(copy);
	return found;
}

// Every beginning of a header is short of one; the header, with or without more, is whole.
static void header_is_found(const void *bytes, size_t header_length, size_t length)
{
	for (size_t have = 0; have <= length; have++) {
		size_t header = 0;
		enum proxy_header found = find(bytes, have, &header);
		assert_int_equal(
		    found, have < header_length ? PROXY_HEADER_SHORT : PROXY_HEADER_WHOLE);
		if (found == PROXY_HEADER_WHOLE)
			assert_int_equal(header, header_length);
	}
}

static void version_1(void **state)
{
	(void)state;
	static const char ipv4[] = "PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\nEHLO x\r\n";
	header_is_found(ipv4, strlen(ipv4) - 8, strlen(ipv4));
	static const char unknown[] = "PROXY UNKNOWN\r\n";
	header_is_found(unknown, strlen(unknown), strlen(unknown));
}

static void version_1_at_its_limit(void **state)
{
	(void)state;
	enum { LIMIT = 107 };
	char line[LIMIT + 1] = "PROXY UNKNOWN ";
	size_t header;
	memset(line + 14, 'f', sizeof line - 14);
	line[LIMIT - 1] = '\n';
	header_is_found(line, LIMIT, sizeof line);
	line[LIMIT - 1] = 'f';
	line[LIMIT] = '\n';
	assert_int_equal(find(line, LIMIT - 1, &header), PROXY_HEADER_SHORT);
	assert_int_equal(find(line, LIMIT, &header), PROXY_HEADER_NONE);
	assert_int_equal(find(line, LIMIT + 1, &header), PROXY_HEADER_NONE);
}

static void version_2(void **state)
{
	(void)state;
	static const char ipv4[] = SIGNATURE "\x21\x11\x00\x0c"
	                                     "AAAABBBBccddEHLO x\r\n";
	header_is_found(ipv4, 16 + 12, sizeof ipv4 - 1);
	static const char local[] = SIGNATURE "\x20\x00\x00\x00";
	header_is_found(local, 16, sizeof local - 1);
	static char large[16 + 0x0123] = SIGNATURE "\x21\x21\x01\x23";
	header_is_found(large, sizeof large, sizeof large);
}

static void version_2_too_long(void **state)
{
	(void)state;
	static const char most[] = SIGNATURE "\x21\x11\x0f\xf0",
	                  more[] = SIGNATURE "\x21\x11\x0f\xf1";
	size_t header;
	assert_int_equal(find(most, 16, &header), PROXY_HEADER_SHORT);
	assert_int_equal(find(more, 15, &header), PROXY_HEADER_SHORT);
	assert_int_equal(find(more, 16, &header), PROXY_HEADER_NONE);
}

static void something_else(void **state)
{
	(void)state;
	static const char *const others[] = {"EHLO x\r\n", "PROXYTCP4 \r\n", "proxy TCP4\r\n", "P ",
	    "\r\n\r\nx", "\r\n.", "\x16\x03\x01"};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		size_t header;
		assert_int_equal(find(others[i], strlen(others[i]), &header), PROXY_HEADER_NONE);
	}
	// The last byte of the signature counts as well.
	size_t header;
	assert_int_equal(find("\r\n\r\n\0\r\nQUIT\r", 12, &header), PROXY_HEADER_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(version_1),
	    cmocka_unit_test(version_1_at_its_limit),
	    cmocka_unit_test(version_2),
	    cmocka_unit_test(version_2_too_long),
	    cmocka_unit_test(something_else),
	};
	return cmocka_run_group_tests_name("proxy_protocol", tests, NULL, NULL);
}
