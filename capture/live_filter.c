// SPDX-License-Identifier: Apache-2.0
// The program in the order it runs: tags, ethertype, IP, ports. X holds how far the network header is from
// where it would be without tags, and later the transport header from the same place; every load but the
// first is relative to it. Classic BPF only jumps forward, and far only without a condition.
#include "capture/live_filter.h"

#include "capture/packet.h"

enum {
	ETHERNET_SIZE = 14,
	COOKED_SIZE = 16,
	JUMPS_MAX = 32,
	TAGS_MAX = 4, // further ones are not looked behind
	SCRATCH = 0, // the word of memory that is used

	ETHERTYPE_FIRST = 0x0600, // below are lengths, and LLC follows (IEEE 802.3 3.2.6)
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	LLC_SNAP = 0xaaaa,
	LLC_IP = 0x0606,

	IPV4_FRAGMENT_AT = 6,
	IPV4_FRAGMENT = 0x3fff, // more fragments, or an offset
	IPV4_PROTOCOL_AT = 9,
	IPV6_NEXT_HEADER_AT = 6,
	IPV6_SIZE = 40,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
};

static const uint16_t tag_types[] = {0x8100, 0x88a8, 0x9100};

// What may have mail further in: MPLS, PPPoE session, LLC in jumbo frames, Cisco metadata, VN-Tag, E-Tag.
static const uint16_t carrying_ethertypes[] = {
    0x8847, 0x8848, 0x8864, 0x8870, 0x8909, 0x8926, 0x893f};

// IP in IP, IPv6 in IP, GRE, authentication header, EtherIP, MPLS in IP, Ethernet in IP.
static const uint16_t carrying_protocols[] = {4, 41, 47, 51, 97, 137, 143};

// Hop-by-hop, routing, fragment, destination options.
static const uint16_t ipv6_extensions[] = {0, 43, 44, 60};

// VXLAN, VXLAN-GPE, GENEVE, VXLAN as Linux had it.
static const uint16_t tunnel_ports[] = {4789, 4790, 6081, 8472};

// DNS.
static const uint16_t names_ports[] = {53};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum label {
	LABEL_ETHERTYPE,
	LABEL_IPV4,
	LABEL_IPV4_TCP,
	LABEL_IPV4_UDP,
	LABEL_IPV6,
	LABEL_IPV6_TCP,
	LABEL_IPV6_UDP,
	LABEL_TCP_PORTS,
	LABEL_UDP_PORT,
	LABELS
};

struct assembly {
	struct live_filter *filter;
	uint32_t header; // bytes of the link header without tags
	bool full; // there was no room for it all
	bool names; // UDP of DNS passes
	size_t places[LABELS];
	struct {
		size_t at;
		enum label to;
	} jumps[JUMPS_MAX];
	size_t jump_count;
};

static void emit(struct assembly *as, int code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	struct live_filter *filter = as->filter;
	if (filter->length == LIVE_FILTER_MAX) {
		as->full = true;
		return;
	}
	filter->code[filter->length++] =
	    (struct bpf_insn){.code = (unsigned short)code, .jt = if_true, .jf = if_false, .k = k};
}

static void end(struct assembly *as, bool passes)
{
	emit(as, BPF_RET | BPF_K, passes ? LIVE_FILTER_SNAP : 0, 0, 0);
}

// Loads two bytes, or one, from `offset` behind X and the link header.
static void load_half(struct assembly *as, uint32_t offset)
{
	emit(as, BPF_LD | BPF_H | BPF_IND, as->header + offset, 0, 0);
}

static void load_byte(struct assembly *as, uint32_t offset)
{
	emit(as, BPF_LD | BPF_B | BPF_IND, as->header + offset, 0, 0);
}

