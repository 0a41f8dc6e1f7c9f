// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/dns_filter.h"

#include <string.h>

// A message of a header, with these figures, and a question for a name of these labels.
struct made {
	size_t length;
	uint8_t bytes[DNS_MESSAGE_LONGEST + 64];
};

static void put_u16(struct made *made, uint16_t value)
{
	made->bytes[made->length++] = (uint8_t)(value >> 8);
	made->bytes[made->length++] = (uint8_t)value;
}

static void put(struct made *made, const void *bytes, size_t length)
{
	memcpy(made->bytes + made->length, bytes, length);
	made->length += length;
}

static void make(struct made *made, uint16_t flags, uint16_t answers, const char *labels,
    size_t length, uint16_t type)
{
	made->length = 0;
	put_u16(made, 77);
	put_u16(made, flags);
	put_u16(made, 1);
	put_u16(made, answers);
	put_u16(made, 0);
	put_u16(made, 0);
	put(made, labels, length);
	put_u16(made, type);
	put_u16(made, 1);
}

#define MAKE(made, flags, answers, labels, type) \
	make(made, flags, answers, labels, sizeof(labels), type)

static void what_is_of_use(void **state)
{
	struct made made;
	(void)state;
	MAKE(&made, 0x0100, 0, "\x07" "example\x03" "org", DNS_MX);
	struct dns_look look = dns_look(made.bytes, made.length);
	assert_int_equal(look.outcome, DNS_OF_USE);
	assert_false(look.answer);
	assert_int_equal(look.id, 77);
	assert_int_equal(look.type, DNS_MX);
	assert_int_equal(look.name_length, 13);
	made.bytes[2] = 0x81;
	assert_true(dns_look(made.bytes, made.length).answer);
	MAKE(&made, 0x0100, 0, "\x07" "example\x03" "org", 64); // SVCB
	assert_int_equal(dns_look(made.bytes, made.length).outcome, DNS_OTHER);
	MAKE(&made, 0x2800, 0, "\x07" "example\x03" "org", DNS_MX); // UPDATE
	assert_int_equal(dns_look(made.bytes, made.length).outcome, DNS_OTHER);
	MAKE(&made, 0x0100, 1, "\x07" "example\x03" "org", DNS_MX); // a question with an answer
	assert_int_equal(dns_look(made.bytes, made.length).outcome, DNS_OTHER);
}

static void what_is_malformed(void **state)
{
	struct made made;
	(void)state;
	MAKE(&made, 0x0100, 0, "\x07" "example\x03" "org", DNS_MX);
	for (size_t length = 0; length < made.length; length++)
		assert_int_equal(dns_look(made.bytes, length).outcome, DNS_MALFORMED);
	MAKE(&made, 0x0100, 0, "\xc0\x0c", DNS_MX); // a question has nothing to point to
	assert_int_equal(dns_look(made.bytes, made.length).outcome, DNS_MALFORMED);
	MAKE(&made, 0x0100, 0, "\x40" "a", DNS_MX);
	assert_int_equal(dns_look(made.bytes, made.length).outcome, DNS_MALFORMED);
}

// A label has 63 bytes, a name 255.
static void lengths_of_names(void **state)
{
	struct made made;
	char labels[300];
	(void)state;
	for (size_t last = 60; last <= 62; last++) { // 3 * 64 + 1 + 61 + 1 is 255
		memset(labels, 'a', sizeof labels);
		labels[0] = labels[64] = labels[128] = 63;
		labels[192] = (char)last;
		labels[193 + last] = '\0';
		make(&made, 0x0100, 0, labels, 194 + last, DNS_TXT);
		struct dns_look look = dns_look(made.bytes, made.length);
		assert_int_equal(look.outcome, last <= 61 ? DNS_OF_USE : DNS_MALFORMED);
		uint8_t name[DNS_NAME_MAX];
		size_t offset = DNS_HEADER_SIZE;
		size_t read = dns_read_name(made.bytes, made.length, &offset, name);
		assert_int_equal(read, last <= 61 ? 194 + last : 0);
	}
}

