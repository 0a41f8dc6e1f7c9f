// SPDX-License-Identifier: Apache-2.0
// The list of servers known to be good: what it means, and that a mistake in it is told with its line.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/server_baseline.h"
#include "analytics/server_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static bool read_list(struct server_baseline *baseline, const char *list, struct error *error)
{
	// A copy of its own, so that a byte too many is noticed.
	size_t length = strlen(list);
	uint8_t *bytes = malloc(length > 0 ? length : 1);
	assert_non_null(bytes);
	memcpy(bytes, list, length);
	*error = (struct error){""};
	bool good = server_baseline_read(baseline, "good.list", bytes, length, error);
	free(bytes);
	return good;
}

static const struct baseline_server *at(
    const struct server_baseline *baseline, const char *server, uint16_t port)
{
	struct ip_address address;
	struct host_name name;
	if (server_address_read(server, &address))
		return server_baseline_address(baseline, &address, port);
	assert_true(host_name_read(view_of((const uint8_t *)server, strlen(server)), &name));
	return server_baseline_name(baseline, &name, port);
}

static void a_good_list(void **state)
{
	static const char list[] = "# servers\n"
	                           "\n"
	                           "  192.0.2.25\t25 starttls   # the old one\r\n"
	                           "2001:DB8:0::25 25 starttls " DIGITS "\n"
	                           "MX.Example.COM. 25 starttls\n"
	                           "192.0.2.25 465 tls " DIGITS " "
	                           "ff:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:"
	                           "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF";
	struct server_baseline *baseline = server_baseline_create();
	struct error error;
	(void)state;
	assert_true(read_list(baseline, list, &error));
	assert_string_equal(error.text, "");
	assert_int_equal(server_baseline_count(baseline), 4);
	assert_false(at(baseline, "192.0.2.25", 25)->tls);
	assert_int_equal(at(baseline, "192.0.2.25", 25)->pin_count, 0);
	assert_true(at(baseline, "192.0.2.25", 465)->tls);
	assert_int_equal(at(baseline, "192.0.2.25", 465)->pin_count, 2);
	assert_int_equal(at(baseline, "192.0.2.25", 465)->pins[1][0], 0xff);
	assert_int_equal(at(baseline, "2001:db8::25", 25)->pin_count, 1);
	assert_int_equal(at(baseline, "2001:db8::25", 25)->pins[0][31], 0xff);
	assert_non_null(at(baseline, "mx.example.com", 25));
	assert_null(at(baseline, "mx.example.com", 587));
	assert_null(at(baseline, "192.0.2.26", 25));
	assert_true(read_list(baseline, "", &error));
	server_baseline_destroy(baseline);
}

// Each of these is refused, at the line said, for the reason said.
static void mistakes(void **state)
{
	static const struct {
		const char *list, *said;
	} cases[] = {
	    {"192.0.2.25 25", "good.list:1: something is missing"},
	    {"# one\n192.0.2.25\n", "good.list:2: something is missing"},
	    {"192.0.2.25 25 starttls\n192.0.2.25 25 tls", "good.list:2: this server and port"},
	    {"a.example 25 tls\nA.EXAMPLE. 25 tls", "good.list:2: this server and port"},
	    {"192.0.2.256 25 starttls", "good.list:1: its first word"},
	    {"localhost 25 starttls", "good.list:1: its first word"},
	    {"mx..example 25 starttls", "good.list:1: its first word"},
	    {"mx.ex\x1b"
	     "ample 25 starttls",
	        "good.list:1: its first word"},
	    {"[2001:db8::1] 25 starttls", "good.list:1: its first word"},
	    {"mx.example 0 starttls", "good.list:1: its second word"},
	    {"mx.example 65536 starttls", "good.list:1: its second word"},
	    {"mx.example 25x starttls", "good.list:1: its second word"},
	    {"mx.example -25 starttls", "good.list:1: its second word"},
	    {"mx.example 000025 starttls", "good.list:1: its second word"},
	    {"mx.example 25 STARTTLS", "good.list:1: its third word"},
	    {"mx.example 25 starttls abc", "good.list:1: what follows"},
	    {"mx.example 25 starttls " DIGITS "0", "good.list:1: what follows"},
	    {"mx.example 25 starttls :" DIGITS, "good.list:1: what follows"},
	    {"a.b 25 tls " DIGITS " " DIGITS " " DIGITS " " DIGITS " " DIGITS,
	        "good.list:1: too many words"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct server_baseline *baseline = server_baseline_create();
		struct error error;
		assert_false(read_list(baseline, cases[i].list, &error));
		if (strncmp(error.text, cases[i].said, strlen(cases[i].said)) != 0)
			fail_msg("%s instead of %s", error.text, cases[i].said);
		server_baseline_destroy(baseline);
	}
}

static void bytes_of_any_kind(void **state)
{
	static const uint8_t zero[] = "mx.example 25 star\0tls";
	char word[2048];
	struct error error;
	(void)state;
	struct server_baseline *baseline = server_baseline_create();
	assert_false(server_baseline_read(baseline, "x", zero, sizeof zero - 1, &error));
	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_false(read_list(baseline, word, &error));
	assert_int_equal(server_baseline_count(baseline), 0);
	server_baseline_destroy(baseline);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_list),
	    cmocka_unit_test(mistakes),
	    cmocka_unit_test(bytes_of_any_kind),
	};
	return cmocka_run_group_tests_name("server_baseline", tests, NULL, NULL);
}
