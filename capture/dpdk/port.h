// SPDX-License-Identifier: Apache-2.0
// One port of DPDK: set up to receive everything and to send nothing, started, watched, counted, closed. Owns
// the port and the memory of its queues. Opened and closed by one thread; what other threads may call says so.
#ifndef MAILTAP_CAPTURE_DPDK_PORT_H
#define MAILTAP_CAPTURE_DPDK_PORT_H

#include "capture/base/error.h"
#include "capture/dpdk/clock.h"
#include "capture/source.h"

#include <pthread.h>
#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { DPDK_QUEUES_MAX = 128 }; // of a port

// What is lost on the way to a queue, since the port was started.
struct dpdk_losses {
	uint64_t missed, errors, no_memory;
};

struct dpdk_port {
	uint16_t id;
	char name[RTE_ETH_NAME_MAX_LEN];
	const struct source_request *request;
	struct rte_eth_dev_info info;
	uint16_t queues;
	bool started;
	bool spreads; // connections over its queues, by their addresses
	// Its packets come from a file that ends (net_pcap): queues that are empty have ended.
	bool replays;
	enum dpdk_clock_kind clock;
	struct rte_mempool *pools[DPDK_QUEUES_MAX];
	pthread_mutex_t counting; // of the next two
	struct dpdk_losses seen; // as the driver counted last
	struct dpdk_losses lost;
	atomic_bool removed, wants_reset; // set by DPDK's own thread
	bool told_removed, told_reset;
	int link; // RTE_ETH_LINK_UP or _DOWN; -1: not known
};

// A line about the port for people, with the reason behind it, or "". Any thread.
void dpdk_port_say(const struct dpdk_port *port, const char *what, const char *why);

// What the port offers, before anything is set up. False: there is no such port (*error).
bool dpdk_port_find(
    struct dpdk_port *port, uint16_t id, const struct source_request *request, struct error *error);

// True if the port can spread connections over that many queues so that both directions of each, and all its
// fragments, meet.
bool dpdk_port_can_spread(const struct dpdk_port *port, unsigned queues);

// Sets up so many queues that share the connections, or, for 1, as many as are filled anyway, and starts.
// False: *error says why; dpdk_port_close undoes what was done.
bool dpdk_port_start(struct dpdk_port *port, unsigned spread, struct error *error);

// True if a started port says that it spreads as it was told to. If not, it is to be stopped and started again
// with one queue.
bool dpdk_port_spreads_as_asked(const struct dpdk_port *port);
void dpdk_port_stop(struct dpdk_port *port);

// Looks whether the link is up, and whether the driver lost the device; tells what changed. One thread.
void dpdk_port_watch(struct dpdk_port *port);

// Both clocks, for one that counts by the device's. False: the driver does not tell.
bool dpdk_port_read_clock(const struct dpdk_port *port, struct dpdk_clock_reading *reading);

// Any thread.
struct dpdk_losses dpdk_port_losses(struct dpdk_port *port);

void dpdk_port_close(struct dpdk_port *port);

#endif