// A name behind as many pointers, each to the one before.
static size_t read_behind(unsigned pointers)
{
	struct made made = {.length = 0};
	uint8_t name[DNS_NAME_MAX];
	put(&made, "\x01x", 3);
	for (unsigned i = 0; i < pointers; i++)
		put_u16(&made, (uint16_t)(0xc000 | (i == 0 ? 0 : made.length - 2)));
	size_t offset = made.length - 2;
	size_t length = dns_read_name(made.bytes, made.length, &offset, name);
	if (length > 0)
		assert_int_equal(offset, made.length);
	return length;
}

static void pointers(void **state)
{
	(void)state;
	assert_int_equal(read_behind(1), 3);
	assert_int_equal(read_behind(16), 3);
	assert_int_equal(read_behind(17), 0);
	static const uint8_t itself[] = {0xc0, 0x00}, ahead[] = {0xc0, 0x02, 0x00},
	                     circle[] = {0x01, 'x', 0xc0, 0x00};
	uint8_t name[DNS_NAME_MAX];
	size_t offset = 0;
	assert_int_equal(dns_read_name(itself, sizeof itself, &offset, name), 0);
	assert_int_equal(dns_read_name(ahead, sizeof ahead, &offset, name), 0);
	assert_int_equal(dns_read_name(circle, sizeof circle, &offset, name), 0);
	offset = 2;
	assert_int_equal(dns_read_name(circle, sizeof circle, &offset, name), 0);
}

static bool take(struct dns_filter *filter, struct dns_counters *counters, const struct made *made,
    size_t length)
{
	const struct dns_message message = {.bytes = made->bytes,
	    .captured = (uint32_t)made->length,
	    .length = (uint32_t)length};
	return dns_filter_take(filter, counters, &message);
}

static void addresses_of_mail_hosts_alone(void **state)
{
	struct dns_filter *filter = dns_filter_create();
	struct dns_counters counters = {0};
	struct made question, answer;
	(void)state;
	MAKE(&question, 0x0100, 0, "\x02" "Mx\x07" "example\x03" "org", DNS_A);
	assert_false(take(filter, &counters, &question, question.length));
	MAKE(&answer, 0x8180, 1, "\x07" "example\x03" "org", DNS_MX);
	put(&answer, "\xc0\x0c\0\x0f\0\x01\0\0\x0e\x10\0\x07\0\x0a\x02mX\xc0\x0c", 19);
	assert_true(take(filter, &counters, &answer, answer.length));
	assert_true(take(filter, &counters, &question, question.length));
	// A domain without MX is its own host.
	MAKE(&question, 0x0100, 0, "\x05" "plain", DNS_AAAA);
	assert_false(take(filter, &counters, &question, question.length));
	MAKE(&answer, 0x8180, 0, "\x05" "plain", DNS_MX);
	assert_true(take(filter, &counters, &answer, answer.length));
	assert_true(take(filter, &counters, &question, question.length));
	assert_int_equal(counters.seen, 6);
	assert_int_equal(counters.other, 2);
	dns_filter_destroy(filter);
}

// A host takes the place of another one by its hash: what was seen last is known, the rest may be forgotten.
static void many_hosts(void **state)
{
	enum { ROOM = 1 << 16, NAMES = 4 * ROOM };
	struct dns_filter *filter = dns_filter_create();
	struct dns_counters counters = {0};
	unsigned known = 0;
	struct made made;
	(void)state;
	for (unsigned i = 0; i < 2 * NAMES; i++) {
		const unsigned n = i % NAMES;
		const char labels[] = {4, (char)('a' + (n >> 15)), (char)('a' + (n >> 10 & 31)),
		    (char)('a' + (n >> 5 & 31)), (char)('a' + (n & 31)), 0};
		made = (struct made){.length = 0};
		make(&made, i < NAMES ? 0x8180 : 0x0100, 0, labels, sizeof labels,
		    i < NAMES ? DNS_MX : DNS_A);
		bool kept = take(filter, &counters, &made, made.length);
		assert_true(kept || i >= NAMES);
		known += kept && i >= NAMES;
	}
	assert_in_range(known, ROOM / 2, ROOM);
	dns_filter_destroy(filter);
}

