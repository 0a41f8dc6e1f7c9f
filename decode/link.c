// SPDX-License-Identifier: Apache-2.0
// Link types and what may follow them up to the network header. One row per link type and per
// ethertype; one short reader per header. No state.
#include "decode/link.h"

struct row {
	uint16_t number;
	uint8_t layer;
};

static const struct row link_types[] = {
    {LINK_ETHERNET, LAYER_ETHERNET},
    {LINK_LINUX_SLL, LAYER_LINUX_SLL},
    {LINK_LINUX_SLL2, LAYER_LINUX_SLL2},
    {LINK_RAW, LAYER_IP},
    {LINK_RAW_BSD, LAYER_IP},
    {LINK_RAW_OPENBSD, LAYER_IP},
    {LINK_IPV4, LAYER_IPV4},
    {LINK_IPV6, LAYER_IPV6},
    {LINK_NULL, LAYER_LOOPBACK},
    {LINK_LOOP, LAYER_LOOPBACK},
    {LINK_PPP, LAYER_PPP},
    {LINK_PPPOE, LAYER_PPPOE},
};

static const struct row ethertypes[] = {
    {ETHERTYPE_IPV4, LAYER_IPV4},
    {ETHERTYPE_IPV6, LAYER_IPV6},
    {ETHERTYPE_VLAN, LAYER_VLAN},
    {ETHERTYPE_SERVICE_VLAN, LAYER_VLAN},
    {ETHERTYPE_OLD_SERVICE_VLAN, LAYER_VLAN},
    {ETHERTYPE_MPLS, LAYER_MPLS},
    {ETHERTYPE_MPLS_MULTICAST, LAYER_MPLS},
    {ETHERTYPE_PPPOE_SESSION, LAYER_PPPOE},
    {ETHERTYPE_JUMBO_LLC, LAYER_LLC},
    {ETHERTYPE_ETAG, LAYER_ETAG},
    {ETHERTYPE_VNTAG, LAYER_VNTAG},
    {ETHERTYPE_CISCO_METADATA, LAYER_CISCO_METADATA},
};

// PPP protocol numbers (RFC 1661 2; IANA).
static const struct row ppp_protocols[] = {
    {0x0021, LAYER_IPV4},
    {0x0057, LAYER_IPV6},
    {0x0281, LAYER_MPLS},
    {0x0283, LAYER_MPLS},
};

#define ROWS(table) table, sizeof(table) / sizeof((table)[0])

static enum layer find(const struct row *rows, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].number == number)
			return (enum layer)rows[i].layer;
	return LAYER_END;
}

enum layer layer_of_link_type(uint16_t link_type)
{
	return find(ROWS(link_types), link_type);
}

enum layer layer_of_ethertype(uint16_t ethertype)
{
	return find(ROWS(ethertypes), ethertype);
}

// Below 0x0600 the field is a length, and LLC follows (IEEE 802.3 3.2.6).
static enum layer follow_ethertype(struct walk *walk, uint16_t ethertype)
{
	walk->outcome = HEADERS_OTHER_PROTOCOL;
	return ethertype < 0x0600 ? LAYER_LLC : layer_of_ethertype(ethertype);
}

enum layer ethernet_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 14);
	return header != NULL ? follow_ethertype(walk, read_u16(header + 12)) : LAYER_END;
}

// LLC, with or without SNAP (RFC 1042); LLC's own number for IP (6) as well.
enum layer llc_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 3);
	if (header == NULL)
		return LAYER_END;
	if (header[0] == 0x06 && header[1] == 0x06 && header[2] == 0x03)
		return LAYER_IPV4;
	if (header[0] != 0xaa || header[1] != 0xaa || header[2] != 0x03)
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	const uint8_t *snap = walk_take(walk, 5);
	if (snap == NULL)
		return LAYER_END;
	uint32_t organisation = read_u32(snap) >> 8;
	if (organisation != 0 && organisation != 0x0000f8) // RFC 1042, 802.1H
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	walk->outcome = HEADERS_OTHER_PROTOCOL;
	return layer_of_ethertype(read_u16(snap + 3));
}

// IEEE 802.1Q 9.6: priority 3 bits, drop eligible 1, identifier 12; then the ethertype.
enum layer vlan_read(struct walk *walk)
{
	const uint8_t *tag = walk_take(walk, 4);
	if (tag == NULL)
		return LAYER_END;
	context_add_vlan(&walk->context, read_u16(tag) & 0x0fff);
	return follow_ethertype(walk, read_u16(tag + 2));
}

// IEEE 802.1BR 7.5: six bytes of tag, then the ethertype.
enum layer etag_read(struct walk *walk)
{
	const uint8_t *tag = walk_take(walk, 8);
	return tag != NULL ? follow_ethertype(walk, read_u16(tag + 6)) : LAYER_END;
}

// VN-Tag, the forerunner of 802.1BR: four bytes of tag, then the ethertype.
enum layer vntag_read(struct walk *walk)
{
	const uint8_t *tag = walk_take(walk, 6);
	return tag != NULL ? follow_ethertype(walk, read_u16(tag + 4)) : LAYER_END;
}

