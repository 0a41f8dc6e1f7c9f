// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/walk.h"
#include "tests/unit/recipes.h"

static const char payload[] = "MAIL FROM:<postmaster@example.org>\r\n";

static struct port_set mail_ports(void)
{
	struct port_set ports = {.bits = {0}};
	port_set_add(&ports, 25);
	port_set_add(&ports, 993);
	return ports;
}

// A packet whose bytes end where a block of malloc ends, so that a sanitizer sees reads behind them.
static struct packet lend(const uint8_t *bytes, uint32_t captured, uint32_t length, uint16_t link)
{
	uint8_t *block = malloc(captured > 0 ? captured : 1);
	memcpy(block, bytes, captured);
	return (struct packet){.data = block,
	    .captured = captured,
	    .length = length,
	    .time = 77,
	    .link_type = link,
	    .interface = 3};
}

static void take_back(struct packet *packet)
{
	free((void *)(uintptr_t)packet->data);
}

struct recipe {
	uint16_t link_type;
	const char *words;
	uint32_t tap_point; // of interface 3
};

#define TAP(outer, inner) (3u << 24 | (outer) << 12 | (inner))

// Every one leads to the same segment.
static const struct recipe recipes[] = {
    {LINK_ETHERNET, "eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:7 ip4 tcp", TAP(7, 0)},
    {LINK_ETHERNET, "eth vlan:0 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:0 vlan:9 ip6 tcp", TAP(9, 0)},
    {LINK_ETHERNET, "eth svlan:4095 vlan:8 ip4 tcp", TAP(4095, 8)},
    {LINK_ETHERNET, "eth oldvlan:5 vlan:6 ip6 tcp", TAP(5, 6)},
    {LINK_ETHERNET, "eth svlan:1 vlan:2 vlan:3 vlan:4 vlan:5 ip4 tcp", TAP(1, 2)},
    {LINK_ETHERNET, "eth ip4options tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth snap ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth llc ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:7 snap ip6 tcp", TAP(7, 0)},
    {LINK_ETHERNET, "eth etag vlan:7 ip4 tcp", TAP(7, 0)},
    {LINK_ETHERNET, "eth vntag ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:3 metadata ip4 tcp", TAP(3, 0)},
    {LINK_ETHERNET, "eth mpls:1 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth mpls mpls mpls:1 ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth mpls:1 control eth vlan:9 ip4 tcp", TAP(9, 0)},
    {LINK_ETHERNET, "eth vlan:8 mpls:1 eth ip6 tcp", TAP(8, 0)},
    {LINK_ETHERNET, "eth pppoe ppp ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth svlan:2 vlan:3 pppoe ppp ip6 tcp", TAP(2, 3)},
    {LINK_ETHERNET, "eth pppoe ppp mpls:1 ip4 tcp", TAP(0, 0)},
    {LINK_LINUX_SLL, "sll ip4 tcp", TAP(0, 0)},
    {LINK_LINUX_SLL, "sll vlan:7 ip6 tcp", TAP(7, 0)},
    {LINK_LINUX_SLL2, "sll2 ip4 tcp", TAP(0, 0)},
    {LINK_LINUX_SLL2, "sll2 ip6 tcp", TAP(0, 0)},
    {LINK_RAW, "ip4 tcp", TAP(0, 0)},
    {LINK_RAW, "ip6 tcp", TAP(0, 0)},
    {LINK_RAW_BSD, "ip4 tcp", TAP(0, 0)},
    {LINK_RAW_OPENBSD, "ip6 tcp", TAP(0, 0)},
    {LINK_IPV4, "ip4 tcp", TAP(0, 0)},
    {LINK_IPV6, "ip6 tcp", TAP(0, 0)},
    {LINK_NULL, "family:2 ip4 tcp", TAP(0, 0)},
    {LINK_NULL, "familyswapped:2 ip4 tcp", TAP(0, 0)},
    {LINK_NULL, "familyswapped:10 ip6 tcp", TAP(0, 0)},
    {LINK_NULL, "familyswapped:24 ip6 tcp", TAP(0, 0)},
    {LINK_NULL, "family:28 ip6 tcp", TAP(0, 0)},
    {LINK_NULL, "familyswapped:30 ip6 tcp", TAP(0, 0)},
    {LINK_LOOP, "family:24 ip6 tcp", TAP(0, 0)},
    {LINK_PPP, "hdlc ppp ip4 tcp", TAP(0, 0)},
    {LINK_PPP, "ppp ip6 tcp", TAP(0, 0)},
    {LINK_PPP, "hdlc pppshort ip4 tcp", TAP(0, 0)},
    {LINK_PPP, "pppshort ip6 tcp", TAP(0, 0)},
    {LINK_PPPOE, "pppoe ppp ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6 hop tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6 hop options routing options tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6 atomic:7 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6 hop atomic:7 ah options tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4 ah tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 options ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gre ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 grekey ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 greall ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gre mpls:1 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:1 ip4:5 grekey eth vlan:2 ip4 tcp", TAP(1, 2)},
    {LINK_ETHERNET, "eth ip4:5 pptp ppp ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 pptp:1 hdlc pppshort ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 erspan1 eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 erspan2:99 eth ip4 tcp", TAP(99, 0)},
    {LINK_ETHERNET, "eth ip4:5 erspan3 eth vlan:7 ip6 tcp", TAP(7, 0)},
    {LINK_ETHERNET, "eth ip4:5 erspan3:1 eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 erspan3:2 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 etherip eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 mpls:1 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 vxlan eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth vlan:1 ip6:5 vxlan:8472 eth vlan:2 ip6 tcp", TAP(1, 2)},
    {LINK_ETHERNET, "eth ip4:5 vxlanpolicy eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gpe:1 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gpe:2 ip6 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gpe:3 eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 gpe:5 mpls:1 ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip4:5 geneve eth ip4 tcp", TAP(0, 0)},
    {LINK_ETHERNET, "eth ip6:5 geneve:24 ip6 tcp", TAP(0, 0)},
    {LINK_LINUX_SLL, "sll ip4:5 gre ip6:6 vxlan eth vlan:7 ip4 tcp", TAP(7, 0)},
    {LINK_ETHERNET, "eth vlan:1 ip4:1 vxlan eth ip4:2 gre ip4:3 ip6:4 geneve eth ip4 tcp",
        TAP(1, 0)},
};

