// SPDX-License-Identifier: Apache-2.0
// Tunnel headers. What does not look exactly like the tunnel its port or number promises is left
// alone as another protocol: reading ordinary traffic as a tunnel would invent packets. No state.
#include "decode/tunnel.h"

#include "decode/link.h"

enum {
	GRE_CHECKSUM = 0x8000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_RESERVED = 0x4ff8, // routing, strict source route, recursion (RFC 2784 2.3)
	GRE_VERSION = 0x0007,
	GRE_PPTP_ACKNOWLEDGEMENT = 0x0080,
	GRE_ERSPAN_2 = 0x88be, // and type I, which has no header of its own
	GRE_ERSPAN_3 = 0x22eb,
};

static enum layer not_a_tunnel(struct walk *walk)
{
	return walk_end(walk, HEADERS_OTHER_PROTOCOL);
}

// A whole frame in a tunnel. What sends it may have cut it to fit (ERSPAN's T flag, the mirrors of
// clouds), so that from here on the inner IP header alone knows how long the packet was.
static enum layer frame_inside(struct walk *walk)
{
	walk->mirrored = true;
	return LAYER_ETHERNET;
}

static enum layer follow_tunnelled(struct walk *walk, uint16_t ethertype)
{
	switch (ethertype) {
	case ETHERTYPE_TRANSPARENT_ETHERNET:
		return frame_inside(walk);
	case ETHERTYPE_IPV4:
	case ETHERTYPE_IPV6:
	case ETHERTYPE_MPLS:
	case ETHERTYPE_MPLS_MULTICAST:
		return layer_of_ethertype(ethertype);
	default:
		return not_a_tunnel(walk);
	}
}

// ERSPAN type II (draft-foschiano-erspan 4.2): version 4 bits, VLAN 12; class 3, encapsulation 2
// (1 and 2: the frame's tag was taken off), truncated 1, session 10; index.
static enum layer erspan_2_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	if (header[0] >> 4 != 1)
		return not_a_tunnel(walk);
	uint8_t encapsulation = header[2] >> 3 & 3;
	if (encapsulation == 1 || encapsulation == 2)
		context_add_vlan(&walk->context, read_u16(header) & 0x0fff);
	return frame_inside(walk);
}

// ERSPAN type III (4.3): as type II up to the session, then timestamp (4), security group (2),
// P 1 bit, frame type 5 (0 Ethernet, 2 IP), hardware 6, direction 1, granularity 2, O 1: a platform's
// sub-header of 8 bytes follows.
static enum layer erspan_3_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 12);
	if (header == NULL)
		return LAYER_END;
	uint8_t frame_type = header[10] >> 2 & 0x1f;
	if (header[0] >> 4 != 2 || (frame_type != 0 && frame_type != 2))
		return not_a_tunnel(walk);
	if ((header[11] & 1) != 0 && walk_take(walk, 8) == NULL)
		return LAYER_END;
	walk->mirrored = true;
	return frame_type == 0 ? LAYER_ETHERNET : LAYER_IP;
}

// Enhanced GRE of PPTP (RFC 2637 4.1): key (payload length and call) always, sequence if there is a
// payload, acknowledgement at will.
static enum layer pptp_read(struct walk *walk, uint16_t flags, uint16_t protocol)
{
	bool valid = (flags & 0xef78) == GRE_KEY && protocol == ETHERTYPE_PPP;
	if (!valid || (flags & GRE_SEQUENCE) == 0)
		return not_a_tunnel(walk);
	const uint8_t *key = walk_take(walk, 4);
	uint32_t rest = (flags & GRE_PPTP_ACKNOWLEDGEMENT) != 0 ? 8 : 4;
	if (key == NULL || walk_take(walk, rest) == NULL)
		return LAYER_END;
	if (!walk_trim(walk, read_u16(key)))
		return walk_end(walk, HEADERS_MALFORMED);
	return LAYER_PPP;
}

