// SPDX-License-Identifier: Apache-2.0
// Where to listen: what is an address, what is none, and that one can listen there.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/listen_address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void addresses(void **state)
{
	static const char *const rows[][2] = {
	    {"127.0.0.1:9479", "127.0.0.1:9479"},
	    {"9479", "127.0.0.1:9479"},
	    {"[::1]:9479", "[::1]:9479"},
	    {"[2001:db8:0::1]:65535", "[2001:db8::1]:65535"},
	    {"0.0.0.0:1", "0.0.0.0:1"},
	    {"192.0.2.1:0", "192.0.2.1:0"},
	    {"[::]:80", "[::]:80"},
	    {"[0000:0000:0000:0000:0000:ffff:192.168.100.228]:65535",
	        "[::ffff:192.168.100.228]:65535"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct listen_address address;
		struct error error = {""};
		char text[LISTEN_ADDRESS_TEXT];
		assert_true(listen_address_read(rows[i][0], &address, "--listen", &error));
		listen_address_text(text, &address);
		assert_string_equal(text, rows[i][1]);
	}
}

static void none(void **state)
{
	static const char *const rows[] = {"", ":", ":9479", "127.0.0.1", "127.0.0.1:", "::1:9479",
	    "[::1]", "[::1]9479", "[::1:9479", "::1]:9479", "[]:9479", "[:9479", "]:9479",
	    "localhost:9479", "*:9479", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
	    "127.0.0.1: 1", "127.0.0.1:9479 ", "127.0.0.1:0x10", "127.1:9479", "256.0.0.1:1",
	    "[::1%lo]:9479", "[127.0.0.1]:9479", "127.0.0.1:18446744073709561095",
	    "[0000:0000:0000:0000:0000:ffff:192.168.100.2280000000]:1", "\n:1"};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct listen_address address;
		struct error error = {""};
		if (listen_address_read(rows[i], &address, "--listen", &error))
			fail_msg("\"%s\" was taken", rows[i]);
		assert_non_null(strstr(error.text, "--listen: "));
		assert_null(strchr(error.text, '\n'));
	}
}

static void listening(void **state)
{
	struct listen_address address, again;
	struct error error = {""};
	char text[LISTEN_ADDRESS_TEXT];
	(void)state;
	assert_true(listen_address_read("127.0.0.1:0", &address, "--listen", &error));
	int listener = listen_address_open(&address, &error);
	assert_true(listener >= 0);
	assert_int_not_equal(address.v4.sin_port, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(client, &address.any, address.length), 0);
	again = address;
	assert_int_equal(listen_address_open(&again, &error), -1);
	listen_address_text(text, &address);
	assert_non_null(strstr(error.text, text));
	assert_non_null(strstr(error.text, "in use"));
	close(client);
	close(listener);
	assert_true(listen_address_read("192.0.2.1:1", &address, "--listen", &error));
	assert_int_equal(listen_address_open(&address, &error), -1); // nobody's address
	assert_non_null(strstr(error.text, "192.0.2.1:1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses),
	    cmocka_unit_test(none),
	    cmocka_unit_test(listening),
	};
	return cmocka_run_group_tests_name("listen_address", tests, NULL, NULL);
}