enum { RECIPES = sizeof(recipes) / sizeof(recipes[0]) };

static void assert_same_context(const struct packet_context *a, const struct packet_context *b)
{
	assert_int_equal(a->time, b->time);
	assert_int_equal(a->tap_point, b->tap_point);
	assert_memory_equal(a->vlans, b->vlans, sizeof(a->vlans));
	assert_int_equal(a->vlan_count, b->vlan_count);
	assert_int_equal(a->nesting, b->nesting);
}

static void assert_same_segment(const struct segment *a, const struct segment *b)
{
	assert_same_context(&a->context, &b->context);
	assert_memory_equal(&a->source, &b->source, sizeof(a->source));
	assert_memory_equal(&a->destination, &b->destination, sizeof(a->destination));
	assert_int_equal(a->source_port, b->source_port);
	assert_int_equal(a->destination_port, b->destination_port);
	assert_int_equal(a->sequence, b->sequence);
	assert_int_equal(a->acknowledgement, b->acknowledgement);
	assert_int_equal(a->window, b->window);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->ip_version, b->ip_version);
	assert_int_equal(a->ttl, b->ttl);
	assert_int_equal(a->checksum_wrong, b->checksum_wrong);
	assert_int_equal(a->elsewhere, b->elsewhere);
	assert_int_equal(a->ip_id, b->ip_id);
	assert_ptr_equal(a->payload, b->payload);
	assert_int_equal(a->captured, b->captured);
	assert_int_equal(a->length, b->length);
}

// Whatever the bytes were: what comes out lies within them and is what was asked for.
static void assert_sound(const struct packet *packet, const struct headers_result *result)
{
	struct port_set ports = mail_ports();
	const uint8_t *end = packet->data + packet->captured;
	if (result->outcome == HEADERS_SEGMENT) {
		const struct segment *segment = &result->segment;
		assert_true(segment->payload >= packet->data && segment->payload <= end);
		assert_true(segment->captured <= (size_t)(end - segment->payload));
		assert_true(segment->captured <= segment->length);
		assert_true(port_set_has(&ports, segment->source_port) ||
		            port_set_has(&ports, segment->destination_port));
		assert_true(segment->context.nesting <= HEADERS_NESTING_MAX);
		assert_true(segment->context.vlan_count <= HEADERS_VLANS_MAX);
	} else if (result->outcome == HEADERS_FRAGMENT) {
		const struct fragment *fragment = &result->fragment;
		assert_true(fragment->payload >= packet->data && fragment->payload <= end);
		assert_true(fragment->captured <= (size_t)(end - fragment->payload));
		assert_true(fragment->captured <= fragment->length);
		assert_true(fragment->offset % 8 == 0);
		assert_true(fragment->more || fragment->offset > 0);
	}
}

