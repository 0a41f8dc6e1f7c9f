// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 with their options, extension headers and fragments: readers of the slow branch
// (walk.h). Called by headers.c.
#ifndef MAILTAP_DECODE_IP_H
#define MAILTAP_DECODE_IP_H

#include "decode/walk.h"

enum ip_protocol {
	PROTOCOL_HOP_BY_HOP = 0,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_GRE = 47,
	PROTOCOL_AUTHENTICATION = 51,
	PROTOCOL_DESTINATION_OPTIONS = 60,
	PROTOCOL_ETHERIP = 97,
	PROTOCOL_MPLS = 137,
	PROTOCOL_ETHERNET = 143,
};

// An IPv4 address of four bytes in sixteen.
static inline struct ip_address address_of_ipv4(const uint8_t bytes[4])
{
	return (struct ip_address){{[10] = 0xff,
	    [11] = 0xff,
	    [12] = bytes[0],
	    [13] = bytes[1],
	    [14] = bytes[2],
	    [15] = bytes[3]}};
}

// True if an IP payload of this protocol (or IPv6 next header) can hold a TCP segment, as such or in a
// tunnel that is read. `version`: 4 or 6.
bool ip_protocol_matters(uint8_t version, uint8_t protocol);

layer_reader ip_read, ipv4_read, ipv6_read;

// Reads on behind an IP header, or in a reassembled datagram, whose payload is of this protocol (or
// IPv6 next header). Steps over extension headers, ends at a fragment.
enum layer ip_payload_read(struct walk *walk, uint8_t protocol);

#endif
