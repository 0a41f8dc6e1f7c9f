// SPDX-License-Identifier: Apache-2.0
// pcapng files: clocks, interfaces and sections, blocks of other kinds, damage, cuts.
#include "tests/unit/capture_lab.h"

#include <string.h>

static void pcapng_clocks_are_understood(void **state)
{
	(void)state;
	static const struct {
		int resolution;
		int64_t offset;
		uint64_t ticks;
		nanoseconds time;
	} clocks[] = {
	    {-1, 0, 1700000000123456, 1700000000123456000},
	    {6, 0, 1700000000123456, 1700000000123456000},
	    {9, 0, 1700000000123456789, 1700000000123456789},
	    {0, 0, 1700000000, 1700000000000000000},
	    {3, 0, 1700000000123, 1700000000123000000},
	    {10, 0, 17000000001234567899u, 1700000000123456789},
	    {12, 1700000000, 123456789999, 1700000000123456789},
	    {12, 0, UINT64_MAX, 18446744073709551},
	    {28, 0, UINT64_MAX, 1},
	    {40, 5, UINT64_MAX, 5000000000},
	    {0x80 | 20, 0, (1700000000ull << 20) + (1 << 19), 1700000000500000000},
	    {0x80 | 32, 1000000000, (700000000ull << 32) + (1u << 31), 1700000000500000000},
	    {0x80 | 127, 0, UINT64_MAX, 0},
	    {6, -100, 1700000100123456, 1700000000123456000},
	    {6, -1700000000, 5, 0}, // before 1970
	    {6, INT64_MIN, 5, 0},
	    {6, INT64_MAX, 5, PACKET_TIME_MAX},
	    {0, 0, UINT64_MAX, PACKET_TIME_MAX},
	    {0, INT64_MIN, UINT64_MAX, 854775807},
	};
	for (size_t i = 0; i < 2 * sizeof clocks / sizeof clocks[0]; i++) {
		struct bytes file = {.big_endian = i % 2 != 0};
		put_section(&file);
		put_interface(&file, LINK_ETHERNET, clocks[i / 2].resolution, clocks[i / 2].offset);
		put_packet_block(&file, 0, clocks[i / 2].ticks, 61, 9);
		const struct outcome *outcome = read_bytes(&file);
		assert_int_equal(outcome->end, SOURCE_END);
		assert_int_equal(outcome->count, 1);
		assert_int_equal(outcome->packets[0].time, clocks[i / 2].time);
		assert_int_equal(outcome->last_byte[0], 9);
		discard(&file);
	}
}

static void pcapng_interfaces_and_sections_keep_apart(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_section(&file);
	put_interface(&file, LINK_ETHERNET, 6, 0);
	put_interface(&file, LINK_RAW, 9, 0);
	put_packet_block(&file, 1, 5, 40, 1);
	put_packet_block(&file, 0, 5, 41, 2);
	put_packet_block(&file, 2, 5, 41, 2); // no such interface
	file.big_endian = true;
	put_section(&file);
	put_packet_block(&file, 0, 5, 41, 2); // none in this section
	put_interface(&file, LINK_LINUX_SLL2, 3, 0);
	put_packet_block(&file, 0, 5, 42, 3);
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 3);
	assert_int_equal(outcome->counters.damaged, 2);
	assert_int_equal(outcome->packets[0].link_type, LINK_RAW);
	assert_int_equal(outcome->packets[0].interface, 1);
	assert_int_equal(outcome->packets[0].time, 5);
	assert_int_equal(outcome->packets[1].link_type, LINK_ETHERNET);
	assert_int_equal(outcome->packets[1].time, 5000);
	assert_int_equal(outcome->packets[2].link_type, LINK_LINUX_SLL2);
	assert_int_equal(outcome->packets[2].time, 5000000);
	discard(&file);
}

// What interface 0 lost so far.
static void put_statistics(
    struct bytes *file, uint64_t dropped_by_interface, uint64_t dropped_by_system)
{
	struct bytes body = {.big_endian = file->big_endian};
	put_number(&body, 0, 4);
	put_number(&body, 0, 8);
	put_number(&body, 5, 2);
	put_number(&body, 8, 2);
	put_number(&body, dropped_by_interface, 8);
	put_number(&body, 7, 2);
	put_number(&body, 8, 2);
	put_number(&body, dropped_by_system, 8);
	put_block(file, 5, &body);
	discard(&body);
}

