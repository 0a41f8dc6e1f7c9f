// SPDX-License-Identifier: Apache-2.0
// Packets by hand for unit tests: a recipe names the headers from the outermost to the TCP segment,
// and they are put in front of each other from the inside out, each naming the one behind it.
// Used by the tests of headers and fragments.
#ifndef MAILTAP_TESTS_UNIT_PACKETS_H
#define MAILTAP_TESTS_UNIT_PACKETS_H

#include "decode/headers.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUILT_MAX = 70000 };

// A packet being built: its bytes are the last `length` of the array.
struct built {
	uint8_t room[BUILT_MAX];
	uint32_t length;
	uint32_t segment; // bytes of TCP whose checksum still waits for addresses, or 0
	uint16_t ethertype; // how an Ethernet header names what is at the front
	uint8_t protocol; // how IP does
};

static inline uint8_t *built_data(struct built *built)
{
	return built->room + BUILT_MAX - built->length;
}

static inline uint8_t *built_prepend(struct built *built, const void *bytes, uint32_t count)
{
	assert(built->length + count <= BUILT_MAX);
	built->length += count;
	return memcpy(built_data(built), bytes, count);
}

static inline void put_u16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
	put_u16(at, value >> 16);
	put_u16(at + 2, value);
}

// Ones' complement sum by the book, two bytes at a time (RFC 1071 4.1).
static inline uint32_t sum_by_the_book(const uint8_t *bytes, uint32_t count, uint32_t sum)
{
	for (uint32_t i = 0; i < count; i++)
		sum += (uint32_t)bytes[i] << (i % 2 == 0 ? 8 : 0);
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline void built_start(struct built *built, const char *text)
{
	built->length = built->segment = 0;
	built_prepend(built, text, (uint32_t)strlen(text));
}

static inline void prepend_tcp(struct built *built, uint16_t from, uint16_t to, uint32_t options)
{
	uint8_t header[60] = {
	    [8] = 0x11, [9] = 0x22, [10] = 0x33, [11] = 0x44, [14] = 0x20, [15] = 1};
	put_u16(header, from);
	put_u16(header + 2, to);
	put_u32(header + 4, 0xfedcba98);
	header[12] = (uint8_t)((20 + options) / 4 << 4);
	header[13] = TCP_ACK | TCP_PSH;
	memset(header + 20, 1, options); // no operation
	built_prepend(built, header, 20 + options);
	built->segment = built->length;
	built->protocol = 6;
}

// Fills the checksum of the TCP segment, for the addresses of the first IP header in front of it.
static inline void fill_checksum(struct built *built, const uint8_t *addresses, uint32_t size)
{
	uint8_t *tcp = built->room + BUILT_MAX - built->segment;
	if (built->segment == 0)
		return;
	put_u16(tcp + 16, 0);
	uint32_t sum = sum_by_the_book(addresses, 2 * size, 6 + built->segment);
	put_u16(tcp + 16, ~sum_by_the_book(tcp, built->segment, sum) & 0xffff);
	built->segment = 0;
}

// 192.0.2.1 to 198.51.100.2; `depth` tells nested headers apart. `flags` are the fragment's fields.
static inline void prepend_ipv4(
    struct built *built, uint8_t depth, uint32_t options, uint16_t flags)
{
	uint8_t header[60] = {[4] = 0x12, [5] = 0x34, [8] = 63};
	const uint8_t addresses[8] = {
	    192, 0, 2, (uint8_t)(1 + depth), 198, 51, 100, (uint8_t)(2 + depth)};
	fill_checksum(built, addresses, 4);
	header[0] = (uint8_t)(0x40 | (20 + options) / 4);
	put_u16(header + 2, 20 + options + built->length);
	put_u16(header + 6, flags);
	header[9] = built->protocol;
	memcpy(header + 12, addresses, 8);
	memset(header + 20, 1, options); // no operation
	built_prepend(built, header, 20 + options);
	built->ethertype = 0x0800;
	built->protocol = 4;
}

// 2001:db8::1 to 2001:db8::2, likewise.
static inline void prepend_ipv6(struct built *built, uint8_t depth)
{
	uint8_t header[40] = {0x60, [7] = 62, [8] = 0x20, 1, 0x0d,
	    0xb8, [23] = (uint8_t)(1 + depth), [24] = 0x20, 1, 0x0d,
	    0xb8, [39] = (uint8_t)(2 + depth)};
	fill_checksum(built, header + 8, 16);
	put_u16(header + 4, built->length);
	header[6] = built->protocol;
	built_prepend(built, header, 40);
	built->ethertype = 0x86dd;
	built->protocol = 41;
}

// An IPv6 extension header of `size` bytes; byte 1 as it is given.
static inline void prepend_extension(
    struct built *built, uint8_t own, uint8_t length_field, uint32_t size)
{
	uint8_t header[64] = {built->protocol, length_field};
	built_prepend(built, header, size);
	built->protocol = own;
}

static inline void prepend_fragment_header(
    struct built *built, uint32_t offset, bool more, uint32_t id)
{
	uint8_t header[8] = {built->protocol};
	put_u16(header + 2, offset | more);
	put_u32(header + 4, id);
	built_prepend(built, header, 8);
	built->protocol = 44;
}

static inline void prepend_udp(struct built *built, uint16_t to)
{
	uint8_t header[8] = {0xc0, 0x01};
	put_u16(header + 2, to);
	put_u16(header + 4, 8 + built->length);
	built_prepend(built, header, 8);
	built->protocol = 17;
}

// A header that ends in the ethertype of what follows.
static inline void prepend_with_ethertype(
    struct built *built, const uint8_t *bytes, uint32_t count, uint16_t own)
{
	uint8_t header[32];
	memcpy(header, bytes, count);
	put_u16(header + count, built->ethertype);
	built_prepend(built, header, count + 2);
	built->ethertype = own;
}

static inline void prepend_tag(struct built *built, uint16_t own, uint16_t vlan)
{
	const uint8_t tag[2] = {(uint8_t)(0x60 | vlan >> 8), (uint8_t)vlan};
	prepend_with_ethertype(built, tag, 2, own);
}

static inline void prepend_ethernet(struct built *built)
{
	const uint8_t addresses[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	prepend_with_ethertype(built, addresses, 12, 0x6558);
	built->protocol = 143;
}

// GRE version 0 with the options its flags ask for.
static inline void prepend_gre(struct built *built, uint16_t flags)
{
	uint8_t header[16] = {0};
	uint32_t size = 4 + 4u * (uint32_t)__builtin_popcount(flags & 0xb000);
	put_u16(header, flags);
	put_u16(header + 2, built->ethertype);
	built_prepend(built, header, size);
	built->protocol = 47;
}

#endif
