// SPDX-License-Identifier: Apache-2.0
// Packets as drivers hand them over, through the source: put into the rings of net_ring. In several pieces, more
// than fit a batch, without their tags, and whatever is counted of them. And as many lanes as a driver can feed
// (net_null). And what a driver tells of its device, by the call that it was given for it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/dpdk/module.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 2048 - RTE_PKTMBUF_HEADROOM, POOL = 2047 };

static char told[4096];
static struct source *rings; // one lane, all queues of net_ring0
static struct rte_mempool *pool;

static void on_line(void *context, const struct error *line)
{
	(void)context;
	strncat(told, line->text, sizeof told - strlen(told) - 2);
	strcat(told, "\n");
}

/* ---- what a driver tells ---- */

static rte_eth_dev_cb_fn told_by_driver; // as the driver calls it
static void *told_about;

int __real_rte_eth_dev_callback_register(
    uint16_t port, enum rte_eth_event_type event, rte_eth_dev_cb_fn call, void *context);
int __wrap_rte_eth_dev_callback_register(
    uint16_t port, enum rte_eth_event_type event, rte_eth_dev_cb_fn call, void *context);

int __wrap_rte_eth_dev_callback_register(
    uint16_t port, enum rte_eth_event_type event, rte_eth_dev_cb_fn call, void *context)
{
	told_by_driver = call;
	told_about = context;
	return __real_rte_eth_dev_callback_register(port, event, call, context);
}

static const char environment[] =
    "--no-huge -m 128 --no-pci --no-shconf --vdev net_ring0 --vdev net_null0,size=100";

static int open_rings(void **state)
{
	static struct source_request request = {
	    .environment = environment, .target = "0", .say = on_line, .lanes = 4};
	struct error error;
	(void)state;
	rings = dpdk_module.open(&request, &error);
	if (rings == NULL) {
		print_error("%s\n", error.text);
		return -1;
	}
	pool = rte_pktmbuf_pool_create("test", POOL, 0, 0, 2048, SOCKET_ID_ANY);
	return pool == NULL;
}

static int close_rings(void **state)
{
	(void)state;
	rte_mempool_free(pool);
	dpdk_module.close(rings);
	return 0;
}

/* ---- packets ---- */

static uint8_t byte_at(size_t at, unsigned number)
{
	return (uint8_t)(at * 31 + number * 7 + at / 256);
}

static struct rte_mbuf *make_packet(size_t length, unsigned number)
{
	struct rte_mbuf *first = rte_pktmbuf_alloc(pool), *last = first;
	assert_non_null(first);
	for (size_t at = 0; at < length; at++) {
		if (last->data_len == PIECE) {
			last->next = rte_pktmbuf_alloc(pool);
			assert_non_null(last->next);
			last = last->next;
			first->nb_segs++;
		}
		rte_pktmbuf_mtod(last, uint8_t *)[last->data_len++] = byte_at(at, number);
	}
	first->pkt_len = (uint32_t)length;
	return first;
}

static void put(unsigned queue, struct rte_mbuf *packet)
{
	char name[64];
	snprintf(name, sizeof name, "ETH_RXTX%u_net_ring0", queue);
	struct rte_ring *ring = rte_ring_lookup(name);
	assert_non_null(ring);
	assert_int_equal(rte_ring_enqueue(ring, packet), 0);
}

static enum source_status take(struct packet_batch *batch)
{
	struct error error;
	return dpdk_module.next(rings, 0, batch, &error);
}

static void assert_packet(const struct packet *packet, size_t length, unsigned number)
{
	assert_int_equal(packet->length, length);
	assert_int_equal(packet->captured, length);
	assert_int_equal(packet->link_type, LINK_ETHERNET);
	assert_int_equal(packet->interface, 0);
	for (size_t at = 0; at < length; at++)
		assert_int_equal(packet->data[at], byte_at(at, number));
}

