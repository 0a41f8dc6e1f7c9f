// SPDX-License-Identifier: Apache-2.0
// What a card is asked for: how it spreads packets over queues, and which it leaves out. A packet is held against
// the rules here as a card would: the first that meets it, by priority. There is no such card in the test: one
// that is played accepts, refuses or fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/dpdk/flow_plan.h"
#include "capture/dpdk/flow_rules.h"
#include "capture/dpdk/spread.h"

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_errno.h>
#include <rte_thash.h>
#include <stdlib.h>
#include <string.h>

/* ---- queues ---- */

static void both_directions_meet(void **state)
{
	uint8_t key[52];
	(void)state;
	spread_key(key, sizeof key);
	for (int i = 0; i < 1000; i++) {
		uint32_t there[8], back[8];
		for (int word = 0; word < 8; word++)
			there[word] = (uint32_t)random();
		memcpy(back, there + 4, 16);
		memcpy(back + 4, there, 16);
		assert_int_equal(rte_softrss(there, 8, key), rte_softrss(back, 8, key));
		back[0] = there[1];
		back[1] = there[0];
		assert_int_equal(rte_softrss(there, 2, key), rte_softrss(back, 2, key));
	}
}

static void cards_that_cannot_spread(void **state)
{
	struct rte_eth_dev_info info = {.max_rx_queues = 4,
	    .hash_key_size = 40,
	    .flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_IPV6};
	(void)state;
	assert_true(spread_is_offered(&info, 4));
	assert_false(spread_is_offered(&info, 5));
	assert_false(spread_is_offered(&info, 1));
	info.hash_key_size = 16;
	assert_false(spread_is_offered(&info, 4));
	info.hash_key_size = 52;
	info.flow_type_rss_offloads = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
	assert_false(spread_is_offered(&info, 4));
}

/* ---- rules ---- */

struct seen { // of a packet, what rules may look at
	int tags;
	bool ipv6, fragment;
	uint8_t protocol;
	uint16_t source, destination;
};

static bool meets_ports(rte_be16_t source_mask, rte_be16_t source, rte_be16_t destination_mask,
    rte_be16_t destination, const struct seen *seen)
{
	return ((rte_cpu_to_be_16(seen->source) ^ source) & source_mask) == 0 &&
	       ((rte_cpu_to_be_16(seen->destination) ^ destination) & destination_mask) == 0;
}

static bool meets(const struct flow_pattern *pattern, const struct seen *seen)
{
	const struct rte_flow_item *item = pattern->items;
	assert_int_equal((item++)->type, RTE_FLOW_ITEM_TYPE_ETH);
	int tags = 0;
	for (; item->type == RTE_FLOW_ITEM_TYPE_VLAN; item++)
		tags++;
	if (tags != seen->tags)
		return false;
	if (item->type == RTE_FLOW_ITEM_TYPE_IPV4) {
		const struct rte_flow_item_ipv4 *mask = item->mask, *spec = item->spec;
		assert_int_equal(rte_be_to_cpu_16(mask->hdr.fragment_offset), 0x3fff);
		assert_int_equal(mask->hdr.next_proto_id, 0xff);
		if (seen->ipv6 || seen->fragment || spec->hdr.fragment_offset != 0 ||
		    spec->hdr.next_proto_id != seen->protocol)
			return false;
	} else {
		const struct rte_flow_item_ipv6 *mask = item->mask, *spec = item->spec;
		assert_int_equal(item->type, RTE_FLOW_ITEM_TYPE_IPV6);
		assert_true(mask->has_frag_ext);
		assert_int_equal(mask->hdr.proto, 0xff);
		if (!seen->ipv6 || seen->fragment || spec->has_frag_ext ||
		    spec->hdr.proto != seen->protocol)
			return false;
	}
	item++;
	assert_int_equal(item[1].type, RTE_FLOW_ITEM_TYPE_END);
	if (item->type == RTE_FLOW_ITEM_TYPE_TCP) {
		const struct rte_flow_item_tcp *mask = item->mask, *spec = item->spec;
		return meets_ports(mask->hdr.src_port, spec->hdr.src_port, mask->hdr.dst_port,
		    spec->hdr.dst_port, seen);
	}
	const struct rte_flow_item_udp *mask = item->mask, *spec = item->spec;
	assert_int_equal(item->type, RTE_FLOW_ITEM_TYPE_UDP);
	return meets_ports(
	    mask->hdr.src_port, spec->hdr.src_port, mask->hdr.dst_port, spec->hdr.dst_port, seen);
}