// Reads a packet by both branches and as a batch of one, which must agree.
static struct headers_result read_packet(const struct packet *packet)
{
	struct port_set ports = mail_ports();
	struct headers_result fast = {0}, slow = {0}, batched[PACKET_BATCH_MAX];
	struct headers_counters counters = {{0}, 0};
	struct packet_batch batch = {.count = 1, .packets = {*packet}};
	enum headers_outcome outcome = headers_packet(packet, &ports, &fast);
	assert_int_equal(fast.outcome, outcome);
	assert_int_equal(headers_walk(packet, &ports, &slow), outcome);
	size_t kept = headers_batch(&batch, &ports, batched, &counters);
	assert_int_equal(counters.outcomes[outcome], 1);
	assert_int_equal(kept, outcome == HEADERS_SEGMENT || outcome == HEADERS_FRAGMENT);
	assert_sound(packet, &fast);
	if (outcome == HEADERS_SEGMENT) {
		assert_same_segment(&fast.segment, &slow.segment);
		assert_same_segment(&fast.segment, &batched[0].segment);
		assert_int_equal(counters.checksums_wrong, fast.segment.checksum_wrong);
	}
	return fast;
}

static void assert_expected_segment(
    const struct segment *segment, const struct recipe *recipe, uint32_t captured)
{
	bool ipv4 = strstr(recipe->words, "ip4 ") > strstr(recipe->words, "ip6 ") ||
	            strstr(recipe->words, "ip4options ") != NULL;
	const uint8_t first[16] = {[10] = 255, [11] = 255, [12] = 192, 0, 2, 1};
	const uint8_t second[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	assert_int_equal(segment->ip_version, ipv4 ? 4 : 6);
	assert_memory_equal(segment->source.bytes, ipv4 ? first : second, 16);
	assert_int_equal(segment->destination.bytes[15], 2);
	assert_int_equal(segment->ttl, ipv4 ? 63 : 62);
	assert_int_equal(segment->ip_id, ipv4 ? 0x1234 : 0);
	assert_int_equal(segment->source_port, 40000);
	assert_int_equal(segment->destination_port, 25);
	assert_int_equal(segment->sequence, 0xfedcba98);
	assert_int_equal(segment->acknowledgement, 0x11223344);
	assert_int_equal(segment->window, 0x2001);
	assert_int_equal(segment->flags, TCP_ACK | TCP_PSH);
	assert_false(segment->checksum_wrong);
	assert_int_equal(segment->context.time, 77);
	assert_int_equal(segment->context.tap_point, recipe->tap_point);
	assert_int_equal(segment->length, sizeof(payload) - 1);
	assert_int_equal(segment->captured, captured);
	assert_memory_equal(segment->payload, payload, captured);
}

static void every_recipe_gives_the_segment(void **state)
{
	(void)state;
	static struct built built;
	for (size_t i = 0; i < RECIPES; i++) {
		build(&built, recipes[i].words, payload);
		struct packet packet =
		    lend(built_data(&built), built.length, built.length, recipes[i].link_type);
		struct headers_result result = read_packet(&packet);
		if (result.outcome != HEADERS_SEGMENT)
			print_error("%s\n", recipes[i].words);
		assert_int_equal(result.outcome, HEADERS_SEGMENT);
		assert_expected_segment(&result.segment, &recipes[i], sizeof(payload) - 1);
		take_back(&packet);
	}
}

static void cut_packets_miss_bytes_and_nothing_else(void **state)
{
	(void)state;
	static struct built built;
	for (size_t i = 0; i < RECIPES; i++) {
		build(&built, recipes[i].words, payload);
		uint32_t headers = built.length - (uint32_t)sizeof(payload) + 1;
		for (uint32_t cut = 0; cut < built.length; cut++) {
			struct packet packet =
			    lend(built_data(&built), cut, built.length, recipes[i].link_type);
			struct headers_result result = read_packet(&packet);
			bool segment = cut >= headers;
			if (result.outcome != (segment ? HEADERS_SEGMENT : HEADERS_CUT))
				print_error("%s at %u\n", recipes[i].words, cut);
			assert_int_equal(result.outcome, segment ? HEADERS_SEGMENT : HEADERS_CUT);
			if (segment)
				assert_expected_segment(
				    &result.segment, &recipes[i], cut - headers);
			take_back(&packet);
		}
	}
}

// A frame shorter than its headers say is no cut: nothing was left out of the capture.
static void short_frames_are_malformed(void **state)
{
	(void)state;
	static struct built built;
	for (size_t i = 0; i < RECIPES; i++) {
		build(&built, recipes[i].words, payload);
		for (uint32_t cut = 0; cut < built.length; cut++) {
			struct packet packet =
			    lend(built_data(&built), cut, cut, recipes[i].link_type);
			struct headers_result result = read_packet(&packet);
			assert_true(result.outcome == HEADERS_MALFORMED ||
			            result.outcome == HEADERS_OTHER_PROTOCOL);
			take_back(&packet);
		}
	}
}

// What mirrors a frame through a tunnel may cut it before it sends it: the packet around it is whole.
static void frames_cut_by_a_mirror_miss_bytes(void **state)
{
	(void)state;
	static const char *const outer[] = {"eth ip4:5 erspan1", "eth ip4:5 erspan2",
	    "eth ip6:5 erspan3", "eth ip4:5 vxlan", "eth ip4:5 geneve", "eth ip4:5 grekey"};
	static struct built inner, built;
	build(&inner, "eth vlan:7 ip4 tcp", payload);
	for (size_t i = 0; i < sizeof(outer) / sizeof(outer[0]); i++)
		for (uint32_t cut = 0; cut <= inner.length; cut++) {
			built.length = 0;
			built_prepend(&built, built_data(&inner), cut);
			built.ethertype = inner.ethertype;
			prepend_recipe(&built, outer[i]);
			struct packet packet =
			    lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
			struct headers_result result = read_packet(&packet);
			uint32_t headers = inner.length - (uint32_t)sizeof(payload) + 1;
			assert_int_equal(
			    result.outcome, cut < headers ? HEADERS_CUT : HEADERS_SEGMENT);
			if (cut >= headers)
				assert_int_equal(result.segment.captured, cut - headers);
			if (cut >= headers)
				assert_int_equal(result.segment.length, sizeof(payload) - 1);
			take_back(&packet);
		}
}

// Reads what a recipe builds.
static enum headers_outcome outcome_of(const char *words, uint16_t link_type)
{
	static struct built built;
	build(&built, words, payload);
	struct packet packet = lend(built_data(&built), built.length, built.length, link_type);
	struct headers_result result = read_packet(&packet);
	take_back(&packet);
	return result.outcome;
}

static void what_is_not_mail_is_dropped_by_reason(void **state)
{
	(void)state;
	assert_int_equal(outcome_of("eth ip4 tcp:80", LINK_ETHERNET), HEADERS_OTHER_PORT);
	assert_int_equal(outcome_of("eth vlan:7 ip6 tcp:80", LINK_ETHERNET), HEADERS_OTHER_PORT);
	assert_int_equal(outcome_of("eth ip4 gre ip6 tcp:80", LINK_ETHERNET), HEADERS_OTHER_PORT);
	assert_int_equal(outcome_of("eth ip4 udp:53", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("eth ip6 udp:443", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("eth ip6 hop udp:443", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("eth ip4 udp:4789", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("eth ip4 udp:4790", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("eth ip4 udp:6081", LINK_ETHERNET), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("ip4 tcp", 147), HEADERS_UNKNOWN_LINK);
	assert_int_equal(outcome_of("family:7 ip4 tcp", LINK_NULL), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_of("family:2 ip4 tcp", LINK_RAW), HEADERS_MALFORMED);
}

// Changes one byte of an ordinary packet: byte `at` of the packet becomes `value`.
static enum headers_outcome outcome_with(const char *words, uint32_t at, uint8_t value)
{
	static struct built built;
	build(&built, words, payload);
	built_data(&built)[at] = value;
	struct packet packet = lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
	struct headers_result result = read_packet(&packet);
	take_back(&packet);
	return result.outcome;
}

static void headers_that_contradict_themselves_are_malformed(void **state)
{
	(void)state;
	enum { IP = 14, TCP4 = 34, TCP6 = 54 };
	assert_int_equal(outcome_with("eth ip4 tcp", IP, 0x44), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP, 0x65), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP + 2, 0x7f), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP + 3, 19), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP + 3, 39), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP + 3, 40), HEADERS_MALFORMED); // TCP options
	assert_int_equal(outcome_with("eth ip4 tcp", TCP4 + 12, 0x40), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", IP + 6, 0x20), HEADERS_MALFORMED); // 68 bytes
	assert_int_equal(outcome_with("eth ip6 tcp", IP, 0x40), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip6 tcp", IP + 4, 0x7f), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip6 tcp", IP + 5, 19), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip6 tcp", TCP6 + 12, 0x10), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip6 hop tcp", TCP6 + 1, 0xff), HEADERS_MALFORMED);
	assert_int_equal(
	    outcome_with("eth ip6 hop tcp", IP + 5, 0), HEADERS_MALFORMED); // jumbogram
	assert_int_equal(outcome_with("eth ip6 options tcp", IP + 6, 59), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(
	    outcome_with("eth ip6 options tcp", TCP6, 50), HEADERS_OTHER_PROTOCOL); // ESP
	assert_int_equal(outcome_with("eth pppoe ppp ip4 tcp", 14, 0x12), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth pppoe ppp ip4 tcp", 15, 9), HEADERS_OTHER_PROTOCOL);
	assert_int_equal(outcome_with("eth pppoe ppp ip4 tcp", 18, 0xff), HEADERS_MALFORMED);
	assert_int_equal(outcome_with("eth ip4 tcp", 12, 0x88), HEADERS_OTHER_PROTOCOL);
}

static void what_does_not_look_like_a_tunnel_is_none(void **state)
{
	(void)state;
	enum { IP = 14, GRE = 34, UDP = 34, INSIDE = 42 };
	const enum headers_outcome other = HEADERS_OTHER_PROTOCOL;
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", INSIDE, 0x00), other);
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", INSIDE, 0x0c), other);
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", INSIDE + 2, 1), other);
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", INSIDE + 7, 1), other);
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", UDP + 4, 0xff), other);
	assert_int_equal(outcome_with("eth ip4 vxlan eth ip4 tcp", UDP + 2, 0), other);
	assert_int_equal(outcome_with("eth ip4 gpe:1 ip4 tcp", INSIDE, 0x08), other);
	assert_int_equal(outcome_with("eth ip4 gpe:1 ip4 tcp", INSIDE + 3, 4), other);
	assert_int_equal(outcome_with("eth ip4 geneve ip4 tcp", INSIDE, 0x40), other);
	assert_int_equal(
	    outcome_with("eth ip4 geneve ip4 tcp", INSIDE + 1, 0x80), other); // control
	assert_int_equal(outcome_with("eth ip4 geneve ip4 tcp", INSIDE + 1, 0x01), other);
	assert_int_equal(outcome_with("eth ip4 geneve ip4 tcp", INSIDE + 3, 0x01), other);
	assert_int_equal(outcome_with("eth ip4 gre ip4 tcp", GRE, 0x40), other); // routing
	assert_int_equal(outcome_with("eth ip4 gre ip4 tcp", GRE + 1, 2), other); // version
	assert_int_equal(outcome_with("eth ip4 gre ip4 tcp", GRE + 2, 0), other); // keep-alive
	assert_int_equal(outcome_with("eth ip4 erspan2 eth ip4 tcp", INSIDE, 0x20), other);
	assert_int_equal(outcome_with("eth ip4 erspan3 eth ip4 tcp", INSIDE, 0x10), other);
	assert_int_equal(outcome_with("eth ip4 erspan3 eth ip4 tcp", INSIDE + 10, 4), other);
	assert_int_equal(outcome_with("eth ip4 etherip eth ip4 tcp", GRE + 1, 1), other);
	assert_int_equal(outcome_with("eth ip4 pptp ppp ip4 tcp", GRE, 0x20), other); // no payload
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	static struct built built;
	for (uint32_t tags = 0; tags < 200; tags += tags < 20 ? 1 : 30)
		for (int kind = 0; kind < 3; kind++) {
			static const char *const words[] = {"vlan:5", "mpls", "ip4:9"};
			build(&built, kind == 1 ? "mpls:1 ip4 tcp" : "ip4 tcp", payload);
			for (uint32_t i = 0; i < tags; i++)
				prepend_recipe(&built, words[kind]);
			prepend_recipe(&built, "eth");
			uint32_t headers = 2 + tags + (kind == 1);
			struct packet packet =
			    lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
			struct headers_result result = read_packet(&packet);
			assert_int_equal(result.outcome,
			    headers <= HEADERS_NESTING_MAX ? HEADERS_SEGMENT : HEADERS_TOO_DEEP);
			take_back(&packet);
		}
}

static void extension_headers_are_bounded(void **state)
{
	(void)state;
	static struct built built;
	for (uint32_t count = 0; count < 40; count++) {
		build(&built, "tcp", payload);
		for (uint32_t i = 0; i < count; i++)
			prepend_recipe(&built, "options");
		prepend_recipe(&built, "eth ip6");
		struct packet packet =
		    lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
		enum headers_outcome outcome = read_packet(&packet).outcome;
		bool bounded = count <= HEADERS_EXTENSIONS_MAX; // their checksum is of no interest
		assert_int_equal(outcome, bounded ? HEADERS_SEGMENT : HEADERS_TOO_DEEP);
		take_back(&packet);
	}
}

// Ethernet pads to 60 bytes, and may leave its check sequence behind: neither is payload.
static void padding_is_no_payload(void **state)
{
	(void)state;
	static const char *const words[] = {"eth ip4 tcp", "eth ip6 tcp", "eth vlan:1 ip4 tcp",
	    "eth pppoe ppp ip4 tcp", "eth ip4 gre ip4 tcp", "eth ip4options tcp"};
	static struct built built;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		build(&built, words[i], "");
		uint8_t frame[200];
		memset(frame, 0xee, sizeof(frame));
		memcpy(frame, built_data(&built), built.length);
		struct packet packet = lend(frame, sizeof(frame), sizeof(frame), LINK_ETHERNET);
		struct headers_result result = read_packet(&packet);
		assert_int_equal(result.outcome, HEADERS_SEGMENT);
		assert_int_equal(result.segment.captured, 0);
		assert_int_equal(result.segment.length, 0);
		assert_false(result.segment.checksum_wrong);
		take_back(&packet);
	}
}

// With segmentation offload the length is left to the network card.
static void without_a_length_the_frame_counts(void **state)
{
	(void)state;
	static struct built built;
	for (int version = 4; version <= 6; version += 2)
		for (uint32_t cut = 0; cut < 2; cut++) {
			build(&built, version == 4 ? "eth ip4 tcp" : "eth ip6 tcp", payload);
			put_u16(built_data(&built) + 14 + (version == 4 ? 2 : 4), 0);
			struct packet packet = lend(
			    built_data(&built), built.length - cut, built.length, LINK_ETHERNET);
			struct headers_result result = read_packet(&packet);
			assert_int_equal(result.outcome, HEADERS_SEGMENT);
			assert_int_equal(result.segment.length, sizeof(payload) - 1);
			assert_int_equal(result.segment.captured, sizeof(payload) - 1 - cut);
			take_back(&packet);
		}
}

// All ports kept: what is not of a port in the set is marked, and its checksum is of no interest.
static void every_port_can_be_kept(void **state)
{
	(void)state;
	static const struct {
		const char *words;
		bool elsewhere;
	} cases[] = {{"eth ip4 tcp:80", true}, {"eth vlan:7 ip6 tcp:80", true},
	    {"eth ip4 gre ip6 tcp:80", true}, {"eth ip4 tcp", false},
	    {"eth ip4 gre ip6 tcp", false}};
	static struct built built;
	struct port_set ports = mail_ports();
	ports.every = true;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct headers_result fast = {0}, slow = {0};
		build(&built, cases[i].words, payload);
		built_data(&built)[built.length - 1] ^= 1;
		struct packet packet =
		    lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
		assert_int_equal(headers_packet(&packet, &ports, &fast), HEADERS_SEGMENT);
		assert_int_equal(headers_walk(&packet, &ports, &slow), HEADERS_SEGMENT);
		assert_same_segment(&fast.segment, &slow.segment);
		assert_int_equal(fast.segment.elsewhere, cases[i].elsewhere);
		assert_int_equal(fast.segment.checksum_wrong, !cases[i].elsewhere);
		take_back(&packet);
	}
}