// Two calls later than the last packet, everything was given back.
static void assert_all_back(void)
{
	struct packet_batch batch;
	assert_int_equal(take(&batch), SOURCE_IDLE);
	assert_int_equal(rte_mempool_avail_count(pool), POOL);
}

/* ---- tests ---- */

static void one_packet(void **state)
{
	struct packet_batch batch;
	struct timespec now;
	(void)state;
	put(0, make_packet(60, 1));
	assert_int_equal(take(&batch), SOURCE_PACKETS);
	assert_int_equal(batch.count, 1);
	assert_packet(&batch.packets[0], 60, 1);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_in_range(SECONDS(now.tv_sec + 1) - batch.packets[0].time, 0, SECONDS(60));
	assert_all_back();
}

// Every queue of a driver whose queues are filled anyway is polled by the one lane.
static void all_queues(void **state)
{
	struct packet_batch batch;
	struct rte_eth_dev_info info;
	unsigned taken = 0;
	(void)state;
	assert_int_equal(dpdk_module.lanes(rings), 1);
	assert_int_equal(rte_eth_dev_info_get(0, &info), 0);
	assert_true(info.max_rx_queues > 1);
	for (unsigned queue = 0; queue < info.max_rx_queues; queue++)
		put(queue, make_packet(100, queue));
	while (taken < info.max_rx_queues && take(&batch) == SOURCE_PACKETS)
		taken += (unsigned)batch.count;
	assert_int_equal(taken, info.max_rx_queues);
	assert_all_back();
}

static void in_pieces(void **state)
{
	static const size_t lengths[] = {PIECE, PIECE + 1, 9000, 2 * PIECE, 60};
	struct packet_batch batch;
	(void)state;
	for (unsigned i = 0; i < 5; i++)
		put(0, make_packet(lengths[i], i));
	assert_int_equal(take(&batch), SOURCE_PACKETS);
	assert_int_equal(batch.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_packet(&batch.packets[i], lengths[i], i);
	assert_all_back();
}

// More in pieces than can be put together at once: the rest comes in the next batches, in order.
static void more_than_fits(void **state)
{
	enum { LENGTH = 30000, COUNT = 40 };
	struct packet_batch batch;
	unsigned number = 0, batches = 0;
	(void)state;
	for (unsigned i = 0; i < COUNT; i++)
		put(0, make_packet(LENGTH, i));
	for (; number < COUNT; batches++) {
		assert_int_equal(take(&batch), SOURCE_PACKETS);
		for (size_t i = 0; i < batch.count; i++)
			assert_packet(&batch.packets[i], LENGTH, number++);
	}
	assert_true(batches > 1);
	assert_all_back();
}

// Longer than anything: cut, and counted as cut.
static void too_long(void **state)
{
	struct packet_batch batch;
	uint64_t cut = dpdk_module.counters(rings).cut_packets;
	(void)state;
	put(0, make_packet(300000, 3));
	assert_int_equal(take(&batch), SOURCE_PACKETS);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.packets[0].length, 300000);
	assert_int_equal(batch.packets[0].captured, 256 * 1024);
	assert_int_equal(batch.packets[0].data[256 * 1024 - 1], byte_at(256 * 1024 - 1, 3));
	assert_int_equal(dpdk_module.counters(rings).cut_packets, cut + 1);
	assert_all_back();
}

