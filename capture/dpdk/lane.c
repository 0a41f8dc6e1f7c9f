// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/lane.h"

#include "capture/base/backoff.h"
#include "capture/packet_filter.h"

#include <rte_ether.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
	CACHE_LINE = 64,
	JOINED_MAX =
	    256 * 1024, // bytes of packets in several pieces that are put together for one batch
	LOOKS_BETWEEN_CLOCKS = 256, // bursts until the clock is looked at
	// The longest sleep, in nanoseconds: 100 Gbit/s of packets as long as usual fill the descriptors in it.
	SLEEP_LONGEST = 250 * 1000,
};
#define IDLE_MAX (SECONDS(1) / 10)
#define WATCH_EVERY SECONDS(1)

struct queue {
	struct dpdk_port *port;
	uint16_t id, interface;
	bool watches; // the port, for all lanes
	bool ended;
	uint64_t no_memory; // of the port, when the queue was found empty last
	struct dpdk_clock clock;
};

// Written by the lane's thread, read by any.
struct counts {
	_Atomic uint64_t packets, bytes, cut, filtered, filtered_in_vlan;
};

struct lane {
	struct rte_mbuf *packets[PACKET_BATCH_MAX]; // in hand, of one burst
	uint16_t count; // of them
	uint16_t given; // of them in this batch and the ones before
	struct queue *from; // whose they are
	nanoseconds fetched; // when
	uint8_t *joined; // JOINED_MAX bytes
	size_t joined_used;
	struct lane_stamps stamps;
	struct packet_filter *filter; // NULL: every packet
	struct backoff backoff;
	bool registered; // its thread with DPDK
	unsigned looks; // since the clock was looked at
	nanoseconds watched; // when the ports were, by the clock that cannot be set
	size_t next; // queue
	size_t queue_count;
	struct queue *queues;
	_Alignas(CACHE_LINE) struct counts counts;
	_Alignas(CACHE_LINE) char end[];
};
_Static_assert(
    offsetof(struct lane, counts) % CACHE_LINE == 0 && sizeof(struct lane) % CACHE_LINE == 0,
    "who reads the counters does not disturb the lane's thread or another lane's");

/* ---- life ---- */

