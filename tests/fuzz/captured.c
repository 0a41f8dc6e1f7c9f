// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/captured.h"

#include "tests/unit/packets.h"

#include <string.h>

enum {
	RECORD_HEADER = 16,
	TCP_SIZE = 20,
	MILLION = 1000000,
};

static const uint32_t micro_magic = 0xa1b2c3d4, nano_magic = 0xa1b23c4d;

static uint32_t word_at(const uint8_t *bytes)
{
	uint32_t word;
	memcpy(&word, bytes, sizeof word);
	return word;
}

static uint16_t u16_at(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

uint8_t *captured_bytes(struct captured *captured, const struct captured_packet *packet)
{
	return captured->slots[packet->slot];
}

bool captured_read(struct captured *captured, const uint8_t *data, size_t size)
{
	captured->count = captured->filled = 0;
	if (size < CAPTURED_HEADER || (word_at(data) != micro_magic && word_at(data) != nano_magic))
		return false;
	memcpy(captured->header, data, CAPTURED_HEADER);
	captured->link_type = word_at(data + 20) & 0xffff;
	for (size_t at = CAPTURED_HEADER; size - at >= RECORD_HEADER;) {
		const uint8_t *record = data + at;
		struct captured_packet packet = {
		    .time = (uint64_t)word_at(record) * MILLION + word_at(record + 4) % MILLION,
		    .captured = word_at(record + 8),
		    .length = word_at(record + 12),
		    .slot = captured->filled,
		};
		at += RECORD_HEADER;
		if (packet.captured > size - at || packet.captured > CAPTURED_PACKET_MAX)
			return captured->count > 0;
		if (captured->count == CAPTURED_PACKETS_MAX)
			break;
		memcpy(captured->slots[captured->filled++], data + at, packet.captured);
		captured->packets[captured->count++] = packet;
		at += packet.captured;
	}
	return captured->count > 0;
}

size_t captured_write(const struct captured *captured, uint8_t *data, size_t max_size)
{
	size_t at = CAPTURED_HEADER;
	if (max_size < CAPTURED_HEADER)
		return 0;
	memcpy(data, captured->header, CAPTURED_HEADER);
	for (uint32_t i = 0; i < captured->count; i++) {
		const struct captured_packet *packet = &captured->packets[i];
		const uint32_t head[] = {(uint32_t)(packet->time / MILLION),
		    (uint32_t)(packet->time % MILLION), packet->captured, packet->length};
		if (packet->captured + sizeof head > max_size - at)
			break;
		memcpy(data + at, head, sizeof head);
		memcpy(data + at + sizeof head, captured->slots[packet->slot], packet->captured);
		at += sizeof head + packet->captured;
	}
	return at;
}

void captured_remove(struct captured *captured, uint32_t number)
{
	captured->count--;
	memmove(&captured->packets[number], &captured->packets[number + 1],
	    (captured->count - number) * sizeof captured->packets[0]);
}

static bool has_room(const struct captured *captured)
{
	return captured->count < CAPTURED_PACKETS_MAX &&
	       captured->filled < 2 * CAPTURED_PACKETS_MAX;
}

bool captured_insert(struct captured *captured, uint32_t number, uint32_t to)
{
	if (!has_room(captured))
		return false;
	struct captured_packet packet = captured->packets[number];
	packet.slot = captured->filled++;
	memcpy(captured->slots[packet.slot], captured->slots[captured->packets[number].slot],
	    CAPTURED_PACKET_MAX);
	if (to > 0)
		packet.time = captured->packets[to - 1].time;
	memmove(&captured->packets[to + 1], &captured->packets[to],
	    (captured->count - to) * sizeof captured->packets[0]);
	captured->packets[to] = packet;
	captured->count++;
	return true;
}

bool captured_add(struct captured *captured, const struct captured *other, uint32_t number)
{
	if (!has_room(captured))
		return false;
	struct captured_packet packet = other->packets[number];
	memcpy(captured->slots[captured->filled], other->slots[packet.slot], CAPTURED_PACKET_MAX);
	packet.slot = captured->filled++;
	captured->packets[captured->count++] = packet;
	return true;
}

// Behind Ethernet and its tags. False: something else is there.
static bool find_ip(
    const struct captured *captured, const uint8_t *bytes, uint32_t size, uint32_t *at)
{
	*at = 0;
	if (captured->link_type == LINK_RAW)
		return true;
	if (captured->link_type != LINK_ETHERNET)
		return false;
	for (*at = 14; *at <= size; *at += 4) {
		uint16_t type = u16_at(bytes + *at - 2);
		if (type != 0x8100 && type != 0x88a8)
			return type == 0x0800 || type == 0x86dd;
	}
	return false;
}

bool captured_find_tcp(
    struct captured *captured, const struct captured_packet *packet, struct place *place)
{
	const uint8_t *bytes = captured_bytes(captured, packet);
	uint32_t size = packet->captured;
	if (!find_ip(captured, bytes, size, &place->ip) || place->ip + 20 > size)
		return false;
	const uint8_t *ip = bytes + place->ip;
	place->version = ip[0] >> 4;
	bool v4 = place->version == 4;
	if ((!v4 && place->version != 6) || ip[v4 ? 9 : 6] != 6 ||
	    (v4 && (u16_at(ip + 6) & 0x3fff) != 0))
		return false;
	place->tcp = place->ip + (v4 ? (ip[0] & 15u) * 4 : 40);
	if (place->tcp + TCP_SIZE > size)
		return false;
	place->payload = place->tcp + (bytes[place->tcp + 12] >> 4) * 4u;
	uint32_t end = place->ip + (v4 ? u16_at(ip + 2) : 40u + u16_at(ip + 4));
	if (end > size)
		end = size;
	place->length = end > place->payload ? end - place->payload : 0;
	return place->payload >= place->tcp + TCP_SIZE && place->payload <= size;
}

void captured_fix_checksums(
    struct captured *captured, const struct captured_packet *packet, const struct place *place)
{
	uint8_t *bytes = captured_bytes(captured, packet);
	uint8_t *ip = bytes + place->ip, *tcp = bytes + place->tcp;
	bool v4 = place->version == 4;
	uint32_t size = place->payload + place->length - place->tcp,
	         header = place->tcp - place->ip;
	if (v4) {
		put_u16(ip + 10, 0);
		put_u16(ip + 10, ~sum_by_the_book(ip, header, 0) & 0xffff);
	}
	put_u16(tcp + 16, 0);
	uint32_t sum = sum_by_the_book(v4 ? ip + 12 : ip + 8, v4 ? 8 : 32, 6 + size);
	put_u16(tcp + 16, ~sum_by_the_book(tcp, size, sum) & 0xffff);
}

void captured_resize(struct captured *captured, struct captured_packet *packet,
    const struct place *place, uint32_t length)
{
	struct place changed = *place;
	uint8_t *ip = captured_bytes(captured, packet) + place->ip;
	uint32_t header = place->payload - place->ip;
	changed.length = length;
	if (place->version == 4)
		put_u16(ip + 2, header + length);
	else
		put_u16(ip + 4, header + length - 40);
	packet->captured = packet->length = place->payload + length;
	captured_fix_checksums(captured, packet, &changed);
}

void captured_add32(uint8_t *bytes, uint32_t value)
{
	put_u32(bytes, ((uint32_t)u16_at(bytes) << 16 | u16_at(bytes + 2)) + value);
}
