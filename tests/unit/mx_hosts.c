// SPDX-License-Identifier: Apache-2.0
// Names that lead to an address, for as long as answers are good.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/mx_hosts.h"

#include <stdio.h>
#include <string.h>

#define NOW SECONDS((nanoseconds)1700000000)

static struct dns_parsed parsed; // too large for a stack
static struct dns_memory *memory;
static struct mx_hosts *hosts;
static struct mx_names names;

static int set_up(void **state)
{
	(void)state;
	memory = dns_memory_create();
	hosts = mx_hosts_create();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	mx_hosts_destroy(hosts);
	dns_memory_destroy(memory);
	return 0;
}

static struct dns_name name_of(const char *text)
{
	struct dns_name name = {.length = 0};
	size_t at = 0;
	for (; *text != '\0'; text += *text == '.') {
		size_t length = strcspn(text, ".");
		name.bytes[at++] = (uint8_t)length;
		memcpy(name.bytes + at, text, length);
		at += length;
		text += length;
	}
	name.length = (uint8_t)(at + 1);
	return name;
}

static void take(
    const char *text, uint16_t type, int64_t second, const void *data, size_t length, bool asked)
{
	struct dns_name name = name_of(text);
	const struct dns_message message = {.time = NOW + SECONDS(second)};
	parsed = (struct dns_parsed){
	    .answer = true, .recursion_available = true, .type = type, .name = name, .count = 1};
	parsed.records[0] = (struct dns_record){.type = length > 0 ? type : DNS_SOA,
	    .section = length > 0 ? DNS_ANSWER : DNS_AUTHORITY,
	    .ttl = 300,
	    .owner = parsed.name.bytes,
	    .owner_length = name.length,
	    .data = data,
	    .data_length = (uint16_t)length};
	assert_int_not_equal(dns_memory_take(memory, &message, &parsed, asked), DNS_NOTHING);
	mx_hosts_note(hosts, memory, &name, type);
}

static void exchange(const char *domain, const char *host, int64_t second)
{
	uint8_t data[2 + DNS_NAME_MAX] = {0, 10};
	struct dns_name name = name_of(host);
	memcpy(data + 2, name.bytes, name.length);
	take(domain, DNS_MX, second, data, 2u + name.length, true);
}

static void address(const char *host, uint8_t last, int64_t second)
{
	const uint8_t data[4] = {192, 0, 2, last};
	take(host, DNS_A, second, data, sizeof data, true);
}

static void find(uint8_t last, int64_t second)
{
	const struct ip_address ip = {{[10] = 0xff, 0xff, 192, 0, 2, last}};
	mx_hosts_find(hosts, &ip, NOW + SECONDS(second), &names);
}

static void the_way_to_an_address(void **state)
{
	(void)state;
	address("mx.example.org", 1, -1); // of no domain, as far as is known
	find(1, 0);
	assert_int_equal(names.count, 0);
	exchange("example.org", "mx.example.org", 0);
	address("mx.example.org", 1, 1);
	find(1, 0); // before it
	assert_int_equal(names.count, 0);
	find(1, 1);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.names[0].text, "mx.example.org");
	find(1, 301);
	assert_int_equal(names.count, 1);
	find(1, 302); // it is no longer good
	assert_int_equal(names.count, 0);
	find(2, 1);
	assert_int_equal(names.count, 0);
}

static void what_is_said_again_goes_on(void **state)
{
	(void)state;
	exchange("example.org", "mx.example.org", 0);
	address("mx.example.org", 1, 1);
	exchange("example.org", "mx.example.org", 200);
	address("mx.example.org", 1, 300);
	find(1, 1); // a session that began then goes on
	assert_int_equal(names.count, 1);
	find(1, 600);
	assert_int_equal(names.count, 1);
	exchange("example.org", "mx.example.org", 1000); // there was a time in between
	address("mx.example.org", 1, 1000);
	find(1, 900);
	assert_int_equal(names.count, 0);
	find(1, 1000);
	assert_int_equal(names.count, 1);
}

static void no_exchange(void **state)
{
	(void)state;
	take("example.org", DNS_MX, 0, NULL, 0, true); // the domain is its host
	address("example.org", 1, 1);
	find(1, 1);
	assert_int_equal(names.count, 1);
	take("example.net", DNS_MX, 0, "\0\0", 3, true); // it takes no mail: RFC 7505
	address("example.net", 2, 1);
	find(2, 1);
	assert_int_equal(names.count, 0);
}

static void only_what_was_asked_for(void **state)
{
	static const uint8_t data[4] = {192, 0, 2, 1};
	(void)state;
	exchange("example.org", "mx.example.org", 0);
	take("mx.example.org", DNS_A, 1, data, 4, false);
	find(1, 1);
	assert_int_equal(names.count, 0);
}

static void addresses_of_version_6(void **state)
{
	static const uint8_t data[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	struct ip_address ip;
	(void)state;
	memcpy(ip.bytes, data, 16);
	exchange("example.org", "mx.example.org", 0);
	take("mx.example.org", DNS_AAAA, 1, data, 16, true);
	mx_hosts_find(hosts, &ip, NOW + SECONDS(1), &names);
	assert_int_equal(names.count, 1);
}

static void name_host(unsigned number, int64_t second)
{
	char host[64];
	snprintf(host, sizeof host, "mx%u.example.org", number);
	exchange("example.org", host, second);
	address(host, 1, second);
}

static void many_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MX_NAMES_MAX; i++)
		name_host(i, 0);
	find(1, 1);
	assert_true(names.count == MX_NAMES_MAX && !names.more);
	name_host(MX_NAMES_MAX, 1);
	find(1, 1);
	assert_true(names.count == MX_NAMES_MAX && names.more);
	assert_int_equal(mx_hosts_given_up(hosts), 1);
	find(1,
	    300); // the others are of no more use, and then it is known again that there are no more
	assert_true(names.more);
	name_host(99, 301);
	find(1, 302);
	assert_true(names.count == 1 && !names.more);
	assert_string_equal(names.names[0].text, "mx99.example.org");
}

static void many_addresses(void **state)
{
	unsigned found = 0;
	(void)state;
	exchange("example.org", "mx.example.org", 0);
	for (uint32_t i = 0; i < 60000; i++) {
		uint8_t data[16] = {
		    0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		take("mx.example.org", DNS_AAAA, 1, data, 16, true);
	}
	for (uint32_t i = 0; i < 60000; i++) {
		struct ip_address ip = {
		    {0x20, 1, 0xd, 0xb8, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
		mx_hosts_find(hosts, &ip, NOW + SECONDS(1), &names);
		found += names.count;
	}
	assert_in_range(found, 8192, 16384);
	assert_int_equal(mx_hosts_given_up(hosts), 60000 - found);
}

// Of more than are kept, the newest are: the first of them leads to its address, and the one before does not any more.
static void many_hosts(void **state)
{
	enum { HOSTS = 65536, MORE = 1000 };
	char host[64];
	(void)state;
	for (unsigned i = 0; i < HOSTS + MORE; i++) {
		snprintf(host, sizeof host, "mx%u.example.org", i);
		exchange("example.org", host, 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		snprintf(host, sizeof host, "mx%u.example.org", MORE - 1 + i);
		address(host, (uint8_t)i, 1);
		find((uint8_t)i, 1);
		assert_int_equal(names.count, i);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_way_to_an_address),
	    TEST(what_is_said_again_goes_on),
	    TEST(no_exchange),
	    TEST(only_what_was_asked_for),
	    TEST(addresses_of_version_6),
	    TEST(many_names),
	    TEST(many_addresses),
	    TEST(many_hosts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
