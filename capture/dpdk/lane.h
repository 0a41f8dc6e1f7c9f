// SPDX-License-Identifier: Apache-2.0
// One lane: the receive queues that one thread polls, and the packets it has in hand. Made and destroyed by
// the thread that opens the source, while no other uses it.
#ifndef MAILTAP_CAPTURE_DPDK_LANE_H
#define MAILTAP_CAPTURE_DPDK_LANE_H

#include "capture/dpdk/port.h"
#include "capture/source.h"

struct lane;

// What all lanes are told about time stamps in packets.
struct lane_stamps {
	int offset; // of the stamp in a packet's memory; -1: no packet has one
	uint64_t flag; // set on packets that do
};

// A lane for up to so many queues, without any. NULL: *error says why.
struct lane *lane_create(const struct source_request *request, const struct lane_stamps *stamps,
    size_t queues, struct error *error);

// Gives all packets back.
void lane_destroy(struct lane *lane);

// One more queue to poll. Packets of it have `interface`. The lane that `watches` a port looks after it.
void lane_add(
    struct lane *lane, struct dpdk_port *port, uint16_t queue, uint16_t interface, bool watches);

// As source_ops.next.
enum source_status lane_next(struct lane *lane, struct packet_batch *batch, struct error *error);

// Adds what the lane counted so far. Any thread.
void lane_add_counters(const struct lane *lane, struct source_counters *sum);

#endif