static void pcapng_other_blocks(void **state)
{
	(void)state;
	struct bytes file = {.big_endian = true}, body = {.big_endian = true};
	put_section(&file);
	put_fill(&body, 1000003, 0xaa);
	put_block(&file, 0x40000bad, &body); // unknown, and larger than any buffer
	put_interface(&file, LINK_ETHERNET, 9, 0);
	discard(&body);
	body.big_endian = true;
	put_number(&body, 0, 2); // obsolete packet: interface, drops, time, lengths
	put_number(&body, 0xffff, 2);
	put_number(&body, 0, 4);
	put_number(&body, 77, 4);
	put_number(&body, 3, 4);
	put_number(&body, 9, 4);
	put(&body, "abc", 3);
	put_block(&file, 2, &body);
	discard(&body);
	body.big_endian = true;
	put_number(&body, 5, 4); // simple packet
	put(&body, "vwxyz", 5);
	put_block(&file, 3, &body);
	discard(&body);
	put_statistics(&file, 10, 3);
	put_statistics(&file, 20, 3);
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 2);
	assert_int_equal(outcome->packets[0].time, 77);
	assert_int_equal(outcome->packets[0].length, 9);
	assert_int_equal(outcome->last_byte[0], 'c');
	assert_int_equal(outcome->packets[1].time, 77);
	assert_int_equal(outcome->packets[1].captured, 5);
	assert_int_equal(outcome->first_byte[1], 'v');
	assert_int_equal(outcome->last_byte[1], 'z');
	assert_int_equal(outcome->counters.capture_dropped, 23);
	discard(&file);
}

static void more_interfaces_than_are_kept(void **state)
{
	enum { KEPT = 65535 };
	(void)state;
	struct bytes file = {0};
	put_section(&file);
	for (uint32_t i = 0; i < KEPT + 2; i++)
		put_interface(&file, LINK_ETHERNET, 6, 0);
	put_packet_block(&file, KEPT - 1, 1, 60, 1);
	put_packet_block(&file, KEPT, 2, 60, 1);
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 1);
	assert_int_equal(outcome->counters.damaged, 2 + 1);
	discard(&file);
}

static void pcapng_damage_is_counted_or_told(void **state)
{
	(void)state;
	struct bytes start = {0};
	put_section(&start);
	put_interface(&start, LINK_ETHERNET, 6, 0);
	put_packet_block(&start, 0, 1, 60, 1);
	size_t length = start.length;
	put_packet_block(&start, 0, 1, 60, 1);
	put_packet_block(&start, 0, 2, 60, 1);
	// Byte offsets within the second packet block, a value for them, and what comes of it.
	static const struct {
		size_t offset;
		uint32_t value;
		size_t packets;
		const char *says; // NULL: counted and passed over
	} damages[] = {
	    {20, 61, 2, NULL}, // more captured than the block has room for
	    {20, 0xffffffff, 2, NULL}, // far more
	    {8, 70000, 2, NULL}, // no such interface
	    {0, 0x0a0d0d0a, 1, "no byte-order magic"},
	    {4, 0, 1, "impossible length"},
	    {4, 93, 1, "impossible length"},
	    {4, 96, 1, "two lengths there differ"},
	    {88, 96, 1, "two lengths there differ"},
	    {4, 1 << 20, 1, "ends inside a block"},
	};
	for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
		struct bytes file = {0};
		put(&file, start.data, start.length);
		memcpy(file.data + length + damages[i].offset, &damages[i].value, 4);
		const struct outcome *outcome = read_bytes(&file);
		assert_int_equal(outcome->count, damages[i].packets);
		assert_int_equal(outcome->counters.damaged, 1);
		assert_int_equal(
		    outcome->end, damages[i].says == NULL ? SOURCE_END : SOURCE_FAILED);
		if (damages[i].says != NULL)
			assert_says(outcome, damages[i].says);
		discard(&file);
	}
	discard(&start);
}

static void pcapng_cut_anywhere(void **state)
{
	(void)state;
	struct bytes file = {0};
	size_t boundaries[4];
	put_section(&file);
	size_t section = file.length;
	put_interface(&file, LINK_ETHERNET, 6, 0);
	for (uint32_t i = 0; i < 4; i++) {
		boundaries[i] = file.length;
		put_packet_block(&file, 0, i, 20 * i, 1);
	}
	// A section alone is a capture without packets.
	struct bytes alone = {.data = file.data, .length = section};
	assert_int_equal(read_bytes(&alone)->end, SOURCE_END);
	assert_cut_header_is_refused(&file, 0, section);
	assert_cut_header_is_refused(&file, section + 1, boundaries[0]);
	assert_every_cut_is_noticed(&file, boundaries, 4);
	discard(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pcapng_clocks_are_understood),
	    cmocka_unit_test(pcapng_interfaces_and_sections_keep_apart),
	    cmocka_unit_test(pcapng_other_blocks),
	    cmocka_unit_test(more_interfaces_than_are_kept),
	    cmocka_unit_test(pcapng_damage_is_counted_or_told),
	    cmocka_unit_test(pcapng_cut_anywhere),
	};
	return cmocka_run_group_tests_name("container_pcapng", tests, NULL, NULL);
}
