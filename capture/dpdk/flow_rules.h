// SPDX-License-Identifier: Apache-2.0
// The rules of flow_plan.h on a card: all of them or none, tried before they are set. Every packet that one of
// them leaves out is counted by the card.
#ifndef MAILTAP_CAPTURE_DPDK_FLOW_RULES_H
#define MAILTAP_CAPTURE_DPDK_FLOW_RULES_H

#include "capture/dpdk/port.h"

#include <rte_flow.h>

struct flow_rules;

// What a card can be asked for: the functions of rte_flow.h of these names.
struct flow_card {
	int (*validate)(uint16_t port, const struct rte_flow_attr *attributes,
	    const struct rte_flow_item *pattern, const struct rte_flow_action *actions,
	    struct rte_flow_error *error);
	struct rte_flow *(*create)(uint16_t port, const struct rte_flow_attr *attributes,
	    const struct rte_flow_item *pattern, const struct rte_flow_action *actions,
	    struct rte_flow_error *error);
	int (*destroy)(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error);
	int (*query)(uint16_t port, struct rte_flow *flow, const struct rte_flow_action *action,
	    void *data, struct rte_flow_error *error);
};

extern const struct flow_card flow_card_of_dpdk;

// Of a started port, for the ports that its request follows. Tells what is left out, or why nothing is. NULL:
// nothing.
struct flow_rules *flow_rules_install(struct dpdk_port *port, const struct flow_card *card);

// Packets that the card left out so far; 0 without rules. Any thread.
uint64_t flow_rules_left_out(const struct flow_rules *rules);

// Before the port is stopped.
void flow_rules_remove(struct flow_rules *rules);

#endif
