// SPDX-License-Identifier: Apache-2.0
// A packet as a source lends it, and the batch it comes in. The bytes belong to the source and are
// valid until the next call of its `next`.
#ifndef MAILTAP_CAPTURE_PACKET_H
#define MAILTAP_CAPTURE_PACKET_H

#include <stddef.h>
#include <stdint.h>

// Nanoseconds since 1970-01-01 UTC, in packet time. Differences are plain nanoseconds.
typedef int64_t nanoseconds;

#define SECONDS(count) ((nanoseconds)(count) * 1000000000)

// Whatever a capture claims, its source keeps a packet's time between 0 and this (the year 2116),
// so that differences, and sums with a time-out, cannot overflow.
#define PACKET_TIME_MAX (((nanoseconds)1 << 62) - 1)

// Link types by their number in files (https://www.tcpdump.org/linktypes.html).
enum link_type {
	LINK_NULL = 0,
	LINK_ETHERNET = 1,
	LINK_PPP = 9,
	LINK_RAW_BSD = 12, // DLT_RAW as some systems write it
	LINK_RAW_OPENBSD = 14,
	LINK_PPPOE = 51,
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_LINUX_SLL = 113,
	LINK_IPV4 = 228,
	LINK_IPV6 = 229,
	LINK_LINUX_SLL2 = 276,
};

struct packet {
	const uint8_t *data;
	uint32_t captured;   // bytes at data
	uint32_t length;     // bytes on the wire; more than captured where the snap length cut
	nanoseconds time;
	uint16_t link_type;  // enum link_type, or another number that nothing here can read
	uint16_t interface;  // index of the tap's interface within the source (pcapng: its section)
};

enum { PACKET_BATCH_MAX = 64 };

struct packet_batch {
	size_t count;
	struct packet packets[PACKET_BATCH_MAX];
};

#endif
