// SPDX-License-Identifier: Apache-2.0
// The slow branch of the header parse: a walk from header to header. Each reader takes one header off
// the front and says what follows; the loop in headers.c turns that into the next call and bounds it.
// Shared by headers.c, link.c, ip.c and tunnel.c and by nothing else. Owns nothing: the bytes are the
// packet's. All numbers in host order once read; all lengths in bytes.
#ifndef MAILTAP_DECODE_WALK_H
#define MAILTAP_DECODE_WALK_H

#include "capture/base/big_endian.h"
#include "decode/headers.h"

// What stands at the front of the bytes not read yet.
enum layer {
	LAYER_END, // nothing to read on in: walk->outcome says what the packet was
	LAYER_ETHERNET,
	LAYER_LLC,
	LAYER_VLAN,
	LAYER_ETAG,
	LAYER_VNTAG,
	LAYER_CISCO_METADATA,
	LAYER_MPLS,
	LAYER_PPPOE,
	LAYER_PPP,
	LAYER_LINUX_SLL,
	LAYER_LINUX_SLL2,
	LAYER_LOOPBACK,
	LAYER_IP, // version 4 or 6, by the first nibble
	LAYER_IPV4,
	LAYER_IPV6,
	LAYER_GRE,
	LAYER_ETHERIP,
	LAYER_UDP,
	LAYER_TCP,
	LAYERS,
};

// The innermost IP header passed so far.
struct ip_facts {
	struct ip_address source, destination;
	uint32_t id;
	uint8_t version;
	uint8_t ttl;
};

struct walk {
	const uint8_t *data; // the next header
	uint32_t captured; // bytes at data
	uint32_t length; // bytes there were on the wire; never less than captured
	bool mirrored; // inside a frame carried over IP: who mirrored it may have cut it short
	enum headers_outcome outcome; // counts at LAYER_END
	const struct port_set *ports;
	struct headers_result *result;
	struct packet_context context;
	struct ip_facts ip;
};

// Takes one header off the walk and returns what follows it.
typedef enum layer layer_reader(struct walk *walk);

// Ends the walk: `return walk_end(walk, HEADERS_MALFORMED);`.
static inline enum layer walk_end(struct walk *walk, enum headers_outcome outcome)
{
	walk->outcome = outcome;
	return LAYER_END;
}

// The next `count` bytes, left where they are. NULL: they were not captured or never existed, and
// walk->outcome says which; the reader returns LAYER_END.
static inline const uint8_t *walk_peek(struct walk *walk, uint32_t count)
{
	if (count <= walk->captured)
		return walk->data;
	bool existed = count <= walk->length || walk->mirrored;
	walk->outcome = existed ? HEADERS_CUT : HEADERS_MALFORMED;
	return NULL;
}

// As walk_peek, and steps over them.
static inline const uint8_t *walk_take(struct walk *walk, uint32_t count)
{
	const uint8_t *taken = walk_peek(walk, count);
	if (taken != NULL) {
		walk->data += count;
		walk->captured -= count;
		walk->length -= count;
	}
	return taken;
}

// Sets how many bytes there are from here on, as a header said; what lies behind is padding.
// False: it said more than there was, which only a frame that was cut on its way here may do.
static inline bool walk_trim(struct walk *walk, uint32_t length)
{
	if (length > walk->length && !walk->mirrored)
		return false;
	walk->length = length;
	if (walk->captured > length)
		walk->captured = length;
	return true;
}

// Notes a VLAN of the packet. Identifier 0 is a priority tag and no VLAN (IEEE 802.1Q 9.6). The
// outermost two are part of where the tap saw the packet.
static inline void context_add_vlan(struct packet_context *context, uint16_t identifier)
{
	if (identifier == 0 || context->vlan_count == HEADERS_VLANS_MAX)
		return;
	if (context->vlan_count < 2)
		context->tap_point |= (uint32_t)identifier << (context->vlan_count == 0 ? 12 : 0);
	context->vlans[context->vlan_count++] = identifier;
}

// The slow branch alone: reads one packet header by header. headers_packet's fast branch must come to
// the same result; tests hold the two against each other.
enum headers_outcome headers_walk(
    const struct packet *packet, const struct port_set *ports, struct headers_result *result);

#endif
