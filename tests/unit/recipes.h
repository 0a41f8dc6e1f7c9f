// SPDX-License-Identifier: Apache-2.0
// Recipes for packets.h: one word per header, `vlan:7` with a number, from the outermost inwards:
// "eth vlan:7 ip4 gre ip4 tcp". Used by the tests of headers and fragments.
#ifndef MAILTAP_TESTS_UNIT_RECIPES_H
#define MAILTAP_TESTS_UNIT_RECIPES_H

#include "tests/unit/packets.h"

struct word {
	const char *name;
	void (*prepend)(struct built *built, uint32_t number);
};

#define WORD(name) static inline void word_##name(struct built *built, uint32_t number)
#define UNUSED (void)number

WORD(tcp)
{
	prepend_tcp(built, 40000, (uint16_t)(number ? number : 25), 12);
}
WORD(udp)
{
	prepend_udp(built, (uint16_t)number);
}
WORD(ip4)
{
	prepend_ipv4(built, (uint8_t)number, 0, 0);
}
WORD(ip4options)
{
	prepend_ipv4(built, (uint8_t)number, 24, 0);
}
WORD(ip6)
{
	prepend_ipv6(built, (uint8_t)number);
}
WORD(hop)
{
	UNUSED;
	prepend_extension(built, 0, 0, 8);
}
WORD(options)
{
	UNUSED;
	prepend_extension(built, 60, 2, 24);
}
WORD(routing)
{
	UNUSED;
	prepend_extension(built, 43, 2, 24);
}
WORD(ah)
{
	UNUSED;
	prepend_extension(built, 51, 4, 24);
}
WORD(atomic)
{
	prepend_fragment_header(built, 0, false, number);
}
WORD(eth)
{
	UNUSED;
	prepend_ethernet(built);
}
WORD(vlan)
{
	prepend_tag(built, 0x8100, (uint16_t)number);
}
WORD(svlan)
{
	prepend_tag(built, 0x88a8, (uint16_t)number);
}
WORD(oldvlan)
{
	prepend_tag(built, 0x9100, (uint16_t)number);
}

WORD(snap)
{
	UNUSED;
	const uint8_t header[6] = {0xaa, 0xaa, 3, 0, 0, 0};
	prepend_with_ethertype(built, header, 6, (uint16_t)(built->length + 8));
	built->ethertype = 0x0100; // a length
}

WORD(llc)
{
	UNUSED;
	const uint8_t header[3] = {6, 6, 3};
	built_prepend(built, header, 3);
	built->ethertype = 0x0100;
}

WORD(etag)
{
	UNUSED;
	const uint8_t tag[6] = {0x10, 0x22, 0x33, 0x44, 0x55, 0x66};
	prepend_with_ethertype(built, tag, 6, 0x893f);
}

WORD(vntag)
{
	UNUSED;
	const uint8_t tag[4] = {0x80, 0x22, 0x33, 0x44};
	prepend_with_ethertype(built, tag, 4, 0x8926);
}

WORD(metadata)
{
	UNUSED;
	const uint8_t tag[6] = {1, 1, 0, 1, 0, 9};
	prepend_with_ethertype(built, tag, 6, 0x8909);
}

// A label; the innermost (number 1) is the bottom of the stack.
WORD(mpls)
{
	const uint8_t label[4] = {0x12, 0x34, (uint8_t)(0x50 | (number & 1)), 64};
	built_prepend(built, label, 4);
	built->ethertype = 0x8847;
	built->protocol = 137;
}

WORD(control)
{
	UNUSED;
	const uint8_t word[4] = {0, 0, 0x12, 0x34};
	built_prepend(built, word, 4);
}

static inline uint16_t ppp_of(const struct built *built)
{
	return built->ethertype == 0x0800 ? 0x0021 : built->ethertype == 0x86dd ? 0x0057 : 0x0281;
}

WORD(ppp)
{
	UNUSED;
	const uint8_t header[2] = {0, (uint8_t)ppp_of(built)};
	uint16_t protocol = ppp_of(built);
	put_u16(built_prepend(built, header, 2), protocol);
	built->ethertype = 0x880b;
}

WORD(pppshort)
{
	UNUSED;
	const uint8_t header[1] = {(uint8_t)ppp_of(built)};
	built_prepend(built, header, 1);
	built->ethertype = 0x880b;
}

WORD(hdlc)
{
	UNUSED;
	const uint8_t header[2] = {0xff, 3};
	built_prepend(built, header, 2);
}

WORD(pppoe)
{
	UNUSED;
	uint8_t header[6] = {0x11, 0, 0x12, 0x34};
	put_u16(header + 4, built->length);
	built_prepend(built, header, 6);
	built->ethertype = 0x8864;
}

WORD(sll)
{
	UNUSED;
	const uint8_t header[14] = {0, 4, 0, 1, 0, 6, 2};
	prepend_with_ethertype(built, header, 14, 0);
}

WORD(sll2)
{
	UNUSED;
	uint8_t header[20] = {[4] = 0, 0, 0, 3, 0, 1, 4, 6, 2};
	put_u16(header, built->ethertype);
	built_prepend(built, header, 20);
}

