// SPDX-License-Identifier: Apache-2.0
// One network interface that packets are read from by libpcap, for as long as the program runs: if it goes down,
// or away, it is waited for. Owns the libpcap handle and a buffer: libpcap gives a block of its ring back to the
// kernel as soon as its last packet was seen, so packets are copied out. Used by source_live.c.
#ifndef MAILTAP_CAPTURE_LIVE_INTERFACE_H
#define MAILTAP_CAPTURE_LIVE_INTERFACE_H

#include "capture/base/error.h"
#include "capture/interface_state.h"
#include "capture/packet.h"
#include "capture/source.h"

#include <net/if.h>
#include <pcap/pcap.h>
#include <pthread.h>
#include <stdbool.h>

enum {
	// How long the kernel waits for a block of its ring to fill before it hands it over.
	LIVE_BLOCK_MILLISECONDS = 10,
};

enum live_interface_state {
	LIVE_INTERFACE_READING,
	LIVE_INTERFACE_DOWN, // set down, or nothing at the other end: the handle waits, too
	LIVE_INTERFACE_GONE, // no handle
};

// What it says of itself since it was opened; only ever grows.
struct live_interface_account {
	uint64_t dropped; // by the kernel: the ring was full
	uint64_t packets; // on the interface, whether let through or not
	uint64_t missed; // by the interface itself
	uint64_t outages; // how often it was down or gone
};

struct live_interface {
	char name[IFNAMSIZ];
	const struct source_request *request; // borrowed
	enum live_interface_state state;
	uint16_t link_type;
	nanoseconds lost_since; // of the monotonic clock, unless it is being read
	bool failure_told; // why it cannot be opened again
	uint64_t outages_told;

	// Packets that were read and not taken yet: [next, count). They and their bytes stay until the next
	// live_interface_read.
	size_t next, count;
	struct packet packets[PACKET_BATCH_MAX];
	uint8_t *bytes;
	size_t bytes_used;
	uint16_t number; // its place in the list of interfaces, that packets carry
	uint32_t tick; // nanoseconds in a unit of libpcap's time stamps behind the second

	// The reading thread alone changes which handle there is. Others read it, and the account, under the lock.
	pthread_mutex_t lock;
	pcap_t *pcap; // NULL: gone
	int descriptor; // to poll
	int state_socket;
	struct interface_state last; // what the account was brought up to
	struct pcap_stat last_statistics;
	struct live_interface_account account;
};

// `request`: as of the source; says how. False: *error says why; live_interface_close frees what there is.
bool live_interface_open(struct live_interface *interface, const char *name, uint16_t number,
    const struct source_request *request, struct error *error);

// Of one that was opened, or tried to be.
void live_interface_close(struct live_interface *interface);

// Reads what waits, up to a batch, without blocking. Only when all that was read before has been taken.
void live_interface_read(struct live_interface *interface);

// Looks whether it is still there, opens it again if it came back, says so. To be called about once a second
// by the reading thread.
void live_interface_look(struct live_interface *interface);

// Any thread.
struct live_interface_account live_interface_account(struct live_interface *interface);

#endif
