// SPDX-License-Identifier: Apache-2.0
// IPv4 (RFC 791) and IPv6 (RFC 8200) headers, the extension headers between IPv6 and its payload, and
// fragments of both. No state.
#include "decode/ip.h"

#include <string.h>

static enum layer layer_of_protocol(uint8_t protocol)
{
	switch (protocol) {
	case PROTOCOL_TCP:
		return LAYER_TCP;
	case PROTOCOL_UDP:
		return LAYER_UDP;
	case PROTOCOL_IPV4:
		return LAYER_IPV4;
	case PROTOCOL_IPV6:
		return LAYER_IPV6;
	case PROTOCOL_GRE:
		return LAYER_GRE;
	case PROTOCOL_ETHERIP:
		return LAYER_ETHERIP;
	case PROTOCOL_MPLS:
		return LAYER_MPLS;
	case PROTOCOL_ETHERNET:
		return LAYER_ETHERNET;
	default:
		return LAYER_END;
	}
}

static bool is_extension(uint8_t version, uint8_t protocol)
{
	if (protocol == PROTOCOL_AUTHENTICATION)
		return true;
	return version == 6 &&
	       (protocol == PROTOCOL_HOP_BY_HOP || protocol == PROTOCOL_ROUTING ||
	           protocol == PROTOCOL_DESTINATION_OPTIONS || protocol == PROTOCOL_FRAGMENT);
}

bool ip_protocol_matters(uint8_t version, uint8_t protocol)
{
	return layer_of_protocol(protocol) != LAYER_END || is_extension(version, protocol);
}

// Hands the rest of the walk out as a fragment, if its datagram can hold a mail connection. Of IPv6 the
// first fragment alone tells, whatever next header the others name, so all are handed out. All but the
// last end on a multiple of eight bytes (RFC 791 3.2, RFC 8200 4.5), and none is empty.
static enum layer end_as_fragment(struct walk *walk, uint8_t protocol, uint32_t offset, bool more)
{
	if (walk->ip.version == 4 && !ip_protocol_matters(4, protocol))
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	if (walk->length == 0 || (more && walk->length % 8 != 0))
		return walk_end(walk, HEADERS_MALFORMED);
	walk->result->fragment = (struct fragment){
	    .context = walk->context,
	    .source = walk->ip.source,
	    .destination = walk->ip.destination,
	    .id = walk->ip.id,
	    .ip_version = walk->ip.version,
	    .protocol = protocol,
	    .ttl = walk->ip.ttl,
	    .more = more,
	    .offset = offset,
	    .payload = walk->data,
	    .captured = walk->captured,
	    .length = walk->length,
	};
	return walk_end(walk, HEADERS_FRAGMENT);
}

// While segments are left the IPv6 header names a stop on the way, and the end of the way stands here:
// the only address of type 2 (RFC 6275 6.4), the first of type 4 (RFC 8754 2), the last of type 0.
static void take_final_destination(struct walk *walk, const uint8_t *header, uint32_t size)
{
	uint8_t type = header[2], segments_left = header[3];
	if (segments_left == 0 || size < 24)
		return;
	uint32_t at = type == 0 ? 8 + (size - 24) / 16 * 16 : 8;
	if (type == 0 || type == 2 || type == 4)
		memcpy(walk->ip.destination.bytes, header + at, 16);
}

// Steps over the fragment header. A packet that is its own only fragment is a whole one (RFC 6946).
static bool take_fragment_header(struct walk *walk, uint8_t *next, enum layer *layer)
{
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL) {
		*layer = LAYER_END;
		return false;
	}
	uint32_t offset = read_u16(header + 2) & 0xfff8;
	bool more = header[3] & 1;
	walk->ip.id = read_u32(header + 4);
	*next = header[0];
	if (offset == 0 && !more)
		return true;
	*layer = end_as_fragment(walk, *next, offset, more);
	return false;
}