static void checksums_are_verified_where_they_can_be(void **state)
{
	(void)state;
	static struct built built;
	static const char *const words[] = {"eth ip4 tcp", "eth ip6 tcp", "eth ip4 gre ip6 tcp"};
	char text[300] = "";
	for (size_t size = 0; size < sizeof(text) - 1; size++)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			for (size_t at = 0; at < size; at++) // of all values but zero
				text[at] = (char)(1 + (at * 37 + size) % 255);
			build(&built, words[i], text);
			uint32_t broken = built.length - 1 - (uint32_t)(size * 31 % (size + 16));
			for (uint32_t wrong = 0; wrong < 2; wrong++) {
				built_data(&built)[broken] ^= (uint8_t)(wrong << size % 8);
				for (uint32_t cut = 0; cut < (size > 0 ? 2 : 1); cut++) {
					struct packet packet = lend(built_data(&built),
					    built.length - cut, built.length, LINK_ETHERNET);
					struct headers_result result = read_packet(&packet);
					assert_int_equal(result.outcome, HEADERS_SEGMENT);
					assert_int_equal(
					    result.segment.checksum_wrong, wrong != 0 && cut == 0);
					take_back(&packet);
				}
			}
		}
}

// While segments are left the destination stands in the routing header, and the checksum is over it.
static void the_end_of_a_routed_way_is_the_destination(void **state)
{
	(void)state;
	static struct built built;
	for (uint8_t type = 0; type <= 4; type += 2) {
		build(&built, "eth ip6 routing tcp", payload);
		uint8_t *ip = built_data(&built) + 14, *routing = ip + 40, *tcp = routing + 24;
		uint32_t size = built.length - 14 - 40 - 24;
		routing[2] = type;
		routing[3] = 1;
		memset(routing + 8, 0xab, 16);
		uint8_t addresses[32];
		memcpy(addresses, ip + 8, 16);
		memset(addresses + 16, 0xab, 16);
		put_u16(tcp + 16, 0);
		uint32_t sum = sum_by_the_book(addresses, 32, 6 + size);
		put_u16(tcp + 16, ~sum_by_the_book(tcp, size, sum) & 0xffff);
		struct packet packet =
		    lend(built_data(&built), built.length, built.length, LINK_ETHERNET);
		struct headers_result result = read_packet(&packet);
		assert_int_equal(result.outcome, HEADERS_SEGMENT);
		assert_memory_equal(result.segment.destination.bytes, addresses + 16, 16);
		assert_false(result.segment.checksum_wrong);
		take_back(&packet);
	}
}

