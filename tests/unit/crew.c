// SPDX-License-Identifier: Apache-2.0
// Several workers: they find what one finds, in an order that can be restored; and where there is more to do
// than can be done, what is left out is counted, and what can tell nothing new goes first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/crew.h"
#include "tests/unit/tcp_packet.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	WORKERS = 3,
	SESSIONS = 600,
	MEMORY = 64 << 20,
	RING_BYTES = 8 << 20, // on their way to a worker
	BODY = 1400,
};

static const struct port_table *mail_ports(void)
{
	static struct port_table table;
	port_set_add(&table.set, 25);
	table.hints[25] = (struct port_hint){PROTOCOL_SMTP, false, false};
	return &table;
}

// A record, as one of several workers handed it on.
struct found {
	struct record_order order;
	unsigned worker;
	uint16_t client_port;
	uint64_t bytes;
	enum end_reason reason;
};

// A worker's: only its thread writes.
struct bench {
	struct crew *crew;
	unsigned number;
	struct found found[SESSIONS];
	size_t count;
	atomic_bool waiting, released; // on_control
	_Atomic uint64_t progress;
};

static void on_session(void *context, const struct session_record *record)
{
	struct bench *bench = context;
	assert_true(bench->count < SESSIONS);
	bench->found[bench->count++] = (struct found){
	    .order = worker_order(crew_worker(bench->crew, bench->number)),
	    .worker = bench->number,
	    .client_port = record->port[FROM_CLIENT],
	    .bytes = record->bytes[FROM_CLIENT] + record->bytes[FROM_SERVER],
	    .reason = record->end_reason,
	};
}

// Holds the worker up until it is released.
static void on_control(void *context, struct worker *worker, const void *control, size_t length)
{
	struct bench *bench = context;
	(void)worker;
	assert_int_equal(length, 4);
	assert_memory_equal(control, "wait", 4);
	bench->waiting = true;
	while (!bench->released)
		sched_yield();
}

static void on_progress(void *context, uint64_t position)
{
	struct bench *bench = context;
	assert_true(position > bench->progress);
	bench->progress = position;
}

static struct crew *begin(struct bench *benches, unsigned threads, bool live)
{
	void *contexts[WORKERS];
	struct error error;
	for (unsigned i = 0; i < WORKERS; i++) {
		benches[i] = (struct bench){.number = i};
		contexts[i] = &benches[i];
	}
	struct crew_options options = {
	    .worker = {.ports = mail_ports(), .memory = MEMORY, .on_session = on_session},
	    .threads = threads,
	    .contexts = contexts,
	    .live = live,
	    .on_control = on_control,
	    .on_progress = on_progress,
	};
	struct crew *crew = crew_create(&options, &error);
	assert_non_null(crew);
	for (unsigned i = 0; i < WORKERS; i++)
		benches[i].crew = crew;
	return crew;
}

static void send(struct crew *crew, struct tcp_packet packet, nanoseconds time)
{
	static uint8_t frame[TCP_PACKET_HEADERS + UINT16_MAX];
	struct packet_batch batch = {.count = 1};
	uint32_t size = tcp_packet_write(&packet, frame);
	batch.packets[0] = (struct packet){.data = frame,
	    .captured = size,
	    .length = size,
	    .time = time,
	    .link_type = LINK_ETHERNET};
	crew_batch(crew, &batch);
}

static struct tcp_packet from_client(
    uint16_t port, uint32_t sequence, uint8_t flags, const char *text)
{
	return (struct tcp_packet){.source = 1,
	    .destination = 2,
	    .source_port = port,
	    .destination_port = 25,
	    .sequence = sequence,
	    .acknowledgement = 1,
	    .flags = flags,
	    .window = 8192,
	    .payload = text,
	    .length = (uint32_t)strlen(text)};
}

static struct tcp_packet from_server(
    uint16_t port, uint32_t sequence, uint32_t acknowledgement, uint8_t flags, const char *text)
{
	struct tcp_packet packet = from_client(25, sequence, flags, text);
	packet.source = 2;
	packet.destination = 1;
	packet.destination_port = port;
	packet.acknowledgement = acknowledgement;
	return packet;
}

// Sessions that are under way at the same time, end one after the other, or do not end.
static void talk(struct crew *crew)
{
	nanoseconds now = SECONDS(1700000000);
	for (uint32_t step = 0; step < 4; step++)
		for (uint16_t i = 0; i < SESSIONS; i++, now += 1000000) {
			uint16_t port = (uint16_t)(1024 + i * 7919u % SESSIONS);
			if (step == 0)
				send(crew, from_client(port, 0, TCP_SYN, ""), now);
			else if (step < 3)
				send(crew,
				    from_client(port, 1 + 6 * (step - 1), TCP_ACK, "NOOP\r\n"),
				    now);
			else if (i % 3 != 0)
				send(crew, from_client(port, 13, TCP_RST, ""), now);
		}
	for (int second = 0; second < 40; second++)
		crew_idle(crew, now + SECONDS(second));
}

static int compare(const void *one, const void *other)
{
	const struct found *a = one, *b = other;
	return record_order_before(&b->order, &a->order) -
	       record_order_before(&a->order, &b->order);
}

static size_t collect(struct bench *benches, unsigned workers, struct found *all)
{
	size_t count = 0;
	for (unsigned i = 0; i < workers; i++) {
		assert_true(workers == 1 || benches[i].count > SESSIONS / WORKERS / 2);
		memcpy(all + count, benches[i].found, benches[i].count * sizeof *all);
		count += benches[i].count;
	}
	if (workers > 1)
		qsort(all, count, sizeof *all, compare);
	return count;
}

