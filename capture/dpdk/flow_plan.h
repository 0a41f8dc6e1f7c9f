// SPDX-License-Identifier: Apache-2.0
// Which packets a card may leave out, as plain rules, and each rule in the words of DPDK. Only what is certainly no
// mail is left out: whole TCP segments and UDP datagrams behind Ethernet, at most one VLAN tag, and IP
// without a tunnel or a fragment header. Segments of the followed ports, and UDP that may be a tunnel, are taken
// before by rules that come first. What no rule meets (fragments, tunnels, MPLS, two tags) is delivered.
#ifndef MAILTAP_CAPTURE_DPDK_FLOW_PLAN_H
#define MAILTAP_CAPTURE_DPDK_FLOW_PLAN_H

#include "capture/port_set.h"

#include <rte_flow.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FLOW_PLAN_PORTS_MAX = 64, // followed; with more, cards run out of rules
	FLOW_PLAN_MAX = 8 * FLOW_PLAN_PORTS_MAX + 32,
};

struct flow_rule {
	bool drop; // and count; otherwise: deliver
	bool vlan; // behind one tag
	bool ipv6;
	bool udp; // or else TCP
	uint16_t source, destination; // ports; 0: any
};

struct flow_plan {
	size_t count;
	struct flow_rule rules[FLOW_PLAN_MAX]; // those that deliver before those that drop
};

// False: more ports are followed than rules can name.
bool flow_plan_make(struct flow_plan *plan, const struct port_set *ports);

// A rule's pattern, and all that it points to: not to be moved.
struct flow_pattern {
	struct rte_flow_item items[5];
	struct rte_flow_item_ipv4 ipv4, ipv4_mask;
	struct rte_flow_item_ipv6 ipv6, ipv6_mask;
	struct rte_flow_item_tcp tcp, tcp_mask;
	struct rte_flow_item_udp udp, udp_mask;
};

void flow_pattern_make(struct flow_pattern *pattern, const struct flow_rule *rule);

// Rules that deliver come first.
uint32_t flow_rule_priority(const struct flow_rule *rule);

#endif