static void jump(struct assembly *as, enum label label)
{
	if (as->jump_count == COUNT(as->jumps)) {
		as->full = true;
		return;
	}
	as->jumps[as->jump_count].at = as->filter->length;
	as->jumps[as->jump_count++].to = label;
	emit(as, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void place(struct assembly *as, enum label label)
{
	as->places[label] = as->filter->length;
}

static void resolve_jumps(struct assembly *as)
{
	for (size_t i = 0; i < as->jump_count; i++) {
		size_t at = as->jumps[i].at;
		as->filter->code[at].k = (uint32_t)(as->places[as->jumps[i].to] - at - 1);
	}
}

static void jump_if(struct assembly *as, uint32_t value, enum label label)
{
	emit(as, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	jump(as, label);
}

static void pass_if(struct assembly *as, const uint16_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		emit(as, BPF_JMP | BPF_JEQ | BPF_K, values[i], 0, 1);
		end(as, true);
	}
}

// X += A.
static void advance_by_loaded(struct assembly *as)
{
	emit(as, BPF_ST, SCRATCH, 0, 0);
	emit(as, BPF_MISC | BPF_TXA, 0, 0, 0);
	emit(as, BPF_LDX | BPF_MEM, SCRATCH, 0, 0);
	emit(as, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0);
	emit(as, BPF_MISC | BPF_TAX, 0, 0, 0);
}

static void advance(struct assembly *as, uint32_t bytes)
{
	emit(as, BPF_LD | BPF_IMM, bytes, 0, 0);
	advance_by_loaded(as);
}

// A holds an ethertype. Steps over tags to the one that is none.
static void step_over_tags(struct assembly *as)
{
	for (int tag = 0; tag < TAGS_MAX; tag++) {
		for (size_t i = 0; i < COUNT(tag_types); i++)
			emit(as, BPF_JMP | BPF_JEQ | BPF_K, tag_types[i],
			    (uint8_t)(COUNT(tag_types) - i), 0);
		jump(as, LABEL_ETHERTYPE);
		advance(as, 4);
		emit(as, BPF_LD | BPF_H | BPF_IND, as->header - 2, 0, 0);
	}
	pass_if(as, tag_types, COUNT(tag_types));
}

static void read_ethertype(struct assembly *as)
{
	place(as, LABEL_ETHERTYPE);
	jump_if(as, ETHERTYPE_IPV4, LABEL_IPV4);
	jump_if(as, ETHERTYPE_IPV6, LABEL_IPV6);
	pass_if(as, carrying_ethertypes, COUNT(carrying_ethertypes));
	emit(as, BPF_JMP | BPF_JGE | BPF_K, ETHERTYPE_FIRST, 0, 1);
	end(as, false);
	static const uint16_t llc[] = {LLC_SNAP, LLC_IP};
	load_half(as, 0);
	pass_if(as, llc, COUNT(llc));
	end(as, false);
}

// Passes a fragment; steps over a header of four times its first byte's lower half.
static void step_over_ipv4(struct assembly *as)
{
	load_half(as, IPV4_FRAGMENT_AT);
	emit(as, BPF_JMP | BPF_JSET | BPF_K, IPV4_FRAGMENT, 0, 1);
	end(as, true);
	load_byte(as, 0);
	emit(as, BPF_ALU | BPF_AND | BPF_K, 0x0f, 0, 0);
	emit(as, BPF_ALU | BPF_LSH | BPF_K, 2, 0, 0);
	advance_by_loaded(as);
}

// A holds a protocol that is neither TCP nor UDP.
static void read_other_protocol(struct assembly *as)
{
	pass_if(as, carrying_protocols, COUNT(carrying_protocols));
	end(as, false);
}

static void read_ipv4(struct assembly *as)
{
	place(as, LABEL_IPV4);
	load_byte(as, IPV4_PROTOCOL_AT);
	jump_if(as, PROTOCOL_TCP, LABEL_IPV4_TCP);
	jump_if(as, PROTOCOL_UDP, LABEL_IPV4_UDP);
	read_other_protocol(as);
	place(as, LABEL_IPV4_TCP);
	step_over_ipv4(as);
	jump(as, LABEL_TCP_PORTS);
	place(as, LABEL_IPV4_UDP);
	step_over_ipv4(as);
	jump(as, LABEL_UDP_PORT);
}

static void read_ipv6(struct assembly *as)
{
	place(as, LABEL_IPV6);
	load_byte(as, IPV6_NEXT_HEADER_AT);
	jump_if(as, PROTOCOL_TCP, LABEL_IPV6_TCP);
	jump_if(as, PROTOCOL_UDP, LABEL_IPV6_UDP);
	pass_if(as, ipv6_extensions, COUNT(ipv6_extensions));
	read_other_protocol(as);
	place(as, LABEL_IPV6_TCP);
	advance(as, IPV6_SIZE);
	jump(as, LABEL_TCP_PORTS);
	place(as, LABEL_IPV6_UDP);
	advance(as, IPV6_SIZE);
	jump(as, LABEL_UDP_PORT);
}

// A holds a port: passes if it is in the set, a test for each port or range of ports.
static void pass_if_followed(struct assembly *as, const struct port_set *ports)
{
	for (uint32_t first = 0; first <= UINT16_MAX; first++) {
		if (!port_set_has(ports, (uint16_t)first))
			continue;
		uint32_t last = first;
		while (last < UINT16_MAX && port_set_has(ports, (uint16_t)(last + 1)))
			last++;
		if (last == first) {
			emit(as, BPF_JMP | BPF_JEQ | BPF_K, first, 0, 1);
		} else {
			emit(as, BPF_JMP | BPF_JGE | BPF_K, first, 0, 2);
			emit(as, BPF_JMP | BPF_JGT | BPF_K, last, 1, 0);
		}
		end(as, true);
		first = last;
	}
}

// X is on the transport header.
static void read_ports(struct assembly *as, const struct port_set *ports)
{
	place(as, LABEL_UDP_PORT);
	if (as->names) {
		load_half(as, 0);
		pass_if(as, names_ports, COUNT(names_ports));
		load_half(as, 2);
		pass_if(as, names_ports, COUNT(names_ports));
	}
	load_half(as, 2);
	pass_if(as, tunnel_ports, COUNT(tunnel_ports));
	end(as, false);
	place(as, LABEL_TCP_PORTS);
	if (ports == NULL) {
		end(as, true);
		return;
	}
	load_half(as, 0);
	pass_if_followed(as, ports);
	load_half(as, 2);
	pass_if_followed(as, ports);
	end(as, false);
}

// The version of IP, where nothing stands in front of it.
static void read_version(struct assembly *as)
{
	load_byte(as, 0);
	emit(as, BPF_ALU | BPF_AND | BPF_K, 0xf0, 0, 0);
	jump_if(as, 0x40, LABEL_IPV4);
	jump_if(as, 0x60, LABEL_IPV6);
	end(as, false);
}

// `ports` NULL: all TCP passes. False: there was no room.
static bool assemble(
    struct live_filter *filter, uint32_t header, const struct port_set *ports, bool names)
{
	struct assembly as = {.filter = filter, .header = header, .names = names};
	filter->length = 0;
	emit(&as, BPF_LDX | BPF_IMM, 0, 0, 0);
	if (header == 0) {
		read_version(&as);
	} else {
		emit(&as, BPF_LD | BPF_H | BPF_ABS, header - 2, 0, 0);
		if (header == ETHERNET_SIZE)
			step_over_tags(&as);
		else
			pass_if(&as, tag_types, COUNT(tag_types));
		read_ethertype(&as);
	}
	read_ipv4(&as);
	read_ipv6(&as);
	read_ports(&as, ports);
	resolve_jumps(&as);
	return !as.full;
}

bool live_filter_make(struct live_filter *filter, uint16_t link_type, const struct port_set *ports)
{
	uint32_t header = 0;
	switch (link_type) {
	case LINK_ETHERNET:
		header = ETHERNET_SIZE;
		break;
	case LINK_LINUX_SLL:
		header = COOKED_SIZE;
		break;
	case LINK_RAW:
		break;
	default:
		return false;
	}
	filter->all_tcp = ports->every;
	if (!filter->all_tcp && assemble(filter, header, ports, ports->names))
		return true;
	filter->all_tcp = true;
	return assemble(filter, header, NULL, ports->names);
}
