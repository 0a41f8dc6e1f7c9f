// SPDX-License-Identifier: Apache-2.0
// Fuzzes link layers, tunnels and IP headers: the input is four bytes of circumstances and one packet.
// The fast and the slow branch, one packet and a batch come to the same; what is found lies within the
// packet; a shorter snap length hides facts and never makes other ones; and the kernel's filter lets
// through what is kept.
#include "capture/live_filter.h"
#include "decode/walk.h"
#include "tests/fuzz/fuzzer.h"

enum {
	CUTS = 160, // so many shorter snap lengths are tried
	PORTS_ALL = 0x01, // of the settings
	LINK_ANY = 0x02, // the second byte is a link type's number, and no row of the table
	NAMES = 0x04, // messages of DNS are asked for, too
};

static const uint16_t link_types[] = {LINK_ETHERNET, LINK_NULL, LINK_PPP, LINK_RAW_BSD,
    LINK_RAW_OPENBSD, LINK_PPPOE, LINK_RAW, LINK_LOOP, LINK_LINUX_SLL, LINK_IPV4, LINK_IPV6,
    LINK_LINUX_SLL2};

struct reading {
	enum headers_outcome outcome;
	struct headers_result result;
};

static bool is_kept(enum headers_outcome outcome)
{
	return outcome == HEADERS_SEGMENT || outcome == HEADERS_FRAGMENT;
}

static const struct port_set *ports(bool every, bool names)
{
	static const uint16_t numbers[] = {25, 110, 143, 465, 587, 993, 995, 2525, 2526, 2527};
	static struct port_set sets[2][2];
	struct port_set *set = &sets[every][names];
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		port_set_add(set, numbers[i]);
	set->every = every;
	set->names = names;
	return set;
}

static void check_inside(const struct packet *packet, const uint8_t *payload, uint32_t captured)
{
	const uint8_t *end = packet->data + packet->captured;
	MUST(payload >= packet->data && payload <= end && captured <= (size_t)(end - payload));
}

static void check_context(const struct packet *packet, const struct packet_context *context)
{
	MUST(context->time == packet->time &&
	     context->tap_point >> 24 == (packet->interface & 0xff));
	MUST(context->vlan_count <= HEADERS_VLANS_MAX && context->nesting <= HEADERS_NESTING_MAX);
	for (unsigned i = 0; i < context->vlan_count; i++)
		MUST(context->vlans[i] > 0 && context->vlans[i] < 4096);
}

static void check_segment(
    const struct packet *packet, const struct port_set *set, const struct segment *segment)
{
	bool followed =
	    port_set_has(set, segment->source_port) || port_set_has(set, segment->destination_port);
	check_context(packet, &segment->context);
	check_inside(packet, segment->payload, segment->captured);
	MUST(segment->captured <= segment->length);
	MUST(segment->ip_version == 4 || segment->ip_version == 6);
	MUST(segment->elsewhere == !followed && (followed || set->every));
	MUST(!segment->checksum_wrong || segment->captured == segment->length);
}

static void check_fragment(const struct packet *packet, const struct fragment *fragment)
{
	check_context(packet, &fragment->context);
	check_inside(packet, fragment->payload, fragment->captured);
	MUST(fragment->captured <= fragment->length && fragment->length > 0);
	MUST(fragment->offset % 8 == 0 && fragment->offset <= 65535);
	MUST(!fragment->more || fragment->length % 8 == 0);
}

// Of two readings of one packet, the second perhaps of a shorter capture of it.
static void check_same_segment(const struct segment *one, const struct segment *two, bool cut)
{
	MUST(memcmp(&one->source, &two->source, sizeof one->source) == 0);
	MUST(memcmp(&one->destination, &two->destination, sizeof one->destination) == 0);
	MUST(
	    one->source_port == two->source_port && one->destination_port == two->destination_port);
	MUST(one->sequence == two->sequence && one->acknowledgement == two->acknowledgement);
	MUST(one->flags == two->flags && one->window == two->window && one->ttl == two->ttl);
	MUST(one->ip_version == two->ip_version && one->ip_id == two->ip_id);
	MUST(one->checksum == two->checksum && one->elsewhere == two->elsewhere);
	MUST(one->context.tap_point == two->context.tap_point);
	MUST(one->context.vlan_count == two->context.vlan_count);
	MUST(one->context.nesting == two->context.nesting && one->length == two->length);
	MUST(cut ? two->captured <= one->captured : two->captured == one->captured);
	MUST(cut || one->checksum_wrong == two->checksum_wrong);
}

