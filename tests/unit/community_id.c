// SPDX-License-Identifier: Apache-2.0
// Community ID v1: vectors of its specification, both directions, and edges of its order computed with
// another implementation of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/community_id.h"
#include "analytics/server_key.h"

#include <arpa/inet.h>
#include <string.h>

static struct ip_address address_of(const char *text)
{
	struct ip_address address = {{[10] = 0xff, [11] = 0xff}};
	if (strchr(text, ':') != NULL)
		assert_int_equal(inet_pton(AF_INET6, text, address.bytes), 1);
	else
		assert_int_equal(inet_pton(AF_INET, text, address.bytes + 12), 1);
	return address;
}

static void vectors(void **state)
{
	static const struct {
		const char *address[2];
		uint16_t port[2];
		const char *expected;
	} cases[] = {
	    // published
	    {{"128.232.110.120", "66.35.250.204"}, {34855, 80}, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
	    {{"2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a"}, {63943, 25},
	        "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="},
	    // the same address twice: ports decide; bytes above 0x7f are unsigned
	    {{"192.0.2.1", "192.0.2.1"}, {25, 40000}, "1:ihuWYorTM8KEh2Z9YOUK/9WlrNU="},
	    {{"2001:db8::1", "2001:db8::2"}, {40000, 25}, "1:sWs/g/aiCKWSk0k3VFY0PL2HzU4="},
	    {{"1.2.3.4", "250.1.2.3"}, {143, 1}, "1:UHTci7I/MjFf7eDzdKDLWc0DsJU="},
	};
	(void)state;
	struct community_hash *hash = community_hash_create();
	assert_non_null(hash);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (int turned = 0; turned <= 1; turned++) {
			const struct ip_address address[2] = {address_of(cases[i].address[turned]),
			    address_of(cases[i].address[1 - turned])};
			const uint16_t port[2] = {cases[i].port[turned], cases[i].port[1 - turned]};
			char id[COMMUNITY_ID_SIZE];
			memset(id, 'x', sizeof id);
			community_id(hash, id, address, port);
			assert_string_equal(id, cases[i].expected);
		}
	}
	community_hash_destroy(hash);
}

static void addresses_of_both_versions(void **state)
{
	(void)state;
	const struct ip_address v4 = address_of("0.0.0.1"), v6 = address_of("::1"),
	                        compatible = address_of("::1.2.3.4");
	assert_true(ip_address_is_v4(&v4));
	assert_false(ip_address_is_v4(&v6));
	assert_false(ip_address_is_v4(&compatible));
}

// With and without groups of zeros, at each place.
static void addresses_are_written_as_by_the_library(void **state)
{
	(void)state;
	static const uint16_t groups[] = {0, 0, 1, 0xf0, 0xabc, 0xffff};
	enum { KINDS = sizeof groups / sizeof groups[0], ALL = KINDS * KINDS * KINDS * KINDS };
	for (unsigned choice = 0; choice < ALL; choice++) {
		for (unsigned pattern = 0; pattern < 256; pattern += 5) {
			struct ip_address address;
			unsigned rest = choice;
			for (unsigned i = 0; i < 8; i++) {
				uint16_t group = pattern >> i & 1 ? groups[rest % KINDS] : 0;
				rest = pattern >> i & 1 ? rest / KINDS : rest;
				address.bytes[2 * i] = (uint8_t)(group >> 8);
				address.bytes[2 * i + 1] = (uint8_t)group;
			}
			char text[SERVER_ADDRESS_TEXT], expected[INET6_ADDRSTRLEN];
			bool v4 = ip_address_is_v4(&address);
			server_address_write(&address, text);
			inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes + (v4 ? 12 : 0), expected,
			    sizeof expected);
			assert_string_equal(text, expected);
		}
	}
	for (unsigned byte = 0; byte < 256; byte++) {
		struct ip_address address = {
		    {[10] = 0xff, [11] = 0xff, [12] = (uint8_t)byte, [15] = (uint8_t)(255 - byte)}};
		char text[SERVER_ADDRESS_TEXT], expected[INET6_ADDRSTRLEN];
		server_address_write(&address, text);
		inet_ntop(AF_INET, address.bytes + 12, expected, sizeof expected);
		assert_string_equal(text, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(addresses_of_both_versions),
	    cmocka_unit_test(addresses_are_written_as_by_the_library),
	};
	return cmocka_run_group_tests_name("community_id", tests, NULL, NULL);
}
