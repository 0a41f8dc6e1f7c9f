// SPDX-License-Identifier: Apache-2.0
// The other end of a DPDK port, for tests and measurements:
//   dpdk-traffic ARGUMENTS send CAPTURE RATE SECONDS   sends a capture again and again, RATE packets a second
//                                    (0: as fast as they are taken, and each is), for SECONDS (0: once)
//   dpdk-traffic ARGUMENTS receive   takes packets and gives them back, no more: what a receive loop can do
// Of port 0 of DPDK, set up with ARGUMENTS. Both go on until standard input ends, and print one line:
//   PACKETS REFUSED NANOSECONDS      refused: there was no room at the other end at their time
#include "capture/base/backoff.h"
#include "capture/dpdk/environment.h"
#include "capture/dpdk/port.h"
#include "capture/source.h"

#include <inttypes.h>
#include <poll.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BURST = 32, PACKETS_MAX = 200000, LINK_WAIT_SECONDS = 30, LOOKS_BETWEEN = 256 };

static void fail(const char *what)
{
	fprintf(stderr, "dpdk-traffic: %s\n", what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static bool input_ended(void)
{
	char ignored[64];
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	return poll(&input, 1, 0) > 0 && read(STDIN_FILENO, ignored, sizeof ignored) <= 0;
}

static void print(uint64_t packets, uint64_t refused, uint64_t took)
{
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", packets, refused, took);
	fflush(stdout);
}

/* ---- what is sent ---- */

struct trace {
	struct rte_mbuf **packets;
	size_t count, allocated;
	uint32_t longest;
	uint8_t **bytes;
	uint32_t *lengths;
};

static void keep(struct trace *trace, const struct packet *packet)
{
	if (trace->count == trace->allocated) {
		trace->allocated = trace->allocated > 0 ? 2 * trace->allocated : 1024;
		trace->bytes = realloc(trace->bytes, trace->allocated * sizeof *trace->bytes);
		trace->lengths = realloc(trace->lengths, trace->allocated * sizeof *trace->lengths);
	}
	uint8_t *copy = malloc(packet->captured);
	if (trace->bytes == NULL || trace->lengths == NULL || copy == NULL)
		fail("no memory");
	memcpy(copy, packet->data, packet->captured);
	trace->bytes[trace->count] = copy;
	trace->lengths[trace->count++] = packet->captured;
	if (packet->captured > trace->longest)
		trace->longest = packet->captured;
}

static void read_trace(struct trace *trace, const char *path)
{
	struct error error;
	struct packet_batch batch;
	const struct source_request request = {.target = path};
	struct source *source = source_file.open(&request, &error);
	if (source == NULL)
		fail(error.text);
	enum source_status status;
	while (trace->count < PACKETS_MAX &&
	       (status = source_file.next(source, 0, &batch, &error)) == SOURCE_PACKETS)
		for (size_t i = 0; i < batch.count && trace->count < PACKETS_MAX; i++)
			keep(trace, &batch.packets[i]);
	source_file.close(source);
	if (trace->count == 0)
		fail("there is no packet in the capture");
}

static struct rte_mempool *make_packets(struct trace *trace)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("traffic", (unsigned)trace->count + 1024,
	    0, 0, (uint16_t)(trace->longest + RTE_PKTMBUF_HEADROOM), SOCKET_ID_ANY);
	trace->packets = calloc(trace->count, sizeof(struct rte_mbuf *));
	if (pool == NULL || trace->packets == NULL)
		fail("no memory for the packets: give DPDK more with -m");
	for (size_t i = 0; i < trace->count; i++) {
		trace->packets[i] = rte_pktmbuf_alloc(pool);
		void *to = trace->packets[i] == NULL
		               ? NULL
		               : rte_pktmbuf_append(trace->packets[i], (uint16_t)trace->lengths[i]);
		if (to == NULL)
			fail("no memory for a packet");
		memcpy(to, trace->bytes[i], trace->lengths[i]);
	}
	return pool;
}

/* ---- sending ---- */

static void start_sending(struct rte_mempool *pool)
{
	const struct rte_eth_conf settings = {.rxmode = {.mtu = 0}};
	if (rte_eth_dev_configure(0, 1, 1, &settings) != 0 ||
	    rte_eth_rx_queue_setup(0, 0, 512, (unsigned)SOCKET_ID_ANY, NULL, pool) != 0 ||
	    rte_eth_tx_queue_setup(0, 0, 1024, (unsigned)SOCKET_ID_ANY, NULL) != 0 ||
	    rte_eth_dev_start(0) != 0)
		fail("port 0 cannot be set up to send");
	struct rte_eth_link link = {.link_status = RTE_ETH_LINK_DOWN};
	for (int i = 0; i < LINK_WAIT_SECONDS * 100 && link.link_status != RTE_ETH_LINK_UP; i++) {
		(void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		(void)rte_eth_link_get_nowait(0, &link);
	}
	if (link.link_status != RTE_ETH_LINK_UP)
		fail("nobody is at the other end");
}

// Sends some packets; each keeps one reference, for the next time. Returns how many found no room.
static uint16_t send_burst(struct rte_mbuf **packets, uint16_t count, bool insist)
{
	for (uint16_t i = 0; i < count; i++)
		rte_mbuf_refcnt_update(packets[i], 1);
	uint16_t sent = rte_eth_tx_burst(0, 0, packets, count);
	while (insist && sent < count) {
		rte_pause();
		sent = (uint16_t)(sent +
		                  rte_eth_tx_burst(0, 0, packets + sent, (uint16_t)(count - sent)));
	}
	rte_pktmbuf_free_bulk(packets + sent, (unsigned)(count - sent));
	return (uint16_t)(count - sent);
}

static void send_trace(const struct trace *trace, double rate, double seconds)
{
	uint64_t packets = 0, refused = 0, begin = now(), end = begin + (uint64_t)(seconds * 1e9);
	size_t at = 0;
	while (seconds > 0 ? now() < end : packets < trace->count) {
		size_t left = trace->count - at;
		uint16_t count = (uint16_t)(left < BURST ? left : BURST);
		if (rate > 0)
			while ((double)(now() - begin) * rate < (double)packets * 1e9)
				rte_pause();
		refused += send_burst(trace->packets + at, count, rate <= 0);
		packets += count;
		at = at + count < trace->count ? at + count : 0;
	}
	print(packets - refused, refused, now() - begin);
	while (!input_ended())
		(void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

/* ---- receiving ---- */

static void receive(const struct source_request *request)
{
	static struct dpdk_port port;
	struct rte_mbuf *packets[PACKET_BATCH_MAX];
	struct backoff backoff = {.busy = false};
	struct error error;
	uint64_t count = 0, first = 0, last = 0;
	if (!dpdk_port_find(&port, 0, request, &error) || !dpdk_port_start(&port, 1, &error))
		fail(error.text);
	fprintf(stderr, "dpdk-traffic: ready\n");
	for (uint64_t rounds = 0; rounds % LOOKS_BETWEEN != 0 || !input_ended(); rounds++) {
		uint16_t taken = rte_eth_rx_burst(0, 0, packets, PACKET_BATCH_MAX);
		if (taken == 0) {
			backoff_wait(&backoff);
			continue;
		}
		backoff_reset(&backoff);
		rte_pktmbuf_free_bulk(packets, taken);
		last = now();
		first = first == 0 ? last : first;
		count += taken;
	}
	print(count, 0, last - first);
	dpdk_port_close(&port);
}

int main(int argc, char **argv)
{
	struct error error;
	struct trace trace = {.count = 0};
	bool sends = argc == 6 && strcmp(argv[2], "send") == 0;
	if (!sends && (argc != 3 || strcmp(argv[2], "receive") != 0))
		fail("usage: dpdk-traffic ARGUMENTS send CAPTURE RATE SECONDS | receive");
	const struct source_request request = {.environment = argv[1]};
	struct environment *environment = environment_begin(&request, &error);
	if (environment == NULL)
		fail(error.text);
	if (sends) {
		read_trace(&trace, argv[3]);
		start_sending(make_packets(&trace));
		send_trace(&trace, strtod(argv[4], NULL), strtod(argv[5], NULL));
	} else {
		receive(&request);
	}
	fflush(stdout);
	_exit(0); // some drivers do not survive that their peer is gone when they clean up
}