static void fragments_are_handed_on_whose_datagram_may_matter(void **state)
{
	(void)state;
	static struct built built;
	for (int protocol = 0; protocol < 256; protocol++)
		for (int version = 4; version <= 6; version += 2) {
			char data[33] = "0123456789abcdef0123456789abcdef";
			built_start(&built, data);
			built.protocol = (uint8_t)protocol;
			if (version == 4)
				prepend_ipv4(&built, 0, 0, 0x2003);
			else {
				prepend_fragment_header(&built, 24, true, 0x87654321);
				prepend_ipv6(&built, 0);
			}
			struct packet packet =
			    lend(built_data(&built), built.length, built.length, LINK_RAW);
			struct headers_result result = read_packet(&packet);
			// Of IPv6 the first fragment tells the protocol, whatever this one says.
			bool kept = version == 6 || protocol == 6 || protocol == 17 ||
			            protocol == 47 || protocol == 4 || protocol == 41 ||
			            protocol == 51 || protocol == 97 || protocol == 137 ||
			            protocol == 143;
			assert_int_equal(
			    result.outcome, kept ? HEADERS_FRAGMENT : HEADERS_OTHER_PROTOCOL);
			if (kept) {
				assert_int_equal(result.fragment.offset, 24);
				assert_true(result.fragment.more);
				assert_int_equal(result.fragment.length, 32);
				assert_int_equal(result.fragment.captured, 32);
				assert_int_equal(result.fragment.protocol, protocol);
				assert_int_equal(
				    result.fragment.id, version == 4 ? 0x1234 : 0x87654321);
				assert_memory_equal(result.fragment.payload, data, 32);
			}
			take_back(&packet);
		}
}

