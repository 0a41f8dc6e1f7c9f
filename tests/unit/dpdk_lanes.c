// SPDX-License-Identifier: Apache-2.0
// Several lanes: net_null offers queues over which connections are spread, and each lane has its own of every
// port. What net_null makes is counted.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/dpdk/module.h"

#include <pthread.h>

enum { LANES = 3, BATCHES = 2000 };

struct reader {
	struct source *source;
	unsigned lane;
	uint64_t packets, bytes, interfaces;
	enum source_status status;
};

static void *read_lane(void *context)
{
	struct reader *reader = context;
	struct packet_batch batch;
	struct error error;
	for (int i = 0; i < BATCHES; i++) {
		reader->status = dpdk_module.next(reader->source, reader->lane, &batch, &error);
		if (reader->status != SOURCE_PACKETS)
			break;
		reader->packets += batch.count;
		for (size_t at = 0; at < batch.count; at++) {
			reader->bytes += batch.packets[at].length;
			reader->interfaces |= 1u << batch.packets[at].interface;
		}
	}
	return NULL;
}

static void each_by_a_thread(void **state)
{
	const struct source_request request = {
	    .environment = "--no-huge -m 256 --no-pci --no-shconf --vdev net_null0,size=100 "
	                   "--vdev net_null1,size=200",
	    .lanes = LANES};
	struct error error;
	struct reader readers[LANES];
	pthread_t threads[LANES];
	uint64_t packets = 0, bytes = 0;
	(void)state;
	struct source *source = dpdk_module.open(&request, &error);
	assert_non_null(source);
	assert_int_equal(dpdk_module.lanes(source), LANES);
	for (unsigned lane = 0; lane < LANES; lane++) {
		readers[lane] = (struct reader){.source = source, .lane = lane};
		assert_int_equal(
		    pthread_create(&threads[lane], NULL, read_lane, &readers[lane]), 0);
	}
	(void)dpdk_module.counters(source); // while they read
	for (unsigned lane = 0; lane < LANES; lane++) {
		pthread_join(threads[lane], NULL);
		assert_int_equal(readers[lane].status, SOURCE_PACKETS);
		assert_int_equal(readers[lane].interfaces, 3);
		packets += readers[lane].packets;
		bytes += readers[lane].bytes;
	}
	struct source_counters counters = dpdk_module.counters(source);
	assert_int_equal(counters.packets, packets);
	assert_int_equal(counters.bytes, bytes);
	assert_int_equal(packets, (uint64_t)LANES * BATCHES * PACKET_BATCH_MAX);
	assert_int_equal(bytes, packets * 150);
	dpdk_module.close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_by_a_thread)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
