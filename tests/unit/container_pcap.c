// SPDX-License-Identifier: Apache-2.0
// pcap files: every magic and byte order, damage, cuts, and records that lie across reads.
#include "tests/unit/capture_lab.h"

static void pcap_of_every_magic_and_order_is_read(void **state)
{
	(void)state;
	const uint32_t magics[] = {PCAP_MICROSECONDS, PCAP_NANOSECONDS, PCAP_MODIFIED};
	for (size_t i = 0; i < 6; i++) {
		struct bytes file = {.big_endian = i >= 3};
		uint32_t magic = magics[i % 3];
		put_pcap_header(&file, magic, 0x24000000 | LINK_LINUX_SLL); // with FCS length
		for (uint8_t n = 0; n < 3; n++) {
			put_number(&file, 4000000000, 4);
			put_number(&file, 999999, 4);
			put_number(&file, 10 + n, 4);
			put_number(&file, 100, 4);
			put_fill(&file, magic == PCAP_MODIFIED ? 8 : 0, 0xee);
			put_fill(&file, 10 + n, n);
		}
		const struct outcome *outcome = read_bytes(&file);
		assert_int_equal(outcome->end, SOURCE_END);
		assert_int_equal(outcome->count, 3);
		assert_int_equal(outcome->packets[1].time,
		    SECONDS(4000000000) +
		        (magic == PCAP_NANOSECONDS ? 999999 : 999999 * (nanoseconds)1000));
		assert_int_equal(outcome->packets[1].link_type, LINK_LINUX_SLL);
		assert_int_equal(outcome->packets[2].captured, 12);
		assert_int_equal(outcome->packets[2].length, 100);
		assert_int_equal(outcome->first_byte[2], 2);
		assert_int_equal(outcome->last_byte[2], 2);
		assert_int_equal(outcome->counters.cut_packets, 3);
		assert_int_equal(outcome->counters.bytes, 300);
		assert_int_equal(outcome->counters.input_read, file.length);
		assert_int_equal(outcome->counters.input_size, file.length);
		discard(&file);
	}
}

static void pcap_length_below_captured_is_raised(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	put_pcap_record(&file, 1, 0, 60, 20, 7);
	put_pcap_record(&file, 1, 0, 0, 0, 7);
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 2);
	assert_int_equal(outcome->packets[0].length, 60);
	assert_int_equal(outcome->packets[1].captured, 0);
	discard(&file);
}

static void pcap_damaged_record_ends_the_reading(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	put_pcap_record(&file, 1, 0, 60, 60, 7);
	put_pcap_record(&file, 2, 0, 60, 60, 7);
	put_number(&file, 0, 8);
	put_number(&file, 262145, 4);
	put_fill(&file, 300000, 0);
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_int_equal(outcome->count, 2);
	assert_int_equal(outcome->counters.damaged, 1);
	assert_says(outcome, "is damaged at offset 176");
	assert_says(outcome, "262145");
	assert_says(outcome, "the 2 packets before it were read");
	discard(&file);
}

static void packets_across_reads_are_whole(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	uint32_t sizes[40];
	for (uint32_t i = 0; i < 40; i++) {
		sizes[i] = i % 7 == 0 ? 262144 : i * 6553;
		put_pcap_record(&file, i, 0, sizes[i], sizes[i], (uint8_t)i);
	}
	const struct outcome *outcome = read_bytes(&file);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 40);
	for (uint32_t i = 0; i < 40; i++) {
		assert_int_equal(outcome->packets[i].captured, sizes[i]);
		assert_int_equal(outcome->packets[i].time, SECONDS(i));
		assert_int_equal(outcome->first_byte[i], i);
		assert_int_equal(outcome->last_byte[i], i);
	}
	discard(&file);
}

// Records that put a header at every place relative to the end of a 512 KiB read.
static void records_end_anywhere_around_a_read(void **state)
{
	(void)state;
	for (uint32_t before = 0; before < 80; before++) {
		struct bytes file = {0};
		put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
		put_pcap_record(&file, 1, 0, 262144, 262144, 1);
		uint32_t rest = 512 * 1024 - 24 - 16 - 262144 - 16 - before;
		put_pcap_record(&file, 2, 0, rest, rest, 2);
		put_pcap_record(&file, 3, 0, 40, 40, 3);
		put_pcap_record(&file, 4, 0, 40, 40, 4);
		const struct outcome *outcome = read_bytes(&file);
		assert_int_equal(outcome->end, SOURCE_END);
		assert_int_equal(outcome->count, 4);
		assert_int_equal(outcome->first_byte[2], 3);
		assert_int_equal(outcome->last_byte[3], 4);
		discard(&file);
	}
}

static void pcap_cut_anywhere(void **state)
{
	(void)state;
	struct bytes file = {0};
	size_t boundaries[5];
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	for (uint32_t i = 0; i < 5; i++) {
		boundaries[i] = file.length;
		put_pcap_record(&file, i, i, 20 * i, 20 * i, 1);
	}
	assert_cut_header_is_refused(&file, 0, boundaries[0]);
	assert_every_cut_is_noticed(&file, boundaries, 5);
	discard(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pcap_of_every_magic_and_order_is_read),
	    cmocka_unit_test(pcap_length_below_captured_is_raised),
	    cmocka_unit_test(pcap_damaged_record_ends_the_reading),
	    cmocka_unit_test(packets_across_reads_are_whole),
	    cmocka_unit_test(records_end_anywhere_around_a_read),
	    cmocka_unit_test(pcap_cut_anywhere),
	};
	return cmocka_run_group_tests_name("container_pcap", tests, NULL, NULL);
}
