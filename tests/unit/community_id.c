// SPDX-License-Identifier: Apache-2.0
// Community ID v1: vectors of its specification, both directions, and edges of its order computed with
// another implementation of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/community_id.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(addresses_of_both_versions),
	};
	return cmocka_run_group_tests_name("community_id", tests, NULL, NULL);
}