static uint32_t random_next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void flipped_bits_are_survived(void **state)
{
	(void)state;
	static struct built built;
	uint64_t seed = 4711;
	for (size_t i = 0; i < RECIPES; i++)
		for (int round = 0; round < 1500; round++) {
			build(&built, recipes[i].words, payload);
			uint32_t length = built.length, cut = length;
			uint32_t near = length > 130 ? length : 130; // mostly in the headers
			for (uint32_t flips = random_next(&seed) % 8; flips-- > 0;) {
				uint32_t at = random_next(&seed) % near;
				if (at < length)
					built_data(&built)[at] ^=
					    (uint8_t)(1u << random_next(&seed) % 8);
			}
			if (random_next(&seed) % 3 == 0)
				cut = random_next(&seed) % (length + 1);
			if (random_next(&seed) % 8 == 0)
				length = cut;
			struct packet packet =
			    lend(built_data(&built), cut, length, recipes[i].link_type);
			read_packet(&packet);
			take_back(&packet);
		}
}

static void bytes_of_no_packet_are_survived(void **state)
{
	(void)state;
	uint64_t seed = 42;
	for (int round = 0; round < 60000; round++) {
		uint8_t bytes[160];
		uint32_t size = random_next(&seed) % sizeof(bytes);
		for (uint32_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)random_next(&seed);
		uint16_t link = recipes[random_next(&seed) % RECIPES].link_type;
		if (link == LINK_ETHERNET && size > 14) // or few would get past the ethertype
			put_u16(bytes + 12, random_next(&seed) % 2 ? 0x0800 : 0x8847);
		struct packet packet = lend(bytes, size, size + random_next(&seed) % 100, link);
		read_packet(&packet);
		take_back(&packet);
	}
}

