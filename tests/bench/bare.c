// SPDX-License-Identifier: Apache-2.0
// The least that a program can do with a pcap file: read() it in chunks, step from record to record, find the
// ports of TCP behind Ethernet, VLAN tags and IPv4 or IPv6, and look them up in a set of ports. It keeps nothing,
// checks no more than it must to stay within the bytes, and knows no fragments, tunnels or other link
// types. What mailtap needs beyond it is what mailtap's own work costs.
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	CHUNK = 512 * 1024, // stays in a second-level cache
	HEADROOM =
	    260 * 1024, // in front of it, for what is left of the chunk before: less than a record
	CAPTURED_MAX = 256 * 1024,
	FILE_HEADER = 24,
	RECORD_HEADER = 16,
	HEADERS_MIN =
	    14 + 20, // Ethernet and IPv4: as far as is read before it is known where the ports are
	ALIGNMENT = 4096,
};

static const uint16_t ports[] = {25, 465, 587, 110, 143, 993, 995};

struct counts {
	uint64_t packets, tcp, followed;
};

static uint8_t port_bits[65536 / 8];

static uint16_t word(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static bool has_port(uint16_t port)
{
	return port_bits[port >> 3] >> (port & 7) & 1;
}

static void look(const uint8_t *frame, uint32_t captured, struct counts *counts)
{
	counts->packets++;
	if (captured < HEADERS_MIN)
		return;
	const uint8_t *at = frame + 12;
	while (word(at) == 0x8100 && at < frame + 20)
		at += 4;
	uint16_t type = word(at);
	const uint8_t *ip = at + 2;
	bool ipv6 = type == 0x86dd;
	if (!ipv6 && type != 0x0800)
		return;
	const uint8_t *transport = ip + (ipv6 ? 40 : (ip[0] & 15) * 4);
	if ((ipv6 ? ip[6] : ip[9]) != 6 || transport + 4 > frame + captured)
		return;
	counts->tcp++;
	counts->followed += has_port(word(transport)) | has_port(word(transport + 2));
}

// Returns how many bytes at the end belong to a record that is not there as a whole.
static size_t walk(const uint8_t *at, const uint8_t *end, struct counts *counts)
{
	while (end - at >= RECORD_HEADER) {
		uint32_t captured;
		memcpy(&captured, at + 8, sizeof captured);
		if (captured > CAPTURED_MAX) {
			fprintf(stderr, "bench-bare: a damaged record\n");
			exit(1);
		}
		if ((size_t)(end - at) - RECORD_HEADER < captured)
			break;
		look(at + RECORD_HEADER, captured, counts);
		at += RECORD_HEADER + captured;
	}
	return (size_t)(end - at);
}

static bool read_all(int file, struct counts *counts)
{
	uint8_t *buffer = aligned_alloc(ALIGNMENT, HEADROOM + CHUNK);
	if (buffer == NULL)
		return false;
	uint8_t *place = buffer + HEADROOM;
	size_t left = 0, skip = FILE_HEADER;
	ssize_t count;
	while ((count = read(file, place, CHUNK)) > 0) {
		const uint8_t *end = place + count;
		left = walk(place - left + skip, end, counts);
		memcpy(place - left, end - left, left);
		skip = 0;
	}
	free(buffer);
	return count == 0;
}

int main(int argc, char **argv)
{
	struct counts counts = {0, 0, 0};
	int file = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (file < 0) {
		fprintf(
		    stderr, "usage: bench-bare FILE, a pcap file of this machine's byte order\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++)
		port_bits[ports[i] >> 3] |= (uint8_t)(1 << (ports[i] & 7));
	bool good = read_all(file, &counts);
	close(file);
	printf("%llu packets, %llu TCP, %llu to or from the ports\n",
	    (unsigned long long)counts.packets, (unsigned long long)counts.tcp,
	    (unsigned long long)counts.followed);
	return good ? 0 : 1;
}