static void check_same_fragment(const struct fragment *one, const struct fragment *two, bool cut)
{
	MUST(memcmp(&one->source, &two->source, sizeof one->source) == 0);
	MUST(memcmp(&one->destination, &two->destination, sizeof one->destination) == 0);
	MUST(one->id == two->id && one->ip_version == two->ip_version);
	MUST(one->protocol == two->protocol && one->ttl == two->ttl && one->more == two->more);
	MUST(one->offset == two->offset && one->length == two->length);
	MUST(cut ? two->captured <= one->captured : two->captured == one->captured);
}

static void check_same(const struct reading *one, const struct reading *two, bool cut)
{
	MUST(one->outcome == two->outcome);
	if (one->outcome == HEADERS_SEGMENT)
		check_same_segment(&one->result.segment, &two->result.segment, cut);
	else if (one->outcome == HEADERS_FRAGMENT)
		check_same_fragment(&one->result.fragment, &two->result.fragment, cut);
}

// Where the capture ends before the headers do nothing is known of the packet; or else the same. A packet that
// is not kept may be so for another reason.
static void check_cut(const struct packet *packet, const struct port_set *set,
    const struct reading *whole, uint32_t captured)
{
	struct packet cut = *packet;
	struct reading reading;
	uint8_t *copy = exact_copy(packet->data, captured);
	cut.data = copy;
	cut.captured = captured;
	reading.outcome = headers_packet(&cut, set, &reading.result);
	if (is_kept(whole->outcome) ? reading.outcome != HEADERS_CUT : is_kept(reading.outcome))
		check_same(whole, &reading, true);
	free(copy);
}

static void check_batch(
    const struct packet *packet, const struct port_set *set, const struct reading *whole)
{
	struct packet_batch batch = {.count = 3, .packets = {*packet, *packet, *packet}};
	static struct headers_result results[PACKET_BATCH_MAX];
	struct headers_counters counters = {.checksums_wrong = 0};
	bool kept = is_kept(whole->outcome) || whole->outcome == HEADERS_NAMES;
	MUST(headers_batch(&batch, set, results, &counters) == (kept ? batch.count : 0));
	MUST(counters.outcomes[whole->outcome] == batch.count);
	for (size_t i = 0; kept && i < batch.count; i++)
		check_same(whole, &(struct reading){results[i].outcome, results[i]}, false);
}

// Of a packet that is kept, captured whole as the kernel sees it.
static void check_filter(const struct packet *packet, const struct port_set *set)
{
	static struct live_filter filter;
	if (packet->captured < packet->length || !live_filter_make(&filter, packet->link_type, set))
		return;
	struct bpf_program program = {(unsigned)filter.length, filter.code};
	struct pcap_pkthdr header = {.caplen = packet->captured, .len = packet->length};
	MUST(pcap_offline_filter(&program, &header, packet->data) != 0);
}

static void check_packet(const struct packet *packet, const struct port_set *set)
{
	struct reading whole, slow;
	whole.outcome = headers_packet(packet, set, &whole.result);
	slow.outcome = headers_walk(packet, set, &slow.result);
	MUST(whole.outcome < HEADERS_OUTCOMES);
	check_same(&whole, &slow, false);
	check_batch(packet, set, &whole);
	if (whole.outcome == HEADERS_SEGMENT)
		check_segment(packet, set, &whole.result.segment);
	else if (whole.outcome == HEADERS_FRAGMENT)
		check_fragment(packet, &whole.result.fragment);
	if (is_kept(whole.outcome) || whole.outcome == HEADERS_NAMES)
		check_filter(packet, set);
	for (uint32_t cut = 0; cut < packet->captured && cut < CUTS; cut++)
		check_cut(packet, set, &whole, cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	uint8_t settings = take(&input), link = take(&input);
	uint16_t beyond = take_u16(&input); // bytes that the snap length cut off
	uint32_t captured = (uint32_t)input_left(&input);
	uint8_t *copy = exact_copy(input.at, captured);
	const struct packet packet = {
	    .data = copy,
	    .captured = captured,
	    .length = captured + beyond,
	    .time = SECONDS(1700000000),
	    .link_type = settings & LINK_ANY
	                     ? link
	                     : link_types[link % (sizeof link_types / sizeof link_types[0])],
	    .interface = settings >> 2,
	};
	check_packet(&packet, ports(settings & PORTS_ALL, settings & NAMES));
	free(copy);
	return 0;
}
