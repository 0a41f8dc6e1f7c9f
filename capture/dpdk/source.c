// SPDX-License-Identifier: Apache-2.0
// The source "dpdk": ports of DPDK, polled by their drivers, past the kernel. This is the inside of a module of
// its own, which source_dpdk.c loads when it is asked for. A lane polls one queue of each port where all ports
// spread connections over their queues; otherwise the one lane polls all queues of all ports. Owns the
// environment, the ports and the lanes.
#include "capture/dpdk/arguments.h"
#include "capture/dpdk/environment.h"
#include "capture/dpdk/flow_rules.h"
#include "capture/dpdk/lane.h"
#include "capture/dpdk/module.h"
#include "capture/dpdk/port.h"

#include <rte_mbuf_dyn.h>
#include <stdlib.h>
#include <string.h>

struct source {
	struct source_request request;
	struct environment *environment;
	unsigned lane_count;
	struct lane **lanes;
	size_t port_count;
	struct dpdk_port *ports;
	struct flow_rules *rules[DPDK_PORTS_MAX]; // of each port; NULL: none
};

/* ---- ports ---- */

static bool find_ports(struct source *source, struct error *error)
{
	struct dpdk_port_list list;
	if (!dpdk_port_list_read(&list, source->request.target, error))
		return false;
	if (list.count == 0) {
		uint16_t id = (uint16_t)rte_eth_find_next_owned_by(0, RTE_ETH_DEV_NO_OWNER);
		for (; id < RTE_MAX_ETHPORTS && list.count < DPDK_PORTS_MAX;
		     id = (uint16_t)rte_eth_find_next_owned_by(
		         (uint16_t)(id + 1), RTE_ETH_DEV_NO_OWNER))
			list.ids[list.count++] = id;
	}
	if (list.count == 0) {
		error_set(error, "DPDK found no port: bind a card to a driver of DPDK "
		                 "(dpdk-devbind.py, see dpdk.md), "
		                 "or name a --vdev");
		return false;
	}
	source->ports = calloc(list.count, sizeof *source->ports);
	if (source->ports == NULL) {
		error_set(error, "cannot receive by DPDK: no memory");
		return false;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!dpdk_port_find(&source->ports[i], list.ids[i], &source->request, error))
			return false;
		source->port_count++;
	}
	return true;
}

// How many lanes all ports can feed.
static unsigned choose_lanes(const struct source *source)
{
	unsigned wanted = source->request.lanes;
	for (size_t i = 0; wanted > 1 && i < source->port_count; i++)
		if (!dpdk_port_can_spread(&source->ports[i], wanted))
			wanted = 1;
	return wanted > 1 ? wanted : 1;
}

static bool start_ports(struct source *source, struct error *error)
{
	for (size_t i = 0; i < source->port_count; i++)
		if (!dpdk_port_start(&source->ports[i], source->lane_count, error))
			return false;
	return true;
}

// Starts all, or with one queue each again where a card does not spread as it promised.
static bool start_all(struct source *source, struct error *error)
{
	bool well = true;
	source->lane_count = choose_lanes(source);
	if (!start_ports(source, error))
		return false;
	for (size_t i = 0; source->lane_count > 1 && i < source->port_count; i++)
		well &= dpdk_port_spreads_as_asked(&source->ports[i]);
	if (well)
		return true;
	for (size_t i = 0; i < source->port_count; i++)
		dpdk_port_stop(&source->ports[i]);
	source->lane_count = 1;
	return start_ports(source, error);
}

/* ---- lanes ---- */

static bool make_lanes(struct source *source, struct error *error)
{
	struct lane_stamps stamps = {.offset = -1};
	size_t queues = 0;
	for (size_t i = 0; i < source->port_count; i++)
		queues += source->ports[i].queues;
	(void)rte_mbuf_dyn_rx_timestamp_register(&stamps.offset, &stamps.flag);
	source->lanes = calloc(source->lane_count, sizeof(struct lane *));
	error_set(error, "cannot receive by DPDK: no memory");
	for (unsigned i = 0; source->lanes != NULL && i < source->lane_count; i++) {
		source->lanes[i] = lane_create(&source->request, &stamps, queues, error);
		if (source->lanes[i] == NULL)
			return false;
	}
	return source->lanes != NULL;
}

static void share_queues(struct source *source)
{
	for (size_t i = 0; i < source->port_count; i++) {
		struct dpdk_port *port = &source->ports[i];
		for (uint16_t queue = 0; queue < port->queues; queue++)
			lane_add(source->lanes[queue % source->lane_count], port, queue,
			    (uint16_t)i, queue == 0);
	}
}

/* ---- the whole ---- */

static void leave_out(struct source *source)
{
	if (source->request.no_offload || source->request.ports == NULL)
		return;
	for (size_t i = 0; i < source->port_count; i++)
		source->rules[i] = flow_rules_install(&source->ports[i], &flow_card_of_dpdk);
}

static bool open_all(struct source *source, struct error *error)
{
	source->environment = environment_begin(&source->request, error);
	if (source->environment == NULL || !find_ports(source, error) ||
	    !start_all(source, error) || !make_lanes(source, error))
		return false;
	share_queues(source);
	leave_out(source);
	return true;
}

static void close_source(struct source *source)
{
	if (source == NULL)
		return;
	for (unsigned i = 0; source->lanes != NULL && i < source->lane_count; i++)
		lane_destroy(source->lanes[i]);
	for (size_t i = 0; i < source->port_count; i++) {
		flow_rules_remove(source->rules[i]);
		dpdk_port_close(&source->ports[i]);
	}
	environment_end(source->environment);
	free(source->lanes);
	free(source->ports);
	free(source);
}

static struct source *open_source(const struct source_request *request, struct error *error)
{
	struct source *source = calloc(1, sizeof *source);
	if (source == NULL) {
		error_set(error, "cannot receive by DPDK: no memory");
		return NULL;
	}
	source->request = *request;
	if (open_all(source, error))
		return source;
	close_source(source);
	return NULL;
}

static unsigned lanes(const struct source *source)
{
	return source->lane_count;
}

static enum source_status next(
    struct source *source, unsigned lane, struct packet_batch *batch, struct error *error)
{
	return lane_next(source->lanes[lane], batch, error);
}

static bool waits(const struct source *source)
{
	for (size_t i = 0; i < source->port_count; i++)
		if (!source->ports[i].replays)
			return false;
	return true;
}

static struct source_counters counters(const struct source *source)
{
	struct source_counters sum = {0};
	for (unsigned i = 0; i < source->lane_count; i++)
		lane_add_counters(source->lanes[i], &sum);
	for (size_t i = 0; i < source->port_count; i++) {
		struct dpdk_losses lost = dpdk_port_losses(&source->ports[i]);
		sum.nic_missed += lost.missed;
		sum.nic_errors += lost.errors;
		sum.pool_empty += lost.no_memory;
		sum.nic_filtered += flow_rules_left_out(source->rules[i]);
	}
	sum.capture_dropped = sum.nic_missed + sum.nic_errors + sum.pool_empty;
	return sum;
}

const struct source_ops dpdk_module = {
    .name = "dpdk",
    .live = true,
    .open = open_source,
    .lanes = lanes,
    .next = next,
    .waits = waits,
    .counters = counters,
    .close = close_source,
};
