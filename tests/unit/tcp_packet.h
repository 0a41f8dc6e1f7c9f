// SPDX-License-Identifier: Apache-2.0
// One TCP segment as an Ethernet frame, from plain values: what the tests of connections and the
// fuzzer send through a worker. Checksums are right unless asked otherwise.
#ifndef MAILTAP_TESTS_UNIT_TCP_PACKET_H
#define MAILTAP_TESTS_UNIT_TCP_PACKET_H

#include "tests/unit/packets.h"

enum {
	TCP_PACKET_HEADERS = 14 + 2 * 4 + 40 + 20, // bytes at most in front of the payload
};

struct tcp_packet {
	bool v6;
	bool wrong_checksum;
	uint8_t source, destination; // last byte of the addresses
	uint8_t network; // the byte before
	uint16_t source_port, destination_port;
	uint32_t sequence, acknowledgement;
	uint8_t flags;
	uint16_t window;
	uint8_t ttl; // 0: 64
	uint16_t ip_id;
	uint8_t vlan_count; // at most 2
	uint16_t vlans[2];
	const void *payload;
	uint32_t length;
};

static inline uint32_t write_link(const struct tcp_packet *packet, uint8_t *out)
{
	static const uint8_t stations[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
	uint32_t at = sizeof stations;
	memcpy(out, stations, sizeof stations);
	for (unsigned i = 0; i < packet->vlan_count; i++, at += 4) {
		put_u16(out + at, 0x8100);
		put_u16(out + at + 2, packet->vlans[i]);
	}
	put_u16(out + at, packet->v6 ? 0x86dd : 0x0800);
	return at + 2;
}

// Returns the header's size; the addresses are its last bytes.
static inline uint32_t write_ip(const struct tcp_packet *packet, uint8_t *out)
{
	uint8_t ttl = packet->ttl != 0 ? packet->ttl : 64;
	const uint8_t v4[20] = {0x45, [4] = (uint8_t)(packet->ip_id >> 8), (uint8_t)packet->ip_id,
	    [8] = ttl, [9] = 6, [12] = 10, 0, packet->network,
	    packet->source, 10, 0, packet->network, packet->destination};
	const uint8_t v6[40] = {0x60, [6] = 6, [7] = ttl, [8] = 0x20, 1, 0xd,
	    0xb8, [22] = packet->network, packet->source, [24] = 0x20, 1, 0xd,
	    0xb8, [38] = packet->network, packet->destination};
	memcpy(out, packet->v6 ? v6 : v4, packet->v6 ? sizeof v6 : sizeof v4);
	if (packet->v6)
		put_u16(out + 4, 20 + packet->length);
	else
		put_u16(out + 2, 20 + 20 + packet->length);
	return packet->v6 ? sizeof v6 : sizeof v4;
}

// Writes the frame (TCP_PACKET_HEADERS + length bytes at most) and returns its size.
static inline uint32_t tcp_packet_write(const struct tcp_packet *packet, uint8_t *out)
{
	uint32_t at = write_link(packet, out);
	at += write_ip(packet, out + at);
	uint8_t *tcp = out + at;
	uint32_t addresses = packet->v6 ? 32 : 8, size = 20 + packet->length;
	memset(tcp, 0, 20);
	put_u16(tcp, packet->source_port);
	put_u16(tcp + 2, packet->destination_port);
	put_u32(tcp + 4, packet->sequence);
	put_u32(tcp + 8, packet->acknowledgement);
	tcp[12] = 5 << 4;
	tcp[13] = packet->flags;
	put_u16(tcp + 14, packet->window);
	if (packet->length > 0)
		memcpy(tcp + 20, packet->payload, packet->length);
	uint32_t sum = sum_by_the_book(tcp - addresses, addresses, 6 + size);
	put_u16(tcp + 16, (~sum_by_the_book(tcp, size, sum) & 0xffff) ^ packet->wrong_checksum);
	return at + size;
}

#endif
