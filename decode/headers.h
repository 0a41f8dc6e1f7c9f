// SPDX-License-Identifier: Apache-2.0
// Link, tunnel, IP and TCP headers: the only parse of them, and the hottest code of mailtap. Out of a
// batch of packets it keeps the TCP segments to or from a port of the set and the IP fragments that
// may hold one; the other 99 of 100 packets are dropped here and counted by reason.
// headers.c is the fast path (Ethernet, VLANs, IPv4/IPv6, TCP) and hands what is unusual to link.c
// (other link types, MPLS, PPPoE), ip.c (options, extension headers, fragments, IP in IP) and tunnel.c
// (GRE, ERSPAN, VXLAN, GENEVE).
// Pure functions of their input: no state but the counters passed in; any thread.
#ifndef MAILTAP_DECODE_HEADERS_H
#define MAILTAP_DECODE_HEADERS_H

#include "capture/packet.h"
#include "capture/port_set.h"

#include <stdbool.h>

// An address in 16 bytes, network order; IPv4 as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
struct ip_address {
	uint8_t bytes[16];
};

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_URG = 0x20,
};

enum {
	HEADERS_VLANS_MAX = 4, // tags kept per packet; further tags are read over
	HEADERS_NESTING_MAX = 16, // headers in front of TCP: link, tags, labels, tunnels, IP
	HEADERS_EXTENSIONS_MAX = 16, // IPv6 extension headers
};

// What is the same for all of one packet, whichever layer is being read. The VLANs are those of the
// packet and of frames in tunnels, one after the other; tags with identifier 0 are no VLAN.
struct packet_context {
	nanoseconds time;
	uint32_t tap_point; // interface << 24 | vlans[0] << 12 | vlans[1]: where the tap saw it
	uint16_t vlans[HEADERS_VLANS_MAX]; // identifiers, outermost first
	uint8_t vlan_count;
	uint8_t nesting; // headers passed so far, against HEADERS_NESTING_MAX
};

// A TCP segment. `payload` borrows the packet's bytes.
struct segment {
	struct packet_context context;
	struct ip_address source, destination; // of the innermost IP header
	uint16_t source_port, destination_port; // host order, as all below
	uint32_t sequence, acknowledgement; // acknowledgement counts only with TCP_ACK
	uint16_t window;
	uint8_t flags; // enum tcp_flag
	uint8_t ip_version; // 4 or 6
	uint8_t ttl; // or hop limit
	bool elsewhere; // neither port is in the set, which keeps every port
	bool
	    checksum_wrong; // TCP checksum; false also where bytes to check it were not captured, and
	    // elsewhere: it is not looked at
	uint8_t sender; // which end of its connection's key sent it; set with `hash`
	uint16_t ip_id; // 0 for IPv6
	uint16_t checksum; // of TCP, as it stands there
	const uint8_t *payload;
	uint32_t captured; // payload bytes at `payload`
	uint32_t length; // payload bytes the segment had on the wire; never less than captured
	// Set by who hands it to a worker:
	uint64_t position; // in the traffic: later ones have greater numbers
	uint64_t hash; // of its connection, the same for both directions (flow_mark)
};

_Static_assert(sizeof(struct segment) <= 112, "a batch of them lies on the stack");

// A message of DNS, as it lies in a datagram of UDP or in a stream of TCP, where its length was told.
struct dns_message {
	nanoseconds time;
	struct ip_address source, destination; // of the innermost IP header
	uint16_t source_port, destination_port;
	bool tcp;
	const uint8_t *bytes; // borrowed
	uint32_t captured, length; // bytes there, and on the wire; never less
};

// A fragment of an IP datagram whose payload may hold what we look for.
struct fragment {
	struct packet_context context;
	struct ip_address source, destination;
	uint32_t id; // IPv4 identification (16 bits) or IPv6 fragment identification
	uint8_t ip_version;
	uint8_t protocol; // of the datagram's payload; IPv6: next header in the fragment header
	uint8_t ttl;
	bool more; // more fragments follow
	uint32_t offset; // bytes into the datagram's payload
	const uint8_t *payload;
	uint32_t captured;
	uint32_t length; // on the wire
};

// A whole datagram's payload, put together by fragment.c.
struct datagram {
	struct packet_context context; // of the fragment that completed it
	struct ip_address source, destination;
	uint32_t id;
	uint8_t ip_version;
	uint8_t protocol;
	uint8_t ttl;
	const uint8_t *payload;
	uint32_t captured; // contiguous bytes known from the start
	uint32_t length;
};

// What became of a packet. Each packet gets exactly one outcome, so that their counts add up.
enum headers_outcome {
	HEADERS_SEGMENT, // *segment is filled
	HEADERS_FRAGMENT, // *fragment is filled
	HEADERS_NAMES, // *names is filled
	HEADERS_OTHER_PORT, // TCP, neither port in the set
	HEADERS_OTHER_PROTOCOL, // not TCP and no tunnel we read: UDP, ICMP, ARP, LLDP, ...
	HEADERS_MALFORMED, // a header that contradicts itself or the packet's length
	HEADERS_CUT, // the snap length ended inside the headers
	HEADERS_TOO_DEEP, // more headers than HEADERS_NESTING_MAX
	HEADERS_UNKNOWN_LINK, // a link type that nothing here reads
	HEADERS_OUTCOMES,
};

struct headers_counters {
	uint64_t outcomes[HEADERS_OUTCOMES]; // packets by what became of them
	uint64_t checksums_wrong; // segments with a wrong TCP checksum, kept all the same
};

// What one packet left behind.
struct headers_result {
	enum headers_outcome outcome; // HEADERS_SEGMENT, HEADERS_FRAGMENT or HEADERS_NAMES
	union {
		struct segment segment;
		struct fragment fragment;
		struct dns_message names;
	};
};

// Reads all packets of a batch in order, prefetching ahead. Writes the kept ones to results
// (room for PACKET_BATCH_MAX) in packet order and returns how many; counts every packet once.
size_t headers_batch(const struct packet_batch *batch, const struct port_set *ports,
    struct headers_result *results, struct headers_counters *counters);

// Reads one packet; the slow and the fast branch together. Does not count.
enum headers_outcome headers_packet(
    const struct packet *packet, const struct port_set *ports, struct headers_result *result);

// Reads on in the payload of a reassembled datagram (TCP, or a tunnel whose inside may again be
// fragmented: what is found then borrows the datagram's bytes). Does not count.
enum headers_outcome headers_datagram(
    const struct datagram *datagram, const struct port_set *ports, struct headers_result *result);

#endif