// True if the card would leave the packet out.
static bool left_out(const struct flow_plan *plan, const struct seen *seen)
{
	uint32_t first = UINT32_MAX;
	bool drop = false;
	for (size_t i = 0; i < plan->count; i++) {
		struct flow_pattern pattern;
		flow_pattern_make(&pattern, &plan->rules[i]);
		uint32_t priority = flow_rule_priority(&plan->rules[i]);
		if (priority > first || !meets(&pattern, seen))
			continue;
		drop = plan->rules[i].drop ||
		       (drop && priority == first); // of two alike it may take either
		first = priority;
	}
	return drop;
}

static void what_is_left_out(void **state)
{
	static struct port_set ports;
	static struct flow_plan plan;
	(void)state;
	port_set_add(&ports, 25);
	port_set_add(&ports, 993);
	assert_true(flow_plan_make(&plan, &ports));
	for (int way = 0; way < 4; way++) {
		struct seen seen = {
		    .tags = way & 1, .ipv6 = (way & 2) != 0, .protocol = IPPROTO_TCP};
		seen.source = 40000;
		seen.destination = 443;
		assert_true(left_out(&plan, &seen));
		seen.destination = 25;
		assert_false(left_out(&plan, &seen));
		seen.source = 993;
		seen.destination = 443;
		assert_false(left_out(&plan, &seen));
		seen =
		    (struct seen){.tags = way & 1, .ipv6 = (way & 2) != 0, .protocol = IPPROTO_UDP};
		seen.destination = 53;
		assert_true(left_out(&plan, &seen));
		seen.destination = 4789;
		assert_false(left_out(&plan, &seen));
		seen.destination = 25; // no mail over UDP
		assert_true(left_out(&plan, &seen));
		seen.fragment = true;
		assert_false(left_out(&plan, &seen));
		seen = (struct seen){.tags = 2, .protocol = IPPROTO_TCP, .destination = 443};
		assert_false(left_out(&plan, &seen));
		seen = (struct seen){.protocol = IPPROTO_GRE};
		assert_false(left_out(&plan, &seen));
	}
}

// With names, DNS is kept from and to its port by UDP; by TCP it is as any other that is followed.
static void names_are_kept(void **state)
{
	static struct port_set ports = {.names = true};
	static struct flow_plan plan;
	(void)state;
	port_set_add(&ports, 25);
	for (int every = 0; every < 2; every++) {
		ports.every = every != 0;
		assert_true(flow_plan_make(&plan, &ports));
		for (int way = 0; way < 4; way++) {
			struct seen seen = {.tags = way & 1,
			    .ipv6 = (way & 2) != 0,
			    .protocol = IPPROTO_UDP,
			    .source = 40000,
			    .destination = 53};
			assert_false(left_out(&plan, &seen));
			seen.source = 53;
			seen.destination = 40000;
			assert_false(left_out(&plan, &seen));
			seen.source = 54;
			assert_true(left_out(&plan, &seen));
			seen.protocol = IPPROTO_TCP;
			seen.source = 53;
			assert_int_equal(left_out(&plan, &seen), !ports.every);
		}
	}
}

static void every_port(void **state)
{
	static struct port_set ports = {.every = true};
	static struct flow_plan plan;
	(void)state;
	assert_true(flow_plan_make(&plan, &ports));
	assert_false(left_out(&plan, &(struct seen){.protocol = IPPROTO_TCP, .destination = 443}));
	assert_true(left_out(&plan, &(struct seen){.protocol = IPPROTO_UDP, .destination = 443}));
}

static void more_ports_than_rules(void **state)
{
	static struct port_set ports;
	static struct flow_plan plan;
	(void)state;
	for (uint16_t port = 1; port <= FLOW_PLAN_PORTS_MAX; port++)
		port_set_add(&ports, port);
	assert_true(flow_plan_make(&plan, &ports));
	assert_in_range(plan.count, 8 * FLOW_PLAN_PORTS_MAX, FLOW_PLAN_MAX);
	ports.names = true;
	assert_true(flow_plan_make(&plan, &ports));
	assert_int_equal(plan.count, FLOW_PLAN_MAX); // no plan is longer
	port_set_add(&ports, 1000);
	assert_false(flow_plan_make(&plan, &ports));
}

/* ---- a card that is played ---- */

static struct {
	int validated, created, destroyed;
	int refuse_at, fail_at; // which call; 0: none
	bool dropped; // a rule that drops was created
	bool spreads, names;
	char told[512];
} card;

static bool drops(const struct rte_flow_action *actions)
{
	bool counts = actions->type == RTE_FLOW_ACTION_TYPE_COUNT;
	bool drop = actions[counts ? 1 : 0].type == RTE_FLOW_ACTION_TYPE_DROP;
	assert_int_equal(counts, drop);
	return drop;
}