static void the_same_as_one(void **state)
{
	static struct bench benches[WORKERS];
	static struct found one[SESSIONS], several[SESSIONS];
	(void)state;
	struct crew *crew = begin(benches, 0, false);
	talk(crew);
	crew_finish(crew);
	assert_int_equal(collect(benches, 1, one), SESSIONS);
	crew_destroy(crew);
	crew = begin(benches, WORKERS, false);
	talk(crew);
	crew_finish(crew);
	assert_int_equal(collect(benches, WORKERS, several), SESSIONS);
	struct worker_counters counters = crew_worker_counters(crew);
	assert_int_equal(counters.segments_tracked,
	    crew_reader_counters(crew).headers.outcomes[HEADERS_SEGMENT]);
	crew_destroy(crew);
	for (size_t i = 0; i < SESSIONS; i++) {
		assert_int_equal(one[i].order.position, several[i].order.position);
		assert_int_equal(one[i].client_port, several[i].client_port);
		assert_int_equal(one[i].bytes, several[i].bytes);
		assert_int_equal(one[i].reason, several[i].reason);
	}
}

static void hold_up(struct crew *crew, struct bench *bench)
{
	crew_control(crew, "wait", 4);
	while (!bench->waiting)
		sched_yield();
}

// Every segment that was read is in one of the figures.
static void check_sums(struct crew *crew)
{
	struct worker_counters worked = crew_worker_counters(crew);
	struct crew_losses losses = crew_losses(crew);
	assert_int_equal(crew_reader_counters(crew).headers.outcomes[HEADERS_SEGMENT],
	    worked.segments_tracked + worked.segments_set_aside + losses.shed + losses.refused + losses.dropped);
}

static void what_does_not_fit_is_counted(void **state)
{
	static struct bench benches[WORKERS];
	static char body[BODY + 1];
	(void)state;
	memset(body, 'x', BODY);
	struct crew *crew = begin(benches, 1, true);
	hold_up(crew, &benches[0]);
	uint32_t sequence = 0;
	for (; crew_losses(crew).dropped < 100; sequence += BODY)
		send(crew, from_client(1024, sequence, TCP_ACK, body), SECONDS(1700000000));
	assert_true(sequence > RING_BYTES / 2);
	send(crew, from_client(1025, 0, TCP_SYN, ""), SECONDS(1700000001));
	assert_int_equal(crew_losses(crew).refused_connections, 1);
	benches[0].released = true;
	benches[0].waiting = false;
	hold_up(crew, &benches[0]); // comes when all of the ring was worked through
	uint64_t dropped = crew_losses(crew).dropped;
	send(crew, from_client(1025, 1, TCP_ACK, "NOOP\r\n"), SECONDS(1700000002));
	assert_int_equal(crew_losses(crew).refused, 2); // there is room again, but not for this one
	send(crew, from_client(1025, 7, TCP_SYN, ""), SECONDS(1700000003)); // it begins anew
	send(crew, from_client(1025, 8, TCP_ACK, "NOOP\r\n"), SECONDS(1700000003));
	crew_finish(crew);
	check_sums(crew);
	assert_int_equal(crew_losses(crew).shed, 0);
	assert_int_equal(crew_losses(crew).dropped, dropped);
	assert_int_equal(crew_losses(crew).dropped_openings, 0);
	assert_int_equal(benches[0].count, 2);
	crew_destroy(crew);
}

static void what_tells_nothing_new_is_left_out_first(void **state)
{
	static struct bench benches[WORKERS];
	static char body[BODY + 1];
	(void)state;
	memset(body, 'x', BODY);
	struct crew *crew = begin(benches, 1, true);
	nanoseconds now = SECONDS(1700000000);
	send(crew, from_client(1024, 0, TCP_SYN, ""), now);
	send(crew, from_server(1024, 0, 1, TCP_SYN | TCP_ACK, ""), now);
	send(crew, from_server(1024, 1, 1, TCP_ACK, "SSH-2.0-b\r\n"),
	    now); // only counted from here on
	send(crew, from_client(1024, 1, TCP_ACK, "SSH-2.0-a\r\n"), now);
	while (benches[0].progress < 9) // four segments, and the time after each
		sched_yield();
	hold_up(crew, &benches[0]);
	uint32_t sequence = 12;
	for (unsigned i = 0; i < 2 * RING_BYTES / BODY; i++, sequence += BODY)
		send(crew, from_client(1024, sequence, TCP_ACK, body), now);
	assert_true(crew_losses(crew).shed > RING_BYTES / BODY);
	for (uint16_t port = 2000; port < 2100; port++)
		send(crew, from_client(port, 0, TCP_SYN, ""), now); // these get through
	assert_int_equal(crew_losses(crew).refused, 0);
	assert_int_equal(crew_losses(crew).dropped, 0);
	benches[0].released = true;
	crew_finish(crew);
	check_sums(crew);
	assert_int_equal(benches[0].count, 101);
	crew_destroy(crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_as_one),
	    cmocka_unit_test(what_does_not_fit_is_counted),
	    cmocka_unit_test(what_tells_nothing_new_is_left_out_first),
	};
	return cmocka_run_group_tests_name("crew", tests, NULL, NULL);
}