// The last of as many hosts as are kept of one answer, and of one more.
static void hosts_of_one_answer(void **state)
{
	(void)state;
	for (unsigned count = 32; count <= 33; count++) {
		struct dns_filter *filter = dns_filter_create();
		struct dns_counters counters = {0};
		struct made made;
		MAKE(&made, 0x8180, (uint16_t)count, "\x07" "example\x03" "org", DNS_MX);
		for (unsigned i = 0; i < count; i++) {
			put(&made, "\xc0\x0c\0\x0f\0\x01\0\0\x0e\x10\0\x06\0\x0a\x01", 15);
			put(&made, &(char){(char)('0' + i)}, 1);
			put(&made, "\xc0\x0c", 2);
		}
		assert_true(take(filter, &counters, &made, made.length));
		const char last[] = {1, (char)('0' + count - 1), 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3,
		    'o', 'r', 'g', 0};
		make(&made, 0x0100, 0, last, sizeof last, DNS_A);
		assert_int_equal(take(filter, &counters, &made, made.length), count == 32);
		dns_filter_destroy(filter);
	}
}

// A referral: `servers` records NS, and then a DS, for a question about an address.
static struct dns_look look_at_referral(uint16_t flags, uint16_t servers, uint16_t last)
{
	static struct made made;
	MAKE(&made, flags, 0, "\x03www\x07" "example\x03" "org", DNS_A);
	made.bytes[9] = (uint8_t)(servers + 1);
	for (unsigned i = 0; i <= servers; i++) {
		put(&made, "\xc0\x10", 2);
		put_u16(&made, i < servers ? 2 : last);
		put(&made, "\0\1\0\0\0\1\0\4abcd", 12);
	}
	struct dns_counters counters = {0};
	struct dns_filter *filter = dns_filter_create();
	struct dns_look look = dns_look(made.bytes, made.length);
	const struct dns_message message = {.bytes = made.bytes,
	    .captured = (uint32_t)made.length,
	    .length = (uint32_t)made.length};
	assert_int_equal(dns_filter_take(filter, &counters, &message), look.refers);
	dns_filter_destroy(filter);
	return look;
}

static void referrals(void **state)
{
	(void)state;
	assert_true(look_at_referral(0x8000, 2, DNS_DS).refers);
	assert_true(look_at_referral(0x8000, 31, DNS_DS).refers);
	assert_false(look_at_referral(0x8000, 32, DNS_DS).refers);
	assert_false(look_at_referral(0x8000, 2, DNS_NSEC).refers);
	assert_false(look_at_referral(0x8400, 2, DNS_DS).refers); // it is of the zone itself
	assert_false(look_at_referral(0x8003, 2, DNS_DS).refers);
	assert_false(look_at_referral(0x0000, 2, DNS_DS).refers); // a question
}

static void what_is_left_out(void **state)
{
	struct dns_counters counters = {0};
	struct made made;
	(void)state;
	MAKE(&made, 0x8180, 0, "\x07" "example\x03" "org", DNS_MX);
	assert_false(take(NULL, &counters, &made, made.length + 1)); // cut
	made.length = DNS_MESSAGE_LONGEST;
	assert_true(take(NULL, &counters, &made, made.length));
	made.length++;
	assert_false(take(NULL, &counters, &made, made.length));
	assert_int_equal(counters.left_out, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_of_use),
	    cmocka_unit_test(what_is_malformed),
	    cmocka_unit_test(lengths_of_names),
	    cmocka_unit_test(pointers),
	    cmocka_unit_test(addresses_of_mail_hosts_alone),
	    cmocka_unit_test(many_hosts),
	    cmocka_unit_test(hosts_of_one_answer),
	    cmocka_unit_test(referrals),
	    cmocka_unit_test(what_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