static void tags_are_put_back(void **state)
{
	static const uint8_t one[] = {0x81, 0x00, 0x60, 0x07},
	                     two[] = {0x81, 0x00, 0x20, 0x64, 0x81, 0x00, 0x60, 0x07};
	struct packet_batch batch;
	(void)state;
	struct rte_mbuf *packet = make_packet(60, 1);
	packet->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	packet->vlan_tci = 0x6007;
	put(0, packet);
	packet = make_packet(60, 1);
	packet->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_QINQ |
	                    RTE_MBUF_F_RX_QINQ_STRIPPED;
	packet->vlan_tci = 0x6007;
	packet->vlan_tci_outer = 0x2064;
	put(0, packet);
	assert_int_equal(take(&batch), SOURCE_PACKETS);
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.packets[0].length, 64);
	assert_int_equal(batch.packets[1].length, 68);
	assert_memory_equal(batch.packets[0].data + 12, one, sizeof one);
	assert_memory_equal(batch.packets[1].data + 12, two, sizeof two);
	for (size_t at = 0; at < 60; at++) {
		assert_int_equal(batch.packets[0].data[at + (at < 12 ? 0 : 4)], byte_at(at, 1));
		assert_int_equal(batch.packets[1].data[at + (at < 12 ? 0 : 8)], byte_at(at, 1));
	}
	assert_all_back();
}

static void what_is_counted(void **state)
{
	struct packet_batch batch;
	struct source_counters before = dpdk_module.counters(rings), after;
	(void)state;
	for (unsigned i = 0; i < 200; i++)
		put(0, make_packet(100, i));
	for (size_t taken = 0; taken < 200; taken += batch.count)
		assert_int_equal(take(&batch), SOURCE_PACKETS);
	after = dpdk_module.counters(rings);
	assert_int_equal(after.packets - before.packets, 200);
	assert_int_equal(after.bytes - before.bytes, 20000);
	assert_int_equal(after.capture_dropped, 0);
	assert_false(dpdk_module.waits(rings));
	assert_all_back();
}

static void what_is_told(void **state)
{
	(void)state;
	assert_string_equal(told, "");
}

// Waits until something is told, and takes packets meanwhile.
static void assert_told(const char *what)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	struct packet_batch batch;
	told[0] = '\0';
	for (int i = 0; i < 1000 && told[0] == '\0'; i++) {
		(void)take(&batch);
		nanosleep(&pause, NULL);
	}
	assert_non_null(strstr(told, what));
	assert_ptr_equal(strchr(told, '\n'), strrchr(told, '\n')); // in one line
}

// A device that wants a reset is told of once, and what it still delivers is read; one that is gone is not asked any
// more, which ends a source that has no other.
static void reset_and_removal(void **state)
{
	struct packet_batch batch;
	struct error error;
	(void)state;
	assert_non_null(told_by_driver);
	told_by_driver(0, RTE_ETH_EVENT_INTR_RESET, told_about, NULL);
	assert_told("port 0 (net_ring0): the device asks for a reset");
	put(0, make_packet(60, 1));
	assert_int_equal(take(&batch), SOURCE_PACKETS);
	assert_packet(&batch.packets[0], 60, 1);
	assert_all_back();
	told_by_driver(0, RTE_ETH_EVENT_INTR_RESET, told_about, NULL);
	told_by_driver(0, RTE_ETH_EVENT_INTR_RMV, told_about, NULL);
	assert_told("port 0 (net_ring0): the device is gone");
	assert_int_equal(dpdk_module.next(rings, 0, &batch, &error), SOURCE_FAILED);
	assert_non_null(strstr(error.text, "port 0 of DPDK (net_ring0): the device is gone"));
}

// DPDK can be set up once in a process.
static void once(void **state)
{
	const struct source_request request = {.environment = environment};
	struct error error;
	(void)state;
	assert_null(dpdk_module.open(&request, &error));
	assert_non_null(strstr(error.text, "DPDK did not start"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_packet),
	    cmocka_unit_test(all_queues),
	    cmocka_unit_test(in_pieces),
	    cmocka_unit_test(more_than_fits),
	    cmocka_unit_test(too_long),
	    cmocka_unit_test(tags_are_put_back),
	    cmocka_unit_test(what_is_counted),
	    cmocka_unit_test(what_is_told),
	    cmocka_unit_test(reset_and_removal),
	    cmocka_unit_test(once),
	};
	return cmocka_run_group_tests(tests, open_rings, close_rings);
}