static int play_validate(uint16_t port, const struct rte_flow_attr *attributes,
    const struct rte_flow_item *pattern, const struct rte_flow_action *actions,
    struct rte_flow_error *error)
{
	(void)port;
	(void)pattern;
	assert_int_equal(card.created, 0);
	assert_true(attributes->ingress);
	(void)drops(actions);
	if (++card.validated != card.refuse_at)
		return 0;
	error->message = "no such rule";
	rte_errno = ENOTSUP;
	return -ENOTSUP;
}

static struct rte_flow *play_create(uint16_t port, const struct rte_flow_attr *attributes,
    const struct rte_flow_item *pattern, const struct rte_flow_action *actions,
    struct rte_flow_error *error)
{
	(void)port;
	(void)attributes;
	(void)pattern;
	bool drop = drops(actions);
	assert_true(drop || !card.dropped);
	card.dropped |= drop;
	if (!drop) {
		bool spreads = actions->type == RTE_FLOW_ACTION_TYPE_RSS;
		assert_int_equal(spreads, card.spreads);
		if (spreads) {
			const struct rte_flow_action_rss *over = actions->conf;
			assert_int_equal(over->queue_num, 3);
			assert_int_equal(over->queue[2], 2);
			assert_int_equal(over->types, SPREAD_BY);
		}
	}
	if (++card.created != card.fail_at)
		return malloc(drop ? 2 : 1);
	card.created--;
	error->message = "table is full";
	rte_errno = ENOSPC;
	return NULL;
}

static int play_destroy(uint16_t port, struct rte_flow *flow, struct rte_flow_error *error)
{
	(void)port;
	(void)error;
	card.destroyed++;
	free(flow);
	return 0;
}

static int play_query(uint16_t port, struct rte_flow *flow, const struct rte_flow_action *action,
    void *data, struct rte_flow_error *error)
{
	struct rte_flow_query_count *counted = data;
	(void)port;
	(void)flow;
	(void)error;
	assert_int_equal(action->type, RTE_FLOW_ACTION_TYPE_COUNT);
	counted->hits = 10;
	return 0;
}

static const struct flow_card played = {play_validate, play_create, play_destroy, play_query};

static void on_line(void *context, const struct error *line)
{
	(void)context;
	strcpy(card.told, line->text);
}

static struct flow_rules *install(struct dpdk_port *port)
{
	static struct port_set ports;
	static struct source_request request;
	port_set_add(&ports, 25);
	ports.names = card.names;
	request = (struct source_request){.ports = &ports, .say = on_line};
	*port = (struct dpdk_port){.name = "card", .request = &request, .queues = 1};
	if (card.spreads) {
		port->queues = 3;
		port->spreads = true;
		port->info.hash_key_size = 40;
	}
	return flow_rules_install(port, &played);
}

static void all_rules(void **state)
{
	struct dpdk_port port;
	(void)state;
	for (int spreads = 0; spreads < 2; spreads++) {
		memset(&card, 0, sizeof card);
		card.spreads = card.names = spreads != 0;
		struct flow_rules *rules = install(&port);
		assert_non_null(rules);
		assert_int_equal(card.created, card.validated);
		assert_true(card.dropped);
		assert_int_equal(flow_rules_left_out(rules), 80); // TCP and UDP, four ways each
		assert_non_null(strstr(card.told, "port 0 (card): the card leaves out"));
		assert_int_equal(strstr(card.told, "DNS") != NULL, card.names);
		flow_rules_remove(rules);
		assert_int_equal(card.destroyed, card.created);
	}
}

static void none_of_them(void **state)
{
	struct dpdk_port port;
	(void)state;
	memset(&card, 0, sizeof card);
	card.refuse_at = 7;
	assert_null(install(&port));
	assert_int_equal(card.created, 0);
	assert_non_null(strstr(card.told, "leaves nothing out"));
	assert_non_null(strstr(card.told, "no such rule"));
	memset(&card, 0, sizeof card);
	card.fail_at = 7;
	assert_null(install(&port));
	assert_int_equal(card.destroyed, 6);
	assert_non_null(strstr(card.told, "table is full"));
	assert_int_equal(flow_rules_left_out(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_directions_meet),
	    cmocka_unit_test(cards_that_cannot_spread),
	    cmocka_unit_test(what_is_left_out),
	    cmocka_unit_test(names_are_kept),
	    cmocka_unit_test(every_port),
	    cmocka_unit_test(more_ports_than_rules),
	    cmocka_unit_test(all_rules),
	    cmocka_unit_test(none_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
