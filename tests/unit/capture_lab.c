// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/capture_lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// ---- Building

// Room for more bytes; at least twice as much as there was, as files are built byte by byte.
static void reserve(struct bytes *bytes, size_t more)
{
	if (bytes->data != NULL && bytes->length + more < bytes->size)
		return;
	bytes->size = 2 * bytes->length + more + 1;
	bytes->data = realloc(bytes->data, bytes->size);
	assert_non_null(bytes->data);
}

void put(struct bytes *bytes, const void *data, size_t length)
{
	reserve(bytes, length);
	if (length > 0)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

void put_number(struct bytes *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++) {
		unsigned shift = 8 * (bytes->big_endian ? size - 1 - i : i);
		uint8_t byte = (uint8_t)(value >> shift);
		put(bytes, &byte, 1);
	}
}

void put_fill(struct bytes *bytes, size_t length, uint8_t value)
{
	reserve(bytes, length);
	memset(bytes->data + bytes->length, value, length);
	bytes->length += length;
}

void discard(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

void put_pcap_header(struct bytes *file, uint32_t magic, uint32_t link_type)
{
	put_number(file, magic, 4);
	put_number(file, 2, 2);
	put_number(file, 4, 2);
	put_number(file, 0, 8);
	put_number(file, 0, 4); // no snap length
	put_number(file, link_type, 4);
}

void put_pcap_record(struct bytes *file, uint32_t seconds, uint32_t fraction, uint32_t captured,
    uint32_t length, uint8_t value)
{
	put_number(file, seconds, 4);
	put_number(file, fraction, 4);
	put_number(file, captured, 4);
	put_number(file, length, 4);
	put_fill(file, captured, value);
}

void put_block(struct bytes *file, uint32_t type, const struct bytes *body)
{
	size_t padding = (4 - body->length % 4) % 4;
	uint32_t total = (uint32_t)(12 + body->length + padding);
	put_number(file, type, 4);
	put_number(file, total, 4);
	put(file, body->data, body->length);
	put_fill(file, padding, 0);
	put_number(file, total, 4);
}

void put_section(struct bytes *file)
{
	struct bytes body = {.big_endian = file->big_endian};
	put_number(&body, 0x1a2b3c4d, 4);
	put_number(&body, 1, 2);
	put_number(&body, 0, 2);
	put_number(&body, UINT64_MAX, 8);
	put_block(file, 0x0a0d0d0a, &body);
	discard(&body);
}

void put_interface(struct bytes *file, uint16_t link_type, int resolution, int64_t offset)
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

void put_packet_block(
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

struct bytes sample_capture(void)
{
	struct bytes file = {0};
	put_pcap_header(&file, PCAP_MICROSECONDS, LINK_ETHERNET);
	for (uint32_t i = 0; i < 200; i++)
		put_pcap_record(&file, i, 0, 100 + i * 7 % 900, 1000, (uint8_t)(i * 31));
	return file;
}

// ---- Reading

static struct source *open_bytes(const struct bytes *file, const char *filter, struct error *error)
{
	int descriptor = memfd_create("capture", MFD_CLOEXEC);
	assert_true(descriptor >= 0);
	assert_true(write(descriptor, file->data, file->length) == (ssize_t)file->length);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
	struct source *source = source_file.open(
	    &(struct source_request){.target = path, .filter = filter}, error);
	close(descriptor);
	return source;
}

static void read_source(struct source *source, struct outcome *outcome)
{
	struct packet_batch batch;
	while (
	    (outcome->end = source_file.next(source, 0, &batch, &outcome->error)) == SOURCE_PACKETS ||
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
	assert_int_equal(source_file.next(source, 0, &batch, &again), outcome->end);
	if (outcome->end == SOURCE_FAILED)
		assert_string_equal(again.text, outcome->error.text);
	outcome->counters = source_file.counters(source);
	assert_int_equal(outcome->counters.packets, outcome->count);
	source_file.close(source);
}

const struct outcome *read_filtered(const struct bytes *file, const char *filter)
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

const struct outcome *read_bytes(const struct bytes *file)
{
	return read_filtered(file, NULL);
}

void assert_says(const struct outcome *outcome, const char *part)
{
	if (strstr(outcome->error.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", outcome->error.text, part);
}

void read_in_steps(const struct bytes *file, size_t step, struct outcome *outcome)
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
	struct source *source = source_file.open(&(struct source_request){.target = "-"}, &outcome->error);
	assert_non_null(source);
	read_source(source, outcome);
	assert_true(waitpid(writer, NULL, 0) == writer);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

void assert_every_cut_is_noticed(
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

void assert_cut_header_is_refused(struct bytes *file, size_t from, size_t to)
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
