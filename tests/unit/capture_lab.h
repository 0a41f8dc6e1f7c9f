// SPDX-License-Identifier: Apache-2.0
// Captures built byte by byte, and what the file source makes of them.
#ifndef MAILTAP_TESTS_UNIT_CAPTURE_LAB_H
#define MAILTAP_TESTS_UNIT_CAPTURE_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/source.h"

#define PCAP_MICROSECONDS 0xa1b2c3d4u
#define PCAP_NANOSECONDS 0xa1b23c4du
#define PCAP_MODIFIED 0xa1b2cd34u

// ---- Building

// A file, or a part of one, under construction; starts as {0}, or as {.big_endian = true}.
struct bytes {
	uint8_t *data;
	size_t length, size; // of what is there, and of the room for it
	bool big_endian;
};

void put(struct bytes *bytes, const void *data, size_t length);
void put_number(struct bytes *bytes, uint64_t value, unsigned size);
void put_fill(struct bytes *bytes, size_t length, uint8_t value);
void discard(struct bytes *bytes);

void put_pcap_header(struct bytes *file, uint32_t magic, uint32_t link_type);
void put_pcap_record(struct bytes *file, uint32_t seconds, uint32_t fraction, uint32_t captured,
    uint32_t length, uint8_t value);

void put_block(struct bytes *file, uint32_t type, const struct bytes *body);
void put_section(struct bytes *file);
// `resolution`: if_tsresol, or -1 for none. `offset`: if_tsoffset, 0 for none.
void put_interface(struct bytes *file, uint16_t link_type, int resolution, int64_t offset);
void put_packet_block(
    struct bytes *file, uint32_t interface, uint64_t ticks, uint32_t captured, uint8_t value);

// A pcap file of 200 packets.
struct bytes sample_capture(void);

// ---- Reading

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

// One at a time: the outcome is valid until the next call. `filter`: NULL for none.
const struct outcome *read_filtered(const struct bytes *file, const char *filter);
const struct outcome *read_bytes(const struct bytes *file);

// Reads `file` from a socket on standard input that gives `step` bytes a read.
void read_in_steps(const struct bytes *file, size_t step, struct outcome *outcome);

void assert_says(const struct outcome *outcome, const char *part);

// Reads the file cut short at every place behind its header. `boundaries`: where records start, the
// first right behind the header.
void assert_every_cut_is_noticed(
    const struct bytes *file, const size_t *boundaries, size_t boundary_count);

// Reads the file cut short at every place in [from, to), which are inside its header.
void assert_cut_header_is_refused(struct bytes *file, size_t from, size_t to);

#endif
