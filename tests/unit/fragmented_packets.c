// SPDX-License-Identifier: Apache-2.0
// Packets that come in fragments, inside tunnels and around them: headers and table together, down to
// the segment.
#include "tests/unit/fragment_lab.h"

// Reads a packet and whatever it completes, down to a segment.
static enum headers_outcome read_on(
    struct setting *setting, const struct packet *packet, struct headers_result *result)
{
	enum headers_outcome outcome = headers_packet(packet, &setting->ports, result);
	for (int depth = 0; outcome == HEADERS_FRAGMENT && depth < 10; depth++) {
		struct datagram datagram;
		struct fragment fragment = result->fragment;
		if (!fragment_add(setting->table, &fragment, &datagram))
			return HEADERS_FRAGMENT;
		outcome = headers_datagram(&datagram, &setting->ports, result);
	}
	return outcome;
}

// The part [offset, offset + size) of an IP packet's payload as a packet of its own.
static void build_part(struct built *part, struct built *whole, uint32_t offset, uint32_t size)
{
	const uint8_t *ip = built_data(whole);
	bool ipv4 = ip[0] >> 4 == 4;
	uint32_t header = ipv4 ? 20 : 40, length = whole->length - header;
	if (size > length - offset)
		size = length - offset;
	bool more = offset + size < length;
	part->length = part->segment = 0;
	built_prepend(part, ip + header + offset, size);
	if (ipv4) {
		part->protocol = ip[9];
		prepend_ipv4(part, ip[19] - 2, 0, (uint16_t)((more ? 0x2000u : 0) | offset / 8));
		return;
	}
	part->protocol = ip[6];
	prepend_fragment_header(part, offset, more, 4711);
	prepend_ipv6(part, ip[39] - 2);
}

static const char text[] =
    "220 mx.example.org ESMTP\r\n and more of it, so that it can be cut in parts";

static void assert_text(const struct headers_result *result, uint32_t captured)
{
	const struct segment *segment = &result->segment;
	assert_int_equal(segment->destination_port, 25);
	assert_int_equal(segment->length, sizeof(text) - 1);
	assert_int_equal(segment->captured, captured);
	assert_memory_equal(segment->payload, text, captured);
	assert_int_equal(segment->source.bytes[15], 1);
	assert_false(segment->checksum_wrong);
}

struct nest {
	const char *outside, *inside; // what is cut is the IP header at the start of `inside`
	uint32_t vlans;
};

static const struct nest nests[] = {
    {"eth", "ip4 tcp", 0},
    {"eth vlan:7", "ip4 tcp", 7 << 12},
    {"eth", "ip6 tcp", 0},
    {"eth", "ip6 options tcp", 0},
    {"eth vlan:7", "ip4:5 gre ip4 tcp", 7 << 12},
    {"eth", "ip6:5 gre eth vlan:9 ip6 tcp", 9 << 12},
    {"eth", "ip4:5 vxlan eth vlan:9 ip4 tcp", 9 << 12},
    {"eth", "ip4:5 geneve:8 ip6 tcp", 0},
    {"eth", "ip4:5 ip4 tcp", 0},
    {"eth", "ip4:5 ip6 tcp", 0},
    {"eth ip4:5 gre", "ip4 tcp", 0},
    {"eth vlan:7 ip4:5 vxlan eth vlan:9", "ip6 tcp", 7 << 12 | 9},
    {"eth ip4:5 erspan2 eth", "ip4 tcp", 0},
    {"sll ip6:5", "ip6 tcp", 0},
};

