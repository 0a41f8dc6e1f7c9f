// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/flow_plan.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_ip.h>

// The UDP ports that decode/tunnel.h looks into: VXLAN, its generic form, GENEVE, VXLAN before it had a port.
static const uint16_t tunnels[] = {4789, 4790, 6081, 8472};

enum { NAMES_PORT = 53 }; // DNS

/* ---- the rules ---- */

static void add(struct flow_plan *plan, struct flow_rule rule)
{
	plan->rules[plan->count++] = rule;
}

// For both versions of IP, without and with a tag.
static void add_each_way(struct flow_plan *plan, struct flow_rule rule)
{
	for (int way = 0; way < 4; way++) {
		rule.vlan = (way & 1) != 0;
		rule.ipv6 = (way & 2) != 0;
		add(plan, rule);
	}
}

bool flow_plan_make(struct flow_plan *plan, const struct port_set *ports)
{
	size_t followed = 0;
	plan->count = 0;
	for (unsigned port = 1; port <= UINT16_MAX && !ports->every; port++) {
		if (!port_set_has(ports, (uint16_t)port))
			continue;
		if (++followed > FLOW_PLAN_PORTS_MAX)
			return false;
		add_each_way(plan, (struct flow_rule){.destination = (uint16_t)port});
		add_each_way(plan, (struct flow_rule){.source = (uint16_t)port});
	}
	for (size_t i = 0; i < sizeof tunnels / sizeof tunnels[0]; i++)
		add_each_way(plan, (struct flow_rule){.udp = true, .destination = tunnels[i]});
	if (ports->names) {
		add_each_way(plan, (struct flow_rule){.udp = true, .destination = NAMES_PORT});
		add_each_way(plan, (struct flow_rule){.udp = true, .source = NAMES_PORT});
	}
	if (!ports->every)
		add_each_way(plan, (struct flow_rule){.drop = true});
	add_each_way(plan, (struct flow_rule){.drop = true, .udp = true});
	return true;
}

uint32_t flow_rule_priority(const struct flow_rule *rule)
{
	return rule->drop ? 1 : 0;
}

/* ---- in DPDK's words ---- */

// No fragment, not even the first one: others of its datagram could not be told from mail.
static struct rte_flow_item ipv4_item(struct flow_pattern *pattern, const struct flow_rule *rule)
{
	pattern->ipv4.hdr.next_proto_id = rule->udp ? IPPROTO_UDP : IPPROTO_TCP;
	pattern->ipv4_mask.hdr.next_proto_id = 0xff;
	pattern->ipv4_mask.hdr.fragment_offset =
	    rte_cpu_to_be_16(RTE_IPV4_HDR_OFFSET_MASK | RTE_IPV4_HDR_MF_FLAG);
	return (struct rte_flow_item){
	    .type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &pattern->ipv4, .mask = &pattern->ipv4_mask};
}

// The transport right behind the fixed header: no extension header, and so no fragment.
static struct rte_flow_item ipv6_item(struct flow_pattern *pattern, const struct flow_rule *rule)
{
	pattern->ipv6.hdr.proto = rule->udp ? IPPROTO_UDP : IPPROTO_TCP;
	pattern->ipv6_mask.hdr.proto = 0xff;
	pattern->ipv6_mask.has_frag_ext = 1;
	return (struct rte_flow_item){
	    .type = RTE_FLOW_ITEM_TYPE_IPV6, .spec = &pattern->ipv6, .mask = &pattern->ipv6_mask};
}

static rte_be16_t mask_of(uint16_t port)
{
	return port != 0 ? RTE_BE16(0xffff) : 0;
}

static struct rte_flow_item tcp_item(struct flow_pattern *pattern, const struct flow_rule *rule)
{
	pattern->tcp.hdr.src_port = rte_cpu_to_be_16(rule->source);
	pattern->tcp.hdr.dst_port = rte_cpu_to_be_16(rule->destination);
	pattern->tcp_mask.hdr.src_port = mask_of(rule->source);
	pattern->tcp_mask.hdr.dst_port = mask_of(rule->destination);
	return (struct rte_flow_item){
	    .type = RTE_FLOW_ITEM_TYPE_TCP, .spec = &pattern->tcp, .mask = &pattern->tcp_mask};
}

static struct rte_flow_item udp_item(struct flow_pattern *pattern, const struct flow_rule *rule)
{
	pattern->udp.hdr.src_port = rte_cpu_to_be_16(rule->source);
	pattern->udp.hdr.dst_port = rte_cpu_to_be_16(rule->destination);
	pattern->udp_mask.hdr.src_port = mask_of(rule->source);
	pattern->udp_mask.hdr.dst_port = mask_of(rule->destination);
	return (struct rte_flow_item){
	    .type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &pattern->udp, .mask = &pattern->udp_mask};
}

void flow_pattern_make(struct flow_pattern *pattern, const struct flow_rule *rule)
{
	*pattern = (struct flow_pattern){0};
	struct rte_flow_item *item = pattern->items;
	*item++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_ETH};
	if (rule->vlan)
		*item++ = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_VLAN};
	*item++ = rule->ipv6 ? ipv6_item(pattern, rule) : ipv4_item(pattern, rule);
	*item++ = rule->udp ? udp_item(pattern, rule) : tcp_item(pattern, rule);
	*item = (struct rte_flow_item){.type = RTE_FLOW_ITEM_TYPE_END};
}
