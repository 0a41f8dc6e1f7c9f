// SPDX-License-Identifier: Apache-2.0
#include "decode/segment_reader.h"

#include "capture/base/counters.h"
#include "capture/base/memory.h"

#include <stdlib.h>

enum {
	FRAGMENTED_DATAGRAMS = 4096, // incomplete at once
	NESTED_FRAGMENTS = 4, // fragments inside reassembled datagrams
};

struct segment_reader {
	const struct port_set *ports;
	struct memory *memory;
	struct fragment_table *fragments;
	struct dns_filter *names; // NULL: none are asked for
	names_sink *on_names;
	void *names_context;
	struct segment_reader_counters counters; // but for `fragment`
	nanoseconds now; // the latest packet time
	nanoseconds leap_to; // a time far off that one batch ended with; 0: none
};

struct segment_reader *segment_reader_create(const struct port_set *ports, size_t memory)
{
	struct segment_reader *reader = calloc(1, sizeof *reader);
	if (reader == NULL)
		return NULL;
	reader->ports = ports;
	reader->memory = memory_create(memory);
	if (reader->memory != NULL)
		reader->fragments =
		    fragment_table_create(reader->memory, FRAGMENTED_DATAGRAMS, ports);
	if (ports->names)
		reader->names = dns_filter_create();
	if (reader->fragments != NULL && (reader->names != NULL || !ports->names))
		return reader;
	segment_reader_destroy(reader);
	return NULL;
}

void segment_reader_destroy(struct segment_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fragments != NULL)
		fragment_table_destroy(reader->fragments);
	if (reader->memory != NULL)
		memory_destroy(reader->memory);
	dns_filter_destroy(reader->names);
	free(reader);
}

void segment_reader_names(struct segment_reader *reader, names_sink *sink, void *context)
{
	reader->on_names = sink;
	reader->names_context = context;
}

static void take_names(struct segment_reader *reader, const struct dns_message *message)
{
	struct dns_counters *counters = &reader->counters.names;
	if (dns_filter_take(reader->names, counters, message) &&
	    !(reader->on_names != NULL && reader->on_names(reader->names_context, message)))
		counters->left_out++;
}

// What is inside a datagram put together may be a fragment again.
static void take_fragment(struct segment_reader *reader, const struct fragment *fragment,
    segments_sink *sink, void *context)
{
	struct fragment piece = *fragment;
	struct datagram datagram;
	struct headers_result result;
	for (int depth = 0; depth < NESTED_FRAGMENTS; depth++) {
		if (!fragment_add(reader->fragments, &piece, &datagram))
			return;
		enum headers_outcome outcome = headers_datagram(&datagram, reader->ports, &result);
		reader->counters.reassembled[outcome]++;
		if (outcome == HEADERS_SEGMENT)
			sink(context, &(struct segment *){&result.segment}, 1);
		if (outcome == HEADERS_NAMES)
			take_names(reader, &result.names);
		if (outcome != HEADERS_FRAGMENT)
			return;
		piece = result.fragment;
	}
}

void segment_reader_batch(struct segment_reader *reader, const struct packet_batch *batch,
    segments_sink *sink, void *context)
{
	struct headers_result results[PACKET_BATCH_MAX];
	struct segment *segments[PACKET_BATCH_MAX];
	size_t count = 0;
	size_t kept = headers_batch(batch, reader->ports, results, &reader->counters.headers);
	reader->counters.packets += batch->count;
	for (size_t i = 0; i < kept; i++) {
		if (results[i].outcome == HEADERS_SEGMENT) {
			segments[count++] = &results[i].segment;
			continue;
		}
		if (count > 0)
			sink(context, segments, count);
		count = 0;
		if (results[i].outcome == HEADERS_NAMES)
			take_names(reader, &results[i].names);
		else
			take_fragment(reader, &results[i].fragment, sink, context);
	}
	if (count > 0)
		sink(context, segments, count);
}

// Back by more than packets are out of order, or far ahead.
static bool is_leap(nanoseconds from, nanoseconds to)
{
	return to - from > SECONDS(3600) || from - to > SECONDS(1);
}

bool segment_reader_time(struct segment_reader *reader, nanoseconds newest)
{
	bool leaps = reader->now != 0 && is_leap(reader->now, newest);
	if (leaps && (reader->leap_to == 0 || is_leap(reader->leap_to, newest))) {
		reader->leap_to = newest;
		return false;
	}
	reader->leap_to = 0;
	if (leaps || newest > reader->now)
		reader->now = newest;
	fragment_expire(reader->fragments, reader->now);
	return true;
}

nanoseconds segment_reader_now(const struct segment_reader *reader)
{
	return reader->now;
}

struct segment_reader_counters segment_reader_counters(const struct segment_reader *reader)
{
	struct segment_reader_counters counters = reader->counters;
	counters.fragment = fragment_table_counters(reader->fragments);
	return counters;
}

void segment_reader_counters_add(
    struct segment_reader_counters *sum, const struct segment_reader_counters *one)
{
	counters_add(sum, one, sizeof *sum);
}