WORD(family)
{
	uint8_t header[4];
	put_u32(header, number);
	built_prepend(built, header, 4);
}

WORD(familyswapped)
{
	const uint8_t header[4] = {(uint8_t)number};
	built_prepend(built, header, 4);
}

WORD(gre)
{
	UNUSED;
	prepend_gre(built, 0);
}
WORD(grekey)
{
	UNUSED;
	prepend_gre(built, 0x2000);
}
WORD(greall)
{
	UNUSED;
	prepend_gre(built, 0xb000);
}

WORD(pptp)
{
	uint8_t header[16] = {0x30, (uint8_t)(number ? 0x81 : 0x01), 0x88, 0x0b};
	put_u16(header + 4, built->length);
	built_prepend(built, header, number ? 16 : 12);
	built->protocol = 47;
}

WORD(erspan1)
{
	UNUSED;
	built->ethertype = 0x88be;
	prepend_gre(built, 0);
}

// Number: the VLAN that was taken off the frame.
WORD(erspan2)
{
	const uint8_t header[8] = {(uint8_t)(0x10 | number >> 8), (uint8_t)number, 0x10, 7};
	built_prepend(built, header, 8);
	built->ethertype = 0x88be;
	prepend_gre(built, 0x1000);
}

// Number: 1 with the platform's sub-header, 2 for an IP packet inside.
WORD(erspan3)
{
	uint8_t header[20] = {0x20, 0, 0, 7};
	header[10] = (uint8_t)((number & 2) << 2);
	header[11] = number & 1;
	built_prepend(built, header, number & 1 ? 20 : 12);
	built->ethertype = 0x22eb;
	prepend_gre(built, 0x1000);
}

WORD(etherip)
{
	UNUSED;
	const uint8_t header[2] = {0x30, 0};
	built_prepend(built, header, 2);
	built->protocol = 97;
}

WORD(vxlan)
{
	const uint8_t header[8] = {8, 0, 0, 0, 0, 0, 42, 0};
	built_prepend(built, header, 8);
	prepend_udp(built, (uint16_t)(number ? number : 4789));
}

WORD(vxlanpolicy)
{
	UNUSED;
	const uint8_t header[8] = {0x88, 8, 0, 77, 0, 0, 42, 0};
	built_prepend(built, header, 8);
	prepend_udp(built, 4789);
}

WORD(gpe)
{
	const uint8_t header[8] = {0x0c, 0, 0, (uint8_t)number, 0, 0, 42, 0};
	built_prepend(built, header, 8);
	prepend_udp(built, 4790);
}

// Number: bytes of options.
WORD(geneve)
{
	uint8_t header[64] = {(uint8_t)(number / 4), 0, 0, 0, 0, 0, 42};
	put_u16(header + 2, built->ethertype);
	built_prepend(built, header, 8 + number);
	prepend_udp(built, 6081);
}

#define ROW(name)                                                                                  \
	{                                                                                          \
#name, word_##name                                                                 \
	}

static const struct word vocabulary[] = {ROW(tcp), ROW(udp), ROW(ip4), ROW(ip4options), ROW(ip6),
    ROW(hop), ROW(options), ROW(routing), ROW(ah), ROW(atomic), ROW(eth), ROW(vlan), ROW(svlan),
    ROW(oldvlan), ROW(snap), ROW(llc), ROW(etag), ROW(vntag), ROW(metadata), ROW(mpls),
    ROW(control), ROW(ppp), ROW(pppshort), ROW(hdlc), ROW(pppoe), ROW(sll), ROW(sll2), ROW(family),
    ROW(familyswapped), ROW(gre), ROW(grekey), ROW(greall), ROW(pptp), ROW(erspan1), ROW(erspan2),
    ROW(erspan3), ROW(etherip), ROW(vxlan), ROW(vxlanpolicy), ROW(gpe), ROW(geneve)};

static inline void prepend_word(struct built *built, const char *word, size_t length)
{
	for (size_t i = 0; i < sizeof(vocabulary) / sizeof(vocabulary[0]); i++) {
		size_t size = strlen(vocabulary[i].name);
		if (size > length || memcmp(vocabulary[i].name, word, size) != 0 ||
		    (size < length && word[size] != ':'))
			continue;
		vocabulary[i].prepend(
		    built, size < length ? (uint32_t)strtoul(word + size + 1, NULL, 10) : 0);
		return;
	}
	fprintf(stderr, "no such word: %.*s\n", (int)length, word);
	abort();
}

// Puts the headers of a recipe in front of what is built already.
static inline void prepend_recipe(struct built *built, const char *recipe)
{
	for (const char *end = recipe + strlen(recipe); end > recipe;) {
		const char *start = end;
		while (start > recipe && start[-1] != ' ')
			start--;
		if (start < end)
			prepend_word(built, start, (size_t)(end - start));
		end = start > recipe ? start - 1 : recipe;
	}
}

static inline void build(struct built *built, const char *recipe, const char *payload)
{
	built_start(built, payload);
	prepend_recipe(built, recipe);
}

#endif