// Steps over one other extension header: its length is in 8 bytes beyond the first 8, that of the
// authentication header (RFC 4302 2.2) in 4 bytes beyond the first 8.
static bool take_extension(struct walk *walk, uint8_t *next)
{
	const uint8_t *header = walk_peek(walk, 8);
	if (header == NULL)
		return false;
	bool authentication = *next == PROTOCOL_AUTHENTICATION;
	uint32_t size = authentication ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
	bool routing = *next == PROTOCOL_ROUTING;
	*next = header[0];
	if (walk_take(walk, size) == NULL)
		return false;
	if (routing)
		take_final_destination(walk, header, size);
	return true;
}

enum layer ip_payload_read(struct walk *walk, uint8_t protocol)
{
	for (int count = 0; is_extension(walk->ip.version, protocol); count++) {
		if (count == HEADERS_EXTENSIONS_MAX)
			return walk_end(walk, HEADERS_TOO_DEEP);
		enum layer layer = LAYER_END;
		bool on = protocol == PROTOCOL_FRAGMENT
		              ? take_fragment_header(walk, &protocol, &layer)
		              : take_extension(walk, &protocol);
		if (!on)
			return layer;
	}
	walk->outcome = HEADERS_OTHER_PROTOCOL;
	return layer_of_protocol(protocol);
}

// A total length of 0 is what a network card's segmentation offload leaves behind: the packet is as
// long as the frame.
enum layer ipv4_read(struct walk *walk)
{
	const uint8_t *header = walk_peek(walk, 20);
	if (header == NULL)
		return LAYER_END;
	uint32_t size = (header[0] & 0x0fu) * 4, total = read_u16(header + 2);
	if (total == 0)
		total = walk->length;
	if (header[0] >> 4 != 4 || size < 20 || total < size || !walk_trim(walk, total))
		return walk_end(walk, HEADERS_MALFORMED);
	if (walk_take(walk, size) == NULL)
		return LAYER_END;
	walk->ip = (struct ip_facts){
	    .source = address_of_ipv4(header + 12),
	    .destination = address_of_ipv4(header + 16),
	    .id = read_u16(header + 4),
	    .version = 4,
	    .ttl = header[8],
	};
	uint32_t offset = (read_u16(header + 6) & 0x1fffu) * 8;
	bool more = header[6] & 0x20;
	if (offset != 0 || more)
		return end_as_fragment(walk, header[9], offset, more);
	return ip_payload_read(walk, header[9]);
}

// A payload length of 0 is a jumbogram if a hop-by-hop header follows (RFC 2675: not read), and
// otherwise the work of an offload, as with IPv4.
enum layer ipv6_read(struct walk *walk)
{
	const uint8_t *header = walk_peek(walk, 40);
	if (header == NULL)
		return LAYER_END;
	uint32_t payload = read_u16(header + 4);
	uint8_t next = header[6];
	bool jumbogram = payload == 0 && next == PROTOCOL_HOP_BY_HOP;
	if (header[0] >> 4 != 6 || jumbogram || walk->length < 40)
		return walk_end(walk, HEADERS_MALFORMED);
	if (payload == 0)
		payload = walk->length - 40;
	if (!walk_trim(walk, 40 + payload))
		return walk_end(walk, HEADERS_MALFORMED);
	walk_take(walk, 40);
	walk->ip = (struct ip_facts){.version = 6, .ttl = header[7]};
	memcpy(walk->ip.source.bytes, header + 8, 16);
	memcpy(walk->ip.destination.bytes, header + 24, 16);
	return ip_payload_read(walk, next);
}

enum layer ip_read(struct walk *walk)
{
	const uint8_t *first = walk_peek(walk, 1);
	if (first == NULL)
		return LAYER_END;
	switch (*first >> 4) {
	case 4:
		return ipv4_read(walk);
	case 6:
		return ipv6_read(walk);
	default:
		return walk_end(walk, HEADERS_MALFORMED);
	}
}
