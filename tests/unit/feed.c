// SPDX-License-Identifier: Apache-2.0
// A source with several lanes: each is read by a thread with a worker of its own, and what they find, count and
// end together comes out as of one run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/feed.h"
#include "tests/unit/tcp_packet.h"

#include <stdlib.h>

enum { LANES = 3, SESSIONS = 2000, BATCH = 16, MINUTES = 5 };

#define BEGIN SECONDS(1700000040) // a whole minute

// One lane's traffic: sessions of a SYN and a RST, spread over some minutes.
struct lane {
	uint32_t sent; // packets
	uint8_t frames[BATCH][TCP_PACKET_HEADERS];
};

struct source {
	_Atomic uint64_t packets;
	bool fails; // the last lane does, half way
	struct lane lanes[LANES];
};

static unsigned lanes(const struct source *source)
{
	(void)source;
	return LANES;
}

static void make_packet(struct lane *lane, unsigned number, size_t i, struct packet *packet)
{
	uint32_t session = lane->sent / 2;
	struct tcp_packet segment = {.source = (uint8_t)(1 + number),
	    .destination = 100,
	    .network = (uint8_t)(session / 1000),
	    .source_port = (uint16_t)(10000 + session % 1000),
	    .destination_port = 25,
	    .sequence = lane->sent % 2,
	    .flags = lane->sent % 2 == 0 ? TCP_SYN : TCP_RST};
	uint32_t size = tcp_packet_write(&segment, lane->frames[i]);
	*packet = (struct packet){.data = lane->frames[i],
	    .captured = size,
	    .length = size,
	    .time = BEGIN + SECONDS(60 * MINUTES) / (2 * SESSIONS) * lane->sent++,
	    .link_type = LINK_ETHERNET};
}

static enum source_status next(
    struct source *source, unsigned number, struct packet_batch *batch, struct error *error)
{
	struct lane *lane = &source->lanes[number];
	batch->count = 0;
	if (lane->sent == 2 * SESSIONS)
		return SOURCE_END;
	if (source->fails && number == LANES - 1 && lane->sent >= SESSIONS) {
		error_set(error, "lane broken");
		return SOURCE_FAILED;
	}
	while (batch->count < BATCH && lane->sent < 2 * SESSIONS) {
		make_packet(lane, number, batch->count, &batch->packets[batch->count]);
		batch->count++;
	}
	source->packets += batch->count;
	return SOURCE_PACKETS;
}

static struct source_counters counters(const struct source *source)
{
	return (struct source_counters){.packets = source->packets};
}

static const struct source_ops fake = {
    .name = "fake", .lanes = lanes, .next = next, .counters = counters};

/* ---- what comes out ---- */

struct outcome {
	unsigned sessions, intervals;
	uint64_t tracked; // at the end of the last interval
	atomic_bool broken;
};

static void on_session(void *context, const struct session_record *record)
{
	struct outcome *outcome = context;
	assert_int_equal(record->port[FROM_SERVER], 25);
	outcome->sessions++;
}

static void on_certificate(void *context, const struct shown_certificate *shown)
{
	(void)context;
	(void)shown;
}

static void on_interval(void *context, const struct ended_interval *interval)
{
	struct outcome *outcome = context;
	const struct run_accounting *accounting = &interval->accounting;
	assert_int_equal(interval->until - interval->from, SECONDS(60));
	assert_int_equal(interval->from, BEGIN + SECONDS(60) * outcome->intervals);
	assert_int_equal(
	    accounting->reader.packets, accounting->reader.headers.outcomes[HEADERS_SEGMENT]);
	assert_int_equal(accounting->reader.packets, accounting->worker.segments_tracked);
	assert_true(accounting->source.packets >= accounting->worker.segments_tracked / LANES);
	outcome->tracked = accounting->worker.segments_tracked;
	outcome->intervals++;
}

static struct feed *begin(struct outcome *outcome, struct intake **intake, const atomic_bool *stop)
{
	static struct port_table ports;
	struct error error;
	struct intake_options options = {
	    .sinks = {on_session, on_certificate, NULL, on_interval, NULL, NULL, NULL, outcome},
	    .lanes = feed_workers(LANES, 0),
	    .cpu = -1};
	port_set_add(&ports.set, 25);
	*intake = intake_create(&options, &error);
	assert_non_null(*intake);
	struct feed_options feed = {.crew = {.worker = {.ports = &ports, .memory = 64 << 20}},
	    .lanes = LANES,
	    .interval = SECONDS(60),
	    .intake = *intake,
	    .quiet = true,
	    .stop = stop,
	    .wanted = stop,
	    .broken = &outcome->broken};
	struct feed *made = feed_create(&feed, &error);
	assert_non_null(made);
	return made;
}

static struct run_accounting end(struct feed *feed, struct intake *intake)
{
	struct run_accounting accounting = {.interrupted = false};
	feed_finish(feed);
	feed_account(feed, &accounting);
	intake_finish(intake);
	feed_destroy(feed);
	return accounting;
}

static void several_lanes(void **state)
{
	static struct source source;
	const atomic_bool stop = false;
	struct outcome outcome = {.sessions = 0};
	struct intake *intake;
	struct error error;
	(void)state;
	source = (struct source){.packets = 0};
	struct feed *feed = begin(&outcome, &intake, &stop);
	assert_true(feed_read(feed, &fake, &source, "fake", &error));
	struct run_accounting accounting = end(feed, intake);
	assert_int_equal(outcome.sessions, LANES * SESSIONS);
	assert_int_equal(accounting.source.packets, LANES * 2 * SESSIONS);
	assert_int_equal(accounting.reader.packets, LANES * 2 * SESSIONS);
	assert_int_equal(accounting.worker.segments_tracked, LANES * 2 * SESSIONS);
	assert_int_equal(accounting.worker.flow.live, 0);
	assert_int_equal(outcome.intervals, MINUTES - 1); // the last one is not over
	assert_int_equal(outcome.tracked, LANES * 2 * SESSIONS / MINUTES * (MINUTES - 1));
}

static void one_that_fails_ends_all(void **state)
{
	static struct source source;
	const atomic_bool stop = false;
	struct outcome outcome = {.sessions = 0};
	struct intake *intake;
	struct error error;
	(void)state;
	source = (struct source){.fails = true};
	struct feed *feed = begin(&outcome, &intake, &stop);
	assert_false(feed_read(feed, &fake, &source, "fake", &error));
	assert_string_equal(error.text, "lane broken");
	struct run_accounting accounting = end(feed, intake);
	assert_int_equal(accounting.reader.packets, source.packets);
	assert_int_equal(accounting.worker.flow.created, outcome.sessions);
}

static void an_output_that_broke_ends_all(void **state)
{
	static struct source source;
	const atomic_bool stop = false;
	struct outcome outcome = {.broken = true};
	struct intake *intake;
	struct error error;
	(void)state;
	source = (struct source){.packets = 0};
	struct feed *feed = begin(&outcome, &intake, &stop);
	assert_true(feed_read(feed, &fake, &source, "fake", &error));
	(void)end(feed, intake);
	assert_int_equal(source.packets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(several_lanes),
	    cmocka_unit_test(one_that_fails_ends_all),
	    cmocka_unit_test(an_output_that_broke_ends_all),
	};
	return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
