// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/flow_rules.h"

#include "capture/dpdk/flow_plan.h"
#include "capture/dpdk/spread.h"

#include <rte_errno.h>
#include <stdlib.h>

const struct flow_card flow_card_of_dpdk = {
    rte_flow_validate, rte_flow_create, rte_flow_destroy, rte_flow_query};

struct flow_rules {
	struct dpdk_port *port;
	const struct flow_card *card;
	size_t count;
	struct rte_flow *flows[FLOW_PLAN_MAX];
	struct flow_plan plan;
};

/* ---- what is to be done with a packet ---- */

// Actions, and all that they point to: not to be moved.
struct actions {
	struct rte_flow_action list[3];
	struct rte_flow_action_count count;
	struct rte_flow_action_queue queue;
	struct rte_flow_action_rss spread;
	uint8_t key[SPREAD_KEY_MAX];
	uint16_t queues[DPDK_QUEUES_MAX];
};

static void make_drop(struct actions *actions)
{
	actions->list[0] = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_COUNT, &actions->count};
	actions->list[1] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_DROP};
	actions->list[2] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_END};
}

// To the queue, or over the queues, that it would come to without rules.
static void make_deliver(struct actions *actions, const struct dpdk_port *port)
{
	actions->list[0] = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_QUEUE, &actions->queue};
	actions->list[1] = (struct rte_flow_action){.type = RTE_FLOW_ACTION_TYPE_END};
	if (!port->spreads)
		return;
	uint8_t length = spread_key_length(&port->info);
	spread_key(actions->key, length);
	for (uint16_t queue = 0; queue < port->queues; queue++)
		actions->queues[queue] = queue;
	actions->spread = (struct rte_flow_action_rss){.types = SPREAD_BY,
	    .key = actions->key,
	    .key_len = length,
	    .queue = actions->queues,
	    .queue_num = port->queues};
	actions->list[0] = (struct rte_flow_action){RTE_FLOW_ACTION_TYPE_RSS, &actions->spread};
}

/* ---- all or none ---- */

static bool make_rule(struct flow_rules *rules, const struct flow_rule *rule, bool try_only,
    struct rte_flow_error *why)
{
	struct flow_pattern pattern;
	struct actions actions = {0};
	struct rte_flow_attr attributes = {.ingress = 1, .priority = flow_rule_priority(rule)};
	uint16_t port = rules->port->id;
	flow_pattern_make(&pattern, rule);
	if (rule->drop)
		make_drop(&actions);
	else
		make_deliver(&actions, rules->port);
	if (try_only)
		return rules->card->validate(port, &attributes, pattern.items, actions.list, why) ==
		       0;
	struct rte_flow *flow =
	    rules->card->create(port, &attributes, pattern.items, actions.list, why);
	if (flow != NULL)
		rules->flows[rules->count++] = flow;
	return flow != NULL;
}

// Those that deliver are set before the first that drops: no followed packet is left out meanwhile.
static bool make_all(struct flow_rules *rules, struct rte_flow_error *why)
{
	for (int step = 0; step < 2; step++)
		for (size_t i = 0; i < rules->plan.count; i++)
			if (!make_rule(rules, &rules->plan.rules[i], step == 0, why))
				return false;
	return true;
}

static const char *what_is_left_out(const struct port_set *ports)
{
	if (ports->every)
		return ports->names
		           ? "the card leaves out, and counts, UDP that is no tunnel and no DNS"
		           : "the card leaves out, and counts, UDP that is no tunnel";
	return ports->names
	           ? "the card leaves out, and counts, TCP on other ports and UDP that is no "
	             "tunnel and no DNS"
	           : "the card leaves out, and counts, TCP on other ports and UDP that is no "
	             "tunnel";
}

struct flow_rules *flow_rules_install(struct dpdk_port *port, const struct flow_card *card)
{
	static const char nothing[] = "the card leaves nothing out, mailtap looks at every packet";
	struct rte_flow_error why = {0};
	struct flow_rules *rules = calloc(1, sizeof *rules);
	if (rules == NULL)
		return NULL;
	rules->port = port;
	rules->card = card;
	if (!flow_plan_make(&rules->plan, port->request->ports)) {
		dpdk_port_say(port, nothing, "more ports are followed than it has rules for");
	} else if (!make_all(rules, &why)) {
		dpdk_port_say(port, nothing,
		    rte_errno == ENOSYS || why.message == NULL ? "its driver has no rules"
		                                               : why.message);
	} else {
		dpdk_port_say(port, what_is_left_out(port->request->ports), "");
		return rules;
	}
	flow_rules_remove(rules);
	return NULL;
}

uint64_t flow_rules_left_out(const struct flow_rules *rules)
{
	const struct rte_flow_action counting[] = {
	    {.type = RTE_FLOW_ACTION_TYPE_COUNT}, {.type = RTE_FLOW_ACTION_TYPE_END}};
	uint64_t sum = 0;
	if (rules == NULL)
		return 0;
	for (size_t i = 0; i < rules->count; i++) {
		struct rte_flow_query_count counted = {0};
		struct rte_flow_error ignored;
		if (rules->plan.rules[i].drop &&
		    rules->card->query(
		        rules->port->id, rules->flows[i], counting, &counted, &ignored) == 0)
			sum += counted.hits;
	}
	return sum;
}

void flow_rules_remove(struct flow_rules *rules)
{
	struct rte_flow_error ignored;
	if (rules == NULL)
		return;
	while (rules->count > 0)
		(void)rules->card->destroy(rules->port->id, rules->flows[--rules->count], &ignored);
	free(rules);
}
