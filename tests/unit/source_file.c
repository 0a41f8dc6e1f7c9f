// SPDX-License-Identifier: Apache-2.0
// The file source, on captures built byte by byte: formats, clocks, cut and damaged input,
// compression, pipes, filters.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/source.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef MAILTAP_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef MAILTAP_WITH_LIBZSTD
#include <zstd.h>
#endif
#ifdef MAILTAP_WITH_LIBLZMA
#include <lzma.h>
#endif

#define PCAP_MICROSECONDS 0xa1b2c3d4u
#define PCAP_NANOSECONDS 0xa1b23c4du
#define PCAP_MODIFIED 0xa1b2cd34u

// ---- Bytes of a file under construction

struct bytes {
	uint8_t *data;
	size_t length;
	bool big_endian;
};

static void put(struct bytes *bytes, const void *data, size_t length)
{
	bytes->data = realloc(bytes->data, bytes->length + length + 1);
	assert_non_null(bytes->data);
	if (length > 0)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

static void put_number(struct bytes *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		unsigned shift = 8 * (bytes->big_endian ? size - 1 - i : i);
		uint8_t byte = (uint8_t)(value >> shift);
		put(bytes, &byte, 1);
	}
}

static void put_fill(struct bytes *bytes, size_t length, uint8_t value)
{
	bytes->data = realloc(bytes->data, bytes->length + length + 1);
	assert_non_null(bytes->data);
	memset(bytes->data + bytes->length, value, length);
	bytes->length += length;
}

