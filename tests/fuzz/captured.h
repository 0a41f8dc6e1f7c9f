// SPDX-License-Identifier: Apache-2.0
// A capture in memory whose packets can be changed and moved: what packet_mutator.c works on. Each packet has
// room to grow. One byte of the file's header that nobody reads (of "sigfigs") holds a run's settings.
#ifndef MAILTAP_TESTS_FUZZ_CAPTURED_H
#define MAILTAP_TESTS_FUZZ_CAPTURED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CAPTURED_PACKETS_MAX = 256,
	CAPTURED_PACKET_MAX = 2048, // bytes; captures with longer packets are not read
	CAPTURED_HEADER = 24,
	CAPTURED_SETTINGS = 12, // where in the header
};

struct captured_packet {
	uint64_t time; // microseconds, or half as many nanoseconds: what the file says
	uint32_t captured, length;
	uint32_t slot; // of its bytes
};

struct captured {
	uint8_t header[CAPTURED_HEADER];
	uint32_t link_type;
	uint32_t count, filled;
	struct captured_packet packets[CAPTURED_PACKETS_MAX];
	uint8_t slots[2 * CAPTURED_PACKETS_MAX][CAPTURED_PACKET_MAX];
};

// Where the headers of a segment begin, from the packet's first byte.
struct place {
	uint32_t ip, tcp, payload;
	uint32_t length; // of the payload, as captured
	uint8_t version; // of IP
};

// False: it is no pcap file of this byte order, or has larger packets than fit. What is beyond
// CAPTURED_PACKETS_MAX is left out.
bool captured_read(struct captured *captured, const uint8_t *data, size_t size);

// As many packets as fit; returns the bytes.
size_t captured_write(const struct captured *captured, uint8_t *data, size_t max_size);

uint8_t *captured_bytes(struct captured *captured, const struct captured_packet *packet);

void captured_remove(struct captured *captured, uint32_t number);

// Puts a copy of packet `number` at place `to`. False: there is no room.
bool captured_insert(struct captured *captured, uint32_t number, uint32_t to);

// Puts a copy of a packet of another capture at the end. False: there is no room.
bool captured_add(struct captured *captured, const struct captured *other, uint32_t number);

// False: there is no TCP segment, behind no more than Ethernet, tags and IP.
bool captured_find_tcp(
    struct captured *captured, const struct captured_packet *packet, struct place *place);

// Gives a segment another length of payload, its bytes being there already, and makes all else fit.
void captured_resize(struct captured *captured, struct captured_packet *packet,
    const struct place *place, uint32_t length);

void captured_fix_checksums(
    struct captured *captured, const struct captured_packet *packet, const struct place *place);

void captured_add32(uint8_t *bytes, uint32_t value);

#endif
