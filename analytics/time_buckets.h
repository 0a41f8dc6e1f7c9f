// SPDX-License-Identifier: Apache-2.0
// Counters over time in bounded memory: at most 240 spans of one width, which begins with a minute and grows
// as far as the times do, to days and more. Spans begin at multiples of their width (UTC), so that the result does
// not depend on the order in which things are counted. Pure; owned by one thread.
#ifndef MAILTAP_ANALYTICS_TIME_BUCKETS_H
#define MAILTAP_ANALYTICS_TIME_BUCKETS_H

#include "capture/packet.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	TIME_BUCKETS = 240,
	TIME_BUCKET_COUNTERS = 8,
};

// Zeroed memory is one without times.
struct time_buckets {
	nanoseconds width; // of a span; 0: there is none
	int64_t first; // the first span begins at first * width
	size_t
	    count; // spans from the first to the last, those in between without anything included
	uint64_t counters[TIME_BUCKETS][TIME_BUCKET_COUNTERS];
};

// `time` is not before 1970, nor beyond PACKET_TIME_MAX.
void time_buckets_add(
    struct time_buckets *buckets, nanoseconds time, size_t counter, uint64_t count);

// Adds to a counter of each span the nanoseconds of it that lie between the two.
void time_buckets_add_span(
    struct time_buckets *buckets, nanoseconds from, nanoseconds until, size_t counter);

// Adds the counters of `part`, as if they had been counted here.
void time_buckets_unite(struct time_buckets *sum, const struct time_buckets *part);

// When a span begins.
nanoseconds time_buckets_start(const struct time_buckets *buckets, size_t span);

#endif