static void fragments_in_and_around_tunnels_are_put_together(void **state)
{
	(void)state;
	static struct built whole, part;
	for (size_t i = 0; i < sizeof(nests) / sizeof(nests[0]); i++)
		for (uint32_t size = 8; size < 100; size += 8) {
			struct setting setting;
			struct headers_result result;
			set_up(&setting, BUDGET, 100);
			build(&whole, nests[i].inside, text);
			uint32_t header = built_data(&whole)[0] >> 4 == 4 ? 20 : 40;
			uint32_t length = whole.length - header;
			for (uint32_t offset = 0; offset < length; offset += size) {
				build_part(&part, &whole, offset, size);
				prepend_recipe(&part, nests[i].outside);
				struct packet packet = {.data = built_data(&part),
				    .captured = part.length,
				    .length = part.length,
				    .link_type = nests[i].outside[0] == 'e' ? LINK_ETHERNET
				                                            : LINK_LINUX_SLL};
				enum headers_outcome outcome = read_on(&setting, &packet, &result);
				bool last = offset + size >= length;
				assert_int_equal(
				    outcome, last ? HEADERS_SEGMENT : HEADERS_FRAGMENT);
			}
			assert_text(&result, sizeof(text) - 1);
			assert_int_equal(result.segment.context.tap_point, nests[i].vlans);
			tear_down(&setting);
		}
}

// RFC 8200 4.5: only what the first fragment of IPv6 names as the next header counts.
static void the_first_fragment_names_the_protocol(void **state)
{
	(void)state;
	static struct built whole, part;
	for (uint32_t start = 0; start < 4; start++) {
		struct setting setting;
		struct headers_result result;
		enum headers_outcome outcome = HEADERS_FRAGMENT;
		set_up(&setting, BUDGET, 100);
		build(&whole, "ip6 tcp", text);
		for (uint32_t i = 0; i < 4; i++) {
			uint32_t offset = (start + i) % 4 * 32;
			assert_int_equal(outcome, HEADERS_FRAGMENT);
			build_part(&part, &whole, offset, 32);
			if (offset > 0)
				built_data(&part)[40] = 59; // no next header
			struct packet packet = {.data = built_data(&part),
			    .captured = part.length,
			    .length = part.length,
			    .link_type = LINK_RAW};
			outcome = read_on(&setting, &packet, &result);
		}
		assert_int_equal(outcome, HEADERS_SEGMENT);
		assert_text(&result, sizeof(text) - 1);
		tear_down(&setting);
	}
}

// Fragments inside a tunnel whose packets are fragments again; the last ones may be cut.
static void fragments_of_fragments_are_put_together(void **state)
{
	(void)state;
	static struct built whole, inner, outer;
	for (uint32_t cut = 0; cut < 16; cut++) { // of 19 bytes in the last one
		struct setting setting;
		struct headers_result result;
		enum headers_outcome outcome = HEADERS_FRAGMENT;
		set_up(&setting, BUDGET, 100);
		build(&whole, "ip4 tcp", text);
		for (uint32_t offset = 0; offset < whole.length - 20; offset += 40) {
			build_part(&inner, &whole, offset, 40);
			prepend_recipe(&inner, "ip6:5 gre eth vlan:9");
			bool last_inner = offset + 40 >= whole.length - 20;
			for (uint32_t at = 0; at < inner.length - 40; at += 24) {
				assert_int_equal(outcome, HEADERS_FRAGMENT);
				build_part(&outer, &inner, at, 24);
				prepend_recipe(&outer, "eth vlan:7");
				bool last = last_inner && at + 24 >= inner.length - 40;
				struct packet packet = {.data = built_data(&outer),
				    .captured = outer.length - (last ? cut : 0),
				    .length = outer.length,
				    .link_type = LINK_ETHERNET};
				outcome = read_on(&setting, &packet, &result);
			}
		}
		assert_int_equal(outcome, HEADERS_SEGMENT);
		assert_text(&result, (uint32_t)sizeof(text) - 1 - cut);
		assert_int_equal(result.segment.context.tap_point, 7 << 12 | 9);
		tear_down(&setting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fragments_in_and_around_tunnels_are_put_together),
	    cmocka_unit_test(the_first_fragment_names_the_protocol),
	    cmocka_unit_test(fragments_of_fragments_are_put_together),
	};
	return cmocka_run_group_tests_name("fragmented_packets", tests, NULL, NULL);
}