static void discard(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

static void put_pcap_header(struct bytes *file, uint32_t magic, uint32_t link_type)
{
	put_number(file, magic, 4);
	put_number(file, 2, 2);
	put_number(file, 4, 2);
	put_number(file, 0, 8);
	put_number(file, 0, 4); // no snap length
	put_number(file, link_type, 4);
}

static void put_pcap_record(struct bytes *file, uint32_t seconds, uint32_t fraction,
    uint32_t captured, uint32_t length, uint8_t value)
{
	put_number(file, seconds, 4);
	put_number(file, fraction, 4);
	put_number(file, captured, 4);
	put_number(file, length, 4);
	put_fill(file, captured, value);
}

static void put_block(struct bytes *file, uint32_t type, const struct bytes *body)
{
	size_t padding = (4 - body->length % 4) % 4;
	uint32_t total = (uint32_t)(12 + body->length + padding);
	put_number(file, type, 4);
	put_number(file, total, 4);
	put(file, body->data, body->length);
	put_fill(file, padding, 0);
	put_number(file, total, 4);
}

static void put_section(struct bytes *file)
{
	struct bytes body = {.big_endian = file->big_endian};
	put_number(&body, 0x1a2b3c4d, 4);
	put_number(&body, 1, 2);
	put_number(&body, 0, 2);
	put_number(&body, UINT64_MAX, 8);
	put_block(file, 0x0a0d0d0a, &body);
	discard(&body);
}

// `resolution`: if_tsresol, or -1 for none. `offset`: if_tsoffset, 0 for none.
static void put_interface(struct bytes *file, uint16_t link_type, int resolution, int64_t offset)
{
	struct bytes body = {.big_endian = file->big_endian};
	put_number(&body, link_type, 2);
	put_number(&body, 0, 2);
	put_number(&body, 65535, 4);
	if (resolution >= 0) {
		put_number(&body, 9, 2);
		put_number(&body, 1, 2);
		put_number(&body, (uint64_t)resolution, 1);
		put_fill(&body, 3, 0);
	}
	if (offset != 0) {
		put_number(&body, 14, 2);
		put_number(&body, 8, 2);
		put_number(&body, (uint64_t)offset, 8);
	}
	put_number(&body, 0, 4);
	put_block(file, 1, &body);
	discard(&body);
}

static void put_packet_block(
    struct bytes *file, uint32_t interface, uint64_t ticks, uint32_t captured, uint8_t value)
{
	struct bytes body = {.big_endian = file->big_endian};
	put_number(&body, interface, 4);
	put_number(&body, ticks >> 32, 4);
	put_number(&body, ticks & 0xffffffff, 4);
	put_number(&body, captured, 4);
	put_number(&body, captured, 4);
	put_fill(&body, captured, value);
	put_block(file, 6, &body);
	discard(&body);
}

// ---- Reading it

static struct source *open_bytes(const struct bytes *file, const char *filter, struct error *error)
{
	int descriptor = memfd_create("capture", MFD_CLOEXEC);
	assert_true(descriptor >= 0);
	assert_true(write(descriptor, file->data, file->length) == (ssize_t)file->length);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	struct source *source = source_file.open(path, filter, error);
	close(descriptor);
	return source;
}

enum { SEEN_MAX = 4096 };

struct outcome {
	bool opened;
	enum source_status end;
	size_t count;
	struct packet packets[SEEN_MAX]; // data: no longer valid
	uint8_t first_byte[SEEN_MAX], last_byte[SEEN_MAX];
	struct source_counters counters;
	struct error error;
};

static void read_source(struct source *source, struct outcome *outcome)
{
	struct packet_batch batch;
	while (
	    (outcome->end = source_file.next(source, &batch, &outcome->error)) == SOURCE_PACKETS ||
	    outcome->end == SOURCE_IDLE)
		for (size_t i = 0; i < batch.count; i++, outcome->count++) {
			const struct packet *packet = &batch.packets[i];
			uint32_t captured = packet->captured;
			assert_true(captured <= packet->length);
			assert_true(packet->time >= 0 && packet->time <= PACKET_TIME_MAX);
			if (outcome->count >= SEEN_MAX)
				continue;
			outcome->packets[outcome->count] = *packet;
			if (captured > 0) {
				outcome->first_byte[outcome->count] = packet->data[0];
				outcome->last_byte[outcome->count] = packet->data[captured - 1];
			}
		}
	assert_int_equal(batch.count, 0);
	struct error again;
	assert_int_equal(source_file.next(source, &batch, &again), outcome->end);
	if (outcome->end == SOURCE_FAILED)
		assert_string_equal(again.text, outcome->error.text);
	outcome->counters = source_file.counters(source);
	assert_int_equal(outcome->counters.packets, outcome->count);
	source_file.close(source);
}

// One at a time: the outcome is valid until the next call.
static const struct outcome *read_filtered(const struct bytes *file, const char *filter)
{
	static struct outcome outcome;
	outcome = (struct outcome){.end = SOURCE_FAILED};
	struct source *source = open_bytes(file, filter, &outcome.error);
	if (source != NULL) {
		outcome.opened = true;
		read_source(source, &outcome);
	}
	if (outcome.end == SOURCE_FAILED)
		assert_true(outcome.error.text[0] != '\0');
	return &outcome;
}

static const struct outcome *read_bytes(const struct bytes *file)
{
	return read_filtered(file, NULL);
}

static void assert_says(const struct outcome *outcome, const char *part)
{
	if (strstr(outcome->error.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", outcome->error.text, part);
}

// ---- pcap

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

// ---- pcapng

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

// ---- Files that end early, and files that are none

// `boundaries`: where records start, the first right behind the header.
static void assert_every_cut_is_noticed(
    const struct bytes *file, const size_t *boundaries, size_t boundary_count)
{
	for (size_t cut = boundaries[0]; cut < file->length; cut++) {
		struct bytes part = {.data = file->data, .length = cut};
		size_t whole = 0;
		bool clean = false;
		for (size_t i = 0; i < boundary_count; i++) {
			whole += i > 0 && cut >= boundaries[i];
			clean = clean || cut == boundaries[i];
		}
		const struct outcome *outcome = read_bytes(&part);
		assert_true(outcome->opened);
		assert_int_equal(outcome->count, whole);
		assert_int_equal(outcome->end, clean ? SOURCE_END : SOURCE_FAILED);
		if (!clean)
			assert_says(outcome, "the capture was cut off");
	}
}

static void assert_cut_header_is_refused(struct bytes *file, size_t from, size_t to)
{
	for (size_t cut = from; cut < to; cut++) {
		struct bytes part = {.data = file->data, .length = cut};
		const struct outcome *outcome = read_bytes(&part);
		assert_false(outcome->opened);
		assert_says(outcome, cut == 0  ? "it is empty"
		                     : cut < 4 ? "no capture file"
		                               : "ends inside its capture header");
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

static void what_is_no_capture_is_refused(void **state)
{
	(void)state;
	struct error error;
	assert_null(source_file.open("/nonexistent/a.pcap", NULL, &error));
	assert_non_null(strstr(error.text, "/nonexistent/a.pcap: No such file"));
	assert_null(source_file.open("/tmp", NULL, &error));
	assert_non_null(strstr(error.text, "it is a directory"));
	char path[4000];
	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	assert_null(source_file.open(path, NULL, &error));
	assert_non_null(strstr(error.text, "name too long"));
	struct bytes file = {0};
	put(&file, "From: a@example.org\n", 20);
	assert_says(read_bytes(&file), "no capture file mailtap can read");
	discard(&file);
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	file.data[4] = 3;
	assert_says(read_bytes(&file), "version 3.4");
	discard(&file);
	put_section(&file);
	file.data[12] = 2;
	assert_says(read_bytes(&file), "version 2");
	discard(&file);
	assert_ptr_equal(source_find("file"), &source_file);
	assert_null(source_find("cloud"));
}

// ---- Standard input

// Reads `file` from a socket on standard input that gives `step` bytes a read.
static void read_in_steps(const struct bytes *file, size_t step, struct outcome *outcome)
{
	int ends[2], saved = dup(STDIN_FILENO);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	pid_t writer = fork();
	if (writer == 0) {
		close(ends[0]);
		size_t count = 1; // the first bytes singly: they are read six at most
		for (size_t at = 0; at < file->length; at += count) {
			count = at < 6 ? 1 : step;
			count = file->length - at < count ? file->length - at : count;
			if (write(ends[1], file->data + at, count) < 0)
				_exit(1);
		}
		_exit(0);
	}
	close(ends[1]);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	close(ends[0]);
	*outcome = (struct outcome){.end = SOURCE_FAILED};
	struct source *source = source_file.open("-", NULL, &outcome->error);
	assert_non_null(source);
	read_source(source, outcome);
	assert_true(waitpid(writer, NULL, 0) == writer);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

static void input_in_small_pieces(void **state)
{
	(void)state;
	static struct outcome outcome;
	struct bytes pcap = {0}, pcapng = {.big_endian = true};
	put_pcap_header(&pcap, PCAP_NANOSECONDS, LINK_ETHERNET);
	put_section(&pcapng);
	put_interface(&pcapng, LINK_ETHERNET, 9, 0);
	for (uint32_t i = 0; i < 100; i++) {
		put_pcap_record(&pcap, 0, i, i, i, (uint8_t)i);
		put_packet_block(&pcapng, 0, i, i, (uint8_t)i);
	}
	for (size_t step = 1; step < 200; step = step * 3 + 1)
		for (int kind = 0; kind < 2; kind++) {
			read_in_steps(kind == 0 ? &pcap : &pcapng, step, &outcome);
			assert_int_equal(outcome.end, SOURCE_END);
			assert_int_equal(outcome.count, 100);
			assert_int_equal(outcome.packets[99].time, 99);
			assert_int_equal(outcome.last_byte[99], 99);
			assert_int_equal(outcome.counters.input_size, 0);
		}
	discard(&pcap);
	discard(&pcapng);
}

static void do_nothing(int number)
{
	(void)number;
}

// A capture that is still being written: what is there is given at once, a signal does not wait.
static void live_pipe_neither_holds_back_nor_hangs(void **state)
{
	(void)state;
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	put_pcap_record(&file, 1, 0, 60, 60, 1);
	int ends[2], saved = dup(STDIN_FILENO);
	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
	close(ends[0]);
	assert_true(write(ends[1], file.data, file.length - 1) > 0);
	struct error error;
	struct packet_batch batch;
	struct source *source = source_file.open("-", NULL, &error);
	assert_non_null(source);
	struct sigaction action = {.sa_handler = do_nothing}, before;
	sigaction(SIGALRM, &action, &before);
	ualarm(20000, 0);
	assert_int_equal(source_file.next(source, &batch, &error), SOURCE_IDLE);
	sigaction(SIGALRM, &before, NULL);
	assert_true(write(ends[1], file.data + file.length - 1, 1) == 1);
	assert_int_equal(source_file.next(source, &batch, &error), SOURCE_PACKETS);
	assert_int_equal(batch.count, 1);
	close(ends[1]);
	assert_int_equal(source_file.next(source, &batch, &error), SOURCE_END);
	source_file.close(source);
	dup2(saved, STDIN_FILENO);
	close(saved);
	discard(&file);
}

// ---- Compression

static struct bytes sample_capture(void)
{
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	for (uint32_t i = 0; i < 200; i++)
		put_pcap_record(&file, i, 0, 100 + i * 7 % 900, 1000, (uint8_t)(i * 31));
	return file;
}

typedef struct bytes (*compressor)(const uint8_t *data, size_t length);

#ifdef MAILTAP_WITH_ZLIB
static struct bytes gzip_of(const uint8_t *data, size_t length)
{
	z_stream stream = {0};
	assert_int_equal(
	    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	struct bytes packed = {.data = malloc(length + 1000)};
	uint8_t *copy = malloc(length + 1);
	memcpy(copy, data, length);
	stream.next_in = copy;
	stream.avail_in = (uInt)length;
	stream.next_out = packed.data;
	stream.avail_out = (uInt)length + 1000;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed.length = stream.total_out;
	deflateEnd(&stream);
	free(copy);
	return packed;
}
#endif

#ifdef MAILTAP_WITH_LIBZSTD
static struct bytes zstd_of(const uint8_t *data, size_t length)
{
	struct bytes packed = {.data = malloc(ZSTD_compressBound(length))};
	packed.length = ZSTD_compress(packed.data, ZSTD_compressBound(length), data, length, 3);
	assert_false(ZSTD_isError(packed.length));
	return packed;
}
#endif

#ifdef MAILTAP_WITH_LIBLZMA
static struct bytes xz_of(const uint8_t *data, size_t length)
{
	size_t bound = lzma_stream_buffer_bound(length);
	struct bytes packed = {.data = malloc(bound)};
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, length,
	                     packed.data, &packed.length, bound),
	    LZMA_OK);
	return packed;
}
#endif

static void assert_compression_works(compressor compress)
{
	struct bytes file = sample_capture(), packed = {0};
	// Three members or frames that end inside records, one of them of no bytes.
	const size_t cuts[] = {0, 12345, 12345, 40000, file.length};
	for (size_t i = 0; i + 1 < sizeof cuts / sizeof cuts[0]; i++) {
		struct bytes member = compress(file.data + cuts[i], cuts[i + 1] - cuts[i]);
		put(&packed, member.data, member.length);
		discard(&member);
	}
	const struct outcome *outcome = read_bytes(&packed);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 200);
	assert_int_equal(outcome->counters.input_read, packed.length);
	assert_int_equal(outcome->counters.input_size, packed.length);
	static struct outcome piecewise;
	read_in_steps(&packed, 1, &piecewise);
	assert_int_equal(piecewise.end, SOURCE_END);
	assert_int_equal(piecewise.count, 200);
	discard(&packed);
	packed = compress(file.data, file.length);
	for (size_t cut = 6; cut < packed.length; cut += 1 + packed.length / 300) {
		struct bytes part = {.data = packed.data, .length = cut};
		outcome = read_bytes(&part);
		assert_int_equal(outcome->end, SOURCE_FAILED);
		assert_true(outcome->count <= 200);
		assert_says(outcome, "the file was cut off");
	}
	for (size_t at = 6; at < packed.length; at += 1 + packed.length / 300) {
		packed.data[at] ^= 0x40;
		read_bytes(&packed); // whatever comes of it, it ends
		packed.data[at] ^= 0x40;
	}
	put(&packed, "not compressed", 14);
	outcome = read_bytes(&packed);
	assert_int_equal(outcome->count, 200);
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_says(outcome, "data is damaged");
	discard(&packed);
	discard(&file);
}

static void compressed_captures(void **state)
{
	(void)state;
#ifdef MAILTAP_WITH_ZLIB
	assert_compression_works(gzip_of);
#endif
#ifdef MAILTAP_WITH_LIBZSTD
	assert_compression_works(zstd_of);
#endif
#ifdef MAILTAP_WITH_LIBLZMA
	assert_compression_works(xz_of);
#endif
}

// ---- Filters

static void put_tcp(struct bytes *packet, uint8_t port)
{
	static const uint8_t start[] = {
	    0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x80, 0, 0};
	put(packet, start, sizeof start);
	put(packet, &port, 1);
	put_fill(packet, 16, 0);
}

static struct bytes mixed_capture(uint16_t second_link_type)
{
	struct bytes file = {0};
	put_section(&file);
	put_interface(&file, LINK_ETHERNET, 6, 0);
	put_interface(&file, second_link_type, 6, 0);
	for (uint32_t i = 0; i < 300; i++) {
		struct bytes body = {0}, packet = {0};
		if (i % 2 == 0) {
			put_fill(&packet, 12, 2);
			put(&packet, "\x08\x00", 2);
		}
		put_tcp(&packet, i % 3 == 0 ? 25 : 80);
		put_number(&body, i % 2, 4);
		put_number(&body, 0, 4);
		put_number(&body, i, 4);
		put_number(&body, packet.length, 4);
		put_number(&body, packet.length, 4);
		put(&body, packet.data, packet.length);
		put_block(&file, 6, &body);
		discard(&body);
		discard(&packet);
	}
	return file;
}

static void filter_keeps_what_matches(void **state)
{
	(void)state;
	struct bytes file = mixed_capture(LINK_RAW);
	const struct outcome *outcome = read_filtered(&file, "tcp port 25");
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 100);
	assert_int_equal(outcome->counters.filtered, 200);
	assert_int_equal(outcome->packets[1].time, 3000);
	assert_int_equal(outcome->packets[1].link_type, LINK_RAW);
	outcome = read_filtered(&file, "tcp port 110");
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->counters.filtered, 300);
	discard(&file);
}

static void filter_that_does_not_fit_is_told(void **state)
{
	(void)state;
	struct bytes file = mixed_capture(LINK_RAW);
	const struct outcome *outcome = read_filtered(&file, "tcp prt 25");
	assert_false(outcome->opened);
	assert_says(outcome, "cannot use filter 'tcp prt 25'");
	// Compiles for Ethernet, where it keeps the first packet, and not for raw IP.
	outcome = read_filtered(&file, "ether src 02:02:02:02:02:02");
	assert_true(outcome->opened);
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_int_equal(outcome->count, 1);
	assert_says(outcome, "ether src");
	discard(&file);
	file = mixed_capture(60000);
	outcome = read_filtered(&file, "tcp port 25");
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_int_equal(outcome->count, 1);
	assert_says(outcome, "link type 60000");
	discard(&file);
}

// ---- Garbage

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static struct bytes garbage(uint64_t *seed, unsigned kind)
{
	struct bytes file = {.big_endian = next_random(seed) % 2 != 0};
	if (kind == 0)
		put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	else
		put_section(&file);
	if (kind == 2)
		put_interface(&file, LINK_ETHERNET, (int)(next_random(seed) % 256), 0);
	size_t words = next_random(seed) % 200;
	for (size_t i = 0; i < words; i++) {
		// Small numbers, so that lengths and types are often likely ones.
		uint32_t value = next_random(seed), small = value % 7;
		put_number(&file, small < 3 ? value % 12 : small < 5 ? value % 64 * 4 : value, 4);
	}
	return file;
}

static void garbage_does_no_harm(void **state)
{
	(void)state;
	uint64_t seed = 25;
	for (unsigned round = 0; round < 9000; round++) {
		struct bytes file = garbage(&seed, round % 3);
		read_filtered(&file, round % 5 == 0 ? "tcp port 25" : NULL);
		discard(&file);
	}
}

static void damaged_bytes_do_no_harm(void **state)
{
	(void)state;
	uint64_t seed = 587;
	struct bytes files[] = {mixed_capture(LINK_RAW), sample_capture()};
	for (unsigned round = 0; round < 4000; round++) {
		const struct bytes *whole = &files[round % 2];
		struct bytes file = {0};
		put(&file, whole->data, whole->length < 6000 ? whole->length : 6000);
		for (unsigned changes = next_random(&seed) % 8; changes > 0; changes--)
			file.data[next_random(&seed) % file.length] = (uint8_t)next_random(&seed);
		read_bytes(&file);
		discard(&file);
	}
	discard(&files[0]);
	discard(&files[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pcap_of_every_magic_and_order_is_read),
	    cmocka_unit_test(pcap_length_below_captured_is_raised),
	    cmocka_unit_test(pcap_damaged_record_ends_the_reading),
	    cmocka_unit_test(packets_across_reads_are_whole),
	    cmocka_unit_test(records_end_anywhere_around_a_read),
	    cmocka_unit_test(pcapng_clocks_are_understood),
	    cmocka_unit_test(pcapng_interfaces_and_sections_keep_apart),
	    cmocka_unit_test(pcapng_other_blocks),
	    cmocka_unit_test(pcapng_damage_is_counted_or_told),
	    cmocka_unit_test(pcap_cut_anywhere),
	    cmocka_unit_test(pcapng_cut_anywhere),
	    cmocka_unit_test(what_is_no_capture_is_refused),
	    cmocka_unit_test(input_in_small_pieces),
	    cmocka_unit_test(live_pipe_neither_holds_back_nor_hangs),
	    cmocka_unit_test(compressed_captures),
	    cmocka_unit_test(filter_keeps_what_matches),
	    cmocka_unit_test(filter_that_does_not_fit_is_told),
	    cmocka_unit_test(garbage_does_no_harm),
	    cmocka_unit_test(damaged_bytes_do_no_harm),
	};
	return cmocka_run_group_tests_name("source_file", tests, NULL, NULL);
}