// Room for packets that are put together; what they hold does not belong into a core dump.
static uint8_t *map_joined(void)
{
	void *joined =
	    mmap(NULL, JOINED_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (joined == MAP_FAILED)
		return NULL;
	(void)madvise(joined, JOINED_MAX, MADV_DONTDUMP);
	return joined;
}

struct lane *lane_create(const struct source_request *request, const struct lane_stamps *stamps,
    size_t queues, struct error *error)
{
	struct lane *lane = aligned_alloc(CACHE_LINE, sizeof *lane);
	error_set(error, "cannot receive by DPDK: no memory");
	if (lane == NULL)
		return NULL;
	memset(lane, 0, sizeof *lane);
	lane->stamps = *stamps;
	lane->backoff.busy = request->busy_poll;
	lane->joined = map_joined();
	lane->queues = calloc(queues, sizeof *lane->queues);
	bool good = lane->joined != NULL && lane->queues != NULL;
	if (good && request->filter != NULL) {
		lane->filter = packet_filter_create(request->filter, error);
		good = lane->filter != NULL &&
		       packet_filter_prepare(lane->filter, LINK_ETHERNET, error);
	}
	if (good)
		return lane;
	lane_destroy(lane);
	return NULL;
}

void lane_destroy(struct lane *lane)
{
	if (lane == NULL)
		return;
	rte_pktmbuf_free_bulk(lane->packets, lane->count);
	if (lane->joined != NULL)
		(void)munmap(lane->joined, JOINED_MAX);
	packet_filter_destroy(lane->filter);
	free(lane->queues);
	free(lane);
}

void lane_add(
    struct lane *lane, struct dpdk_port *port, uint16_t queue, uint16_t interface, bool watches)
{
	struct queue *added = &lane->queues[lane->queue_count++];
	*added =
	    (struct queue){.port = port, .id = queue, .interface = interface, .watches = watches};
	added->clock.kind = port->clock;
}

/* ---- the clock on the wall, and who looks at it ---- */

static nanoseconds time_by(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return SECONDS(now.tv_sec) + now.tv_nsec;
}

static void look_after(struct lane *lane, nanoseconds now)
{
	struct dpdk_clock_reading reading;
	if (now - lane->watched < WATCH_EVERY)
		return;
	lane->watched = now;
	for (size_t i = 0; i < lane->queue_count; i++) {
		struct queue *queue = &lane->queues[i];
		if (queue->watches)
			dpdk_port_watch(queue->port);
		if (queue->clock.kind == DPDK_CLOCK_DEVICE && !queue->ended &&
		    dpdk_port_read_clock(queue->port, &reading))
			dpdk_clock_compare(&queue->clock, &reading);
	}
}

/* ---- packets in ---- */

// DPDK keeps free packets at hand for threads that it knows. One that it cannot take is only slower.
static void register_thread(struct lane *lane)
{
	if (!lane->registered && rte_lcore_id() == LCORE_ID_ANY)
		(void)rte_thread_register();
	lane->registered = true;
}

// Gives back what was in the batches before; what did not fit them stays.
static void give_back(struct lane *lane)
{
	if (lane->given == 0)
		return;
	rte_pktmbuf_free_bulk(lane->packets, lane->given);
	lane->count = (uint16_t)(lane->count - lane->given);
	memmove(lane->packets, lane->packets + lane->given, lane->count * sizeof lane->packets[0]);
	lane->given = 0;
	lane->joined_used = 0;
}

// A file behind a driver has ended when nothing came, and not for lack of memory.
static void look_at_empty(struct queue *queue)
{
	if (!queue->port->replays)
		return;
	uint64_t no_memory = dpdk_port_losses(queue->port).no_memory;
	queue->ended = no_memory == queue->no_memory;
	queue->no_memory = no_memory;
}

// A burst of one queue, of each in turn. False: there is nothing.
static bool receive(struct lane *lane)
{
	for (size_t i = 0; i < lane->queue_count; i++) {
		struct queue *queue = &lane->queues[lane->next];
		lane->next = lane->next + 1 < lane->queue_count ? lane->next + 1 : 0;
		if (atomic_load_explicit(&queue->port->removed, memory_order_relaxed))
			queue->ended = true;
		if (queue->ended)
			continue;
		lane->count =
		    rte_eth_rx_burst(queue->port->id, queue->id, lane->packets, PACKET_BATCH_MAX);
		if (lane->count > 0) {
			lane->from = queue;
			lane->fetched = time_by(CLOCK_REALTIME);
			return true;
		}
		look_at_empty(queue);
	}
	return false;
}

/* ---- packets out ---- */

// Puts the tags back that the device took off, the inner one first.
static void put_back_tags(struct rte_mbuf **packet)
{
	struct rte_mbuf *tagged = *packet;
	uint64_t flags = tagged->ol_flags;
	if ((flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0 && rte_vlan_insert(packet) != 0)
		return;
	if ((flags & RTE_MBUF_F_RX_QINQ_STRIPPED) == 0)
		return;
	tagged->vlan_tci = tagged->vlan_tci_outer;
	(void)rte_vlan_insert(packet);
}

// Puts a packet in several pieces together. False: there is no room left in this batch.
static bool join(struct lane *lane, const struct rte_mbuf *packet, struct packet *to)
{
	size_t length = RTE_MIN(packet->pkt_len, (uint32_t)JOINED_MAX);
	if (length > JOINED_MAX - lane->joined_used)
		return false;
	uint8_t *joined = lane->joined + lane->joined_used;
	size_t used = 0;
	for (; packet != NULL && used < length; packet = packet->next) {
		size_t piece = RTE_MIN((size_t)packet->data_len, length - used);
		memcpy(joined + used, rte_pktmbuf_mtod(packet, const uint8_t *), piece);
		used += piece;
	}
	to->data = joined;
	to->captured = (uint32_t)used;
	lane->joined_used += used;
	return true;
}

static nanoseconds time_of(const struct lane *lane, const struct rte_mbuf *packet)
{
	const struct dpdk_clock *clock = &lane->from->clock;
	if (clock->kind == DPDK_CLOCK_SYSTEM || (packet->ol_flags & lane->stamps.flag) == 0)
		return lane->fetched;
	uint64_t stamp = *RTE_MBUF_DYNFIELD(packet, (size_t)lane->stamps.offset, const uint64_t *);
	return dpdk_clock_time(clock, stamp, lane->fetched);
}

static bool lend(struct lane *lane, struct rte_mbuf **from, struct packet *to)
{
	if ((*from)->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ_STRIPPED))
		put_back_tags(from);
	const struct rte_mbuf *packet = *from;
	to->length = packet->pkt_len;
	to->time = time_of(lane, packet);
	to->link_type = LINK_ETHERNET;
	to->interface = lane->from->interface;
	if (packet->nb_segs > 1)
		return join(lane, packet, to);
	to->data = rte_pktmbuf_mtod(packet, const uint8_t *);
	to->captured = packet->data_len;
	return true;
}

static void add(_Atomic uint64_t *to, uint64_t more)
{
	atomic_store_explicit(
	    to, atomic_load_explicit(to, memory_order_relaxed) + more, memory_order_relaxed);
}

static void count(struct lane *lane, const struct packet_batch *batch)
{
	uint64_t bytes = 0, cut = 0;
	for (size_t i = 0; i < batch->count; i++) {
		bytes += batch->packets[i].length;
		cut += batch->packets[i].captured < batch->packets[i].length;
	}
	add(&lane->counts.packets, batch->count);
	add(&lane->counts.bytes, bytes);
	if (cut > 0)
		add(&lane->counts.cut, cut);
}

static enum source_status give_batch(
    struct lane *lane, struct packet_batch *batch, struct error *error)
{
	struct source_counters left_out = {0};
	while (lane->given < lane->count &&
	       lend(lane, &lane->packets[lane->given], &batch->packets[batch->count])) {
		lane->given++;
		batch->count++;
	}
	if (lane->filter != NULL) {
		if (!packet_filter_run(lane->filter, batch, &left_out, error))
			return SOURCE_FAILED;
		add(&lane->counts.filtered, left_out.filtered);
		add(&lane->counts.filtered_in_vlan, left_out.filtered_in_vlan);
	}
	count(lane, batch);
	return batch->count > 0 ? SOURCE_PACKETS : SOURCE_IDLE;
}

// Whether anything can still come: true ends the lane, as *status says.
static bool is_over(const struct lane *lane, enum source_status *status, struct error *error)
{
	*status = SOURCE_END;
	for (size_t i = 0; i < lane->queue_count; i++) {
		const struct queue *queue = &lane->queues[i];
		if (!queue->ended)
			return false;
		if (queue->port->replays)
			continue;
		*status = SOURCE_FAILED;
		error_set(error, "port %u of DPDK (%s): the device is gone", queue->port->id,
		    queue->port->name);
	}
	return true;
}

enum source_status lane_next(struct lane *lane, struct packet_batch *batch, struct error *error)
{
	enum source_status status;
	nanoseconds idle_since = 0;
	batch->count = 0;
	register_thread(lane);
	give_back(lane);
	if (++lane->looks % LOOKS_BETWEEN_CLOCKS == 0)
		look_after(lane, time_by(CLOCK_MONOTONIC_COARSE));
	while (lane->count == 0 && !receive(lane)) {
		if (is_over(lane, &status, error))
			return status;
		nanoseconds now = time_by(CLOCK_MONOTONIC_COARSE);
		look_after(lane, now);
		if (idle_since == 0)
			idle_since = now;
		if (now - idle_since >= IDLE_MAX)
			return SOURCE_IDLE;
		if (lane->backoff.pause > SLEEP_LONGEST)
			lane->backoff.pause = SLEEP_LONGEST;
		backoff_wait(&lane->backoff);
	}
	backoff_reset(&lane->backoff);
	return give_batch(lane, batch, error);
}

void lane_add_counters(const struct lane *lane, struct source_counters *sum)
{
	const struct counts *counts = &lane->counts;
	sum->packets += atomic_load_explicit(&counts->packets, memory_order_relaxed);
	sum->bytes += atomic_load_explicit(&counts->bytes, memory_order_relaxed);
	sum->cut_packets += atomic_load_explicit(&counts->cut, memory_order_relaxed);
	sum->filtered += atomic_load_explicit(&counts->filtered, memory_order_relaxed);
	sum->filtered_in_vlan +=
	    atomic_load_explicit(&counts->filtered_in_vlan, memory_order_relaxed);
}