// Cisco metadata (security group tag): version 1, length 1, one option of four bytes, ethertype.
enum layer cisco_metadata_read(struct walk *walk)
{
	const uint8_t *tag = walk_take(walk, 8);
	if (tag == NULL)
		return LAYER_END;
	if (tag[0] != 1 || tag[1] != 1)
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	return follow_ethertype(walk, read_u16(tag + 6));
}

// True if an Ethernet header `skip` bytes ahead would lead to something we read.
static bool looks_like_ethernet(const struct walk *walk, uint32_t skip)
{
	return walk->captured >= skip + 14 &&
	       layer_of_ethertype(read_u16(walk->data + skip + 12)) != LAYER_END;
}

// Below the label stack nothing says what follows (RFC 4928, RFC 8469): the first nibble is an IP
// version, or 0 for a pseudowire's control word; else it is an address of a bare Ethernet frame.
static enum layer guess_below_labels(struct walk *walk)
{
	const uint8_t *first = walk_peek(walk, 1);
	if (first == NULL)
		return LAYER_END;
	if (*first >= 0x45 && *first <= 0x4f)
		return LAYER_IPV4;
	if (*first >> 4 == 6)
		return LAYER_IPV6;
	if (*first >> 4 == 0 && looks_like_ethernet(walk, 4)) {
		walk_take(walk, 4);
		return LAYER_ETHERNET;
	}
	if (looks_like_ethernet(walk, 0))
		return LAYER_ETHERNET;
	bool decided = walk->captured >= 18 || walk->captured == walk->length;
	return walk_end(walk, decided ? HEADERS_OTHER_PROTOCOL : HEADERS_CUT);
}

// RFC 3032 2.1: label 20 bits, class 3, bottom of stack 1, time to live 8. One label a call.
enum layer mpls_read(struct walk *walk)
{
	const uint8_t *label = walk_take(walk, 4);
	if (label == NULL)
		return LAYER_END;
	return (label[2] & 1) == 0 ? LAYER_MPLS : guess_below_labels(walk);
}

// RFC 2516 4: version 1, type 1, code 0 in a session; session, length of what follows.
enum layer pppoe_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 6);
	if (header == NULL)
		return LAYER_END;
	if (header[0] != 0x11)
		return walk_end(walk, HEADERS_MALFORMED);
	if (header[1] != 0) // discovery
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	if (!walk_trim(walk, read_u16(header + 4)))
		return walk_end(walk, HEADERS_MALFORMED);
	return LAYER_PPP;
}

// RFC 1661 2, RFC 1662 3.1: the address and control bytes may be left out, and the protocol may be
// compressed to its last byte, which is odd where the first one would be even.
enum layer ppp_read(struct walk *walk)
{
	const uint8_t *start = walk_peek(walk, 2);
	if (start == NULL)
		return LAYER_END;
	if (start[0] == 0xff && start[1] == 0x03) {
		walk_take(walk, 2);
		start = walk_peek(walk, 1);
		if (start == NULL)
			return LAYER_END;
	}
	uint16_t protocol = start[0];
	if ((protocol & 1) == 0) {
		start = walk_peek(walk, 2);
		if (start == NULL)
			return LAYER_END;
		protocol = read_u16(start);
	}
	walk_take(walk, (start[0] & 1) == 0 ? 2 : 1);
	walk->outcome = HEADERS_OTHER_PROTOCOL;
	return find(ROWS(ppp_protocols), protocol);
}

// Protocol of a Linux cooked header: an ethertype, or 4 for LLC.
static enum layer follow_cooked(struct walk *walk, uint16_t protocol)
{
	walk->outcome = HEADERS_OTHER_PROTOCOL;
	return protocol == 0x0004 ? LAYER_LLC : layer_of_ethertype(protocol);
}

// LINKTYPE_LINUX_SLL: packet type, ARPHRD, address length, address (8), protocol.
enum layer linux_sll_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 16);
	return header != NULL ? follow_cooked(walk, read_u16(header + 14)) : LAYER_END;
}

// LINKTYPE_LINUX_SLL2: protocol, reserved (2), interface (4), ARPHRD, packet type, address.
enum layer linux_sll2_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 20);
	return header != NULL ? follow_cooked(walk, read_u16(header)) : LAYER_END;
}

// LINKTYPE_NULL and LOOP: an address family of the machine that captured, in its byte order or in
// network order. AF_INET is 2 everywhere, AF_INET6 is not.
enum layer loopback_read(struct walk *walk)
{
	const uint8_t *header = walk_take(walk, 4);
	if (header == NULL)
		return LAYER_END;
	uint32_t family = read_u32(header);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return LAYER_IPV4;
	case 10: // Linux
	case 24: // NetBSD, OpenBSD
	case 28: // FreeBSD
	case 30: // macOS
		return LAYER_IPV6;
	default:
		return walk_end(walk, HEADERS_OTHER_PROTOCOL);
	}
}