static void every_packet_of_a_batch_is_counted_once(void **state)
{
	(void)state;
	static struct built built;
	struct port_set ports = mail_ports();
	struct headers_counters counters = {{0}, 0};
	struct headers_result results[PACKET_BATCH_MAX], single;
	uint64_t seed = 1, packets = 0;
	for (int round = 0; round < 300; round++) {
		struct packet_batch batch = {.count = random_next(&seed) % (PACKET_BATCH_MAX + 1)};
		for (size_t i = 0; i < batch.count; i++) {
			const struct recipe *recipe = &recipes[random_next(&seed) % RECIPES];
			build(&built, recipe->words, payload);
			built_data(&built)[random_next(&seed) % built.length] ^= 4;
			batch.packets[i] =
			    lend(built_data(&built), built.length, built.length, recipe->link_type);
		}
		size_t kept = headers_batch(&batch, &ports, results, &counters), next = 0;
		packets += batch.count;
		for (size_t i = 0; i < batch.count; i++) {
			enum headers_outcome outcome =
			    headers_packet(&batch.packets[i], &ports, &single);
			if (outcome == HEADERS_SEGMENT)
				assert_same_segment(&single.segment, &results[next].segment);
			if (outcome == HEADERS_SEGMENT || outcome == HEADERS_FRAGMENT)
				assert_int_equal(results[next++].outcome, outcome);
			take_back(&batch.packets[i]);
		}
		assert_int_equal(next, kept);
	}
	uint64_t sum = 0;
	for (int i = 0; i < HEADERS_OUTCOMES; i++)
		sum += counters.outcomes[i];
	assert_int_equal(sum, packets);
	assert_true(counters.checksums_wrong > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_recipe_gives_the_segment),
	    cmocka_unit_test(cut_packets_miss_bytes_and_nothing_else),
	    cmocka_unit_test(short_frames_are_malformed),
	    cmocka_unit_test(frames_cut_by_a_mirror_miss_bytes),
	    cmocka_unit_test(what_is_not_mail_is_dropped_by_reason),
	    cmocka_unit_test(headers_that_contradict_themselves_are_malformed),
	    cmocka_unit_test(what_does_not_look_like_a_tunnel_is_none),
	    cmocka_unit_test(nesting_is_bounded),
	    cmocka_unit_test(extension_headers_are_bounded),
	    cmocka_unit_test(padding_is_no_payload),
	    cmocka_unit_test(without_a_length_the_frame_counts),
	    cmocka_unit_test(checksums_are_verified_where_they_can_be),
	    cmocka_unit_test(every_port_can_be_kept),
	    cmocka_unit_test(the_end_of_a_routed_way_is_the_destination),
	    cmocka_unit_test(fragments_are_handed_on_whose_datagram_may_matter),
	    cmocka_unit_test(flipped_bits_are_survived),
	    cmocka_unit_test(bytes_of_no_packet_are_survived),
	    cmocka_unit_test(every_packet_of_a_batch_is_counted_once),
	};
	return cmocka_run_group_tests_name("headers", tests, NULL, NULL);
}