// RFC 2784 with key and sequence (RFC 2890).
enum layer gre_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 4);
	if (header == NULL)
		return LAYER_END;
	uint16_t flags = read_u16(header), protocol = read_u16(header + 2);
	if ((flags & GRE_VERSION) == 1)
		return pptp_read(walk, flags, protocol);
	if ((flags & (GRE_RESERVED | GRE_VERSION)) != 0)
		return not_a_tunnel(walk);
	uint32_t options = (flags & GRE_CHECKSUM ? 4u : 0) + (flags & GRE_KEY ? 4u : 0) +
	                   (flags & GRE_SEQUENCE ? 4u : 0);
	if (walk_take(walk, options) == NULL)
		return LAYER_END;
	if (protocol == GRE_ERSPAN_3)
		return erspan_3_read(walk);
	if (protocol == GRE_ERSPAN_2)
		return (flags & GRE_SEQUENCE) != 0 ? erspan_2_read(walk) : frame_inside(walk);
	return follow_tunnelled(walk, protocol);
}

// RFC 3378 3: version 3 and twelve bits of zero, then a frame.
enum layer etherip_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 2);
	if (header == NULL)
		return LAYER_END;
	return read_u16(header) == 0x3000 ? frame_inside(walk) : not_a_tunnel(walk);
}

// RFC 7348 5: flags with only I set, reserved bytes zero. With G (draft-smith-vxlan-group-policy)
// also a policy: D and A flags and a group.
static enum layer vxlan_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	bool group_policy = header[0] == 0x88 && (header[1] & 0xb7) == 0;
	bool plain = header[0] == 0x08 && header[1] == 0 && read_u16(header + 2) == 0;
	if ((!plain && !group_policy) || header[7] != 0)
		return not_a_tunnel(walk);
	return frame_inside(walk);
}

// draft-ietf-nvo3-vxlan-gpe 3: version 0, I and P set, B at will, no OAM; the next protocol.
static enum layer vxlan_gpe_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	if ((header[0] & 0xfd) != 0x0c || header[1] != 0 || header[2] != 0 || header[7] != 0)
		return not_a_tunnel(walk);
	switch (header[3]) {
	case 1:
		return LAYER_IPV4;
	case 2:
		return LAYER_IPV6;
	case 3:
		return frame_inside(walk);
	case 5:
		return LAYER_MPLS;
	default:
		return not_a_tunnel(walk);
	}
}

// RFC 8926 3.4: version 2 bits, options' length 6 in four bytes; control 1, critical 1, reserved 6;
// protocol; network identifier, reserved.
static enum layer geneve_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	if (header[0] >> 6 != 0 || (header[1] & 0xbf) != 0 || header[7] != 0)
		return not_a_tunnel(walk);
	if (walk_take(walk, (header[0] & 0x3fu) * 4) == NULL)
		return LAYER_END;
	return follow_tunnelled(walk, read_u16(header + 2));
}

// A datagram of the port of DNS (RFC 768): its message is all of the payload.
static enum layer names_read(struct walk *walk)
{
	struct dns_message *names = &walk->result->names;
	const uint8_t *header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	uint16_t length = read_u16(header + 4);
	if (length != 0 && (length < 8 || !walk_trim(walk, length - 8u)))
		return walk_end(walk, HEADERS_MALFORMED);
	*names = (struct dns_message){
	    .time = walk->context.time,
	    .source = walk->ip.source,
	    .destination = walk->ip.destination,
	    .source_port = read_u16(header),
	    .destination_port = read_u16(header + 2),
	    .bytes = walk->data,
	    .captured = walk->captured,
	    .length = walk->length,
	};
	return walk_end(walk, HEADERS_NAMES);
}

// UDP is read only as far as it takes to see a tunnel in it, or a message of DNS.
enum layer udp_read(struct walk *walk)
{
	const uint8_t *header = walk_peek(walk, 4);
	if (header == NULL)
		return LAYER_END;
	uint16_t port = read_u16(header + 2);
	// First: who asks may do so from the port of a tunnel.
	if (walk->ports->names && is_names_port(read_u16(header), port))
		return names_read(walk);
	if (!is_tunnel_port(port))
		return not_a_tunnel(walk);
	header = walk_take(walk, 8);
	if (header == NULL)
		return LAYER_END;
	uint16_t length = read_u16(header + 4);
	if (length != 0 && (length < 8 || !walk_trim(walk, length - 8u)))
		return not_a_tunnel(walk);
	if (walk->length < 8) // none of them has a shorter header
		return not_a_tunnel(walk);
	switch ((enum tunnel_port)port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		return vxlan_read(walk);
	case PORT_VXLAN_GPE:
		return vxlan_gpe_read(walk);
	case PORT_GENEVE:
		return geneve_read(walk);
	default:
		return not_a_tunnel(walk);
	}
}
