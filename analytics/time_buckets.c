// SPDX-License-Identifier: Apache-2.0
#include "analytics/time_buckets.h"

#include <string.h>

// Each is a multiple of the one before; beyond the last they double.
static const nanoseconds widths[] = {SECONDS(60), SECONDS(300), SECONDS(900), SECONDS(3600),
    SECONDS(10800), SECONDS(21600), SECONDS(86400)};

enum { WIDTHS = sizeof widths / sizeof widths[0] };

static nanoseconds wider(nanoseconds width)
{
	for (size_t i = 0; i < WIDTHS; i++)
		if (widths[i] > width)
			return widths[i];
	return 2 * width;
}

static void widen(struct time_buckets *buckets)
{
	struct time_buckets old = *buckets;
	int64_t factor = wider(old.width) / old.width;
	buckets->width = old.width * factor;
	buckets->first = old.first / factor;
	memset(buckets->counters, 0, sizeof buckets->counters);
	for (size_t i = 0; i < old.count; i++) {
		size_t to = (size_t)((old.first + (int64_t)i) / factor - buckets->first);
		for (size_t counter = 0; counter < TIME_BUCKET_COUNTERS; counter++)
			buckets->counters[to][counter] += old.counters[i][counter];
		buckets->count = to + 1;
	}
}

// Moves the spans back, so that this one is the first. There is room.
static void begin_at(struct time_buckets *buckets, int64_t first)
{
	size_t moved = (size_t)(buckets->first - first);
	memmove(buckets->counters[moved], buckets->counters[0],
	    buckets->count * sizeof buckets->counters[0]);
	memset(buckets->counters[0], 0, moved * sizeof buckets->counters[0]);
	buckets->first = first;
	buckets->count += moved;
}

static bool has_room(const struct time_buckets *buckets, int64_t span)
{
	int64_t last = buckets->first + (int64_t)buckets->count - 1;
	int64_t from = span < buckets->first ? span : buckets->first;
	return (span > last ? span : last) - from < TIME_BUCKETS;
}

// The span of this time, as wide as it takes. Its number.
static size_t reach(struct time_buckets *buckets, nanoseconds time)
{
	if (buckets->width == 0) {
		buckets->width = widths[0];
		buckets->first = time / buckets->width;
		buckets->count = 1;
	}
	while (!has_room(buckets, time / buckets->width))
		widen(buckets);
	int64_t span = time / buckets->width;
	if (span < buckets->first)
		begin_at(buckets, span);
	size_t number = (size_t)(span - buckets->first);
	if (number >= buckets->count)
		buckets->count = number + 1; // those in between are zero
	return number;
}

void time_buckets_add(
    struct time_buckets *buckets, nanoseconds time, size_t counter, uint64_t count)
{
	size_t span = reach(buckets, time);
	buckets->counters[span][counter] += count;
}

void time_buckets_add_span(
    struct time_buckets *buckets, nanoseconds from, nanoseconds until, size_t counter)
{
	if (until <= from)
		return;
	(void)reach(buckets, from);
	size_t last = reach(buckets, until - 1);
	size_t first = reach(buckets, from); // the second may have made them wider
	for (size_t span = first; span <= last; span++) {
		nanoseconds start = time_buckets_start(buckets, span);
		nanoseconds end = start + buckets->width;
		buckets->counters[span][counter] +=
		    (uint64_t)((until < end ? until : end) - (from > start ? from : start));
	}
}

void time_buckets_unite(struct time_buckets *sum, const struct time_buckets *part)
{
	if (sum->width == 0) {
		*sum = *part;
		return;
	}
	while (part->count > 0 && sum->width < part->width)
		widen(sum);
	for (size_t i = 0; i < part->count; i++) {
		size_t span = reach(sum, time_buckets_start(part, i));
		for (size_t counter = 0; counter < TIME_BUCKET_COUNTERS; counter++)
			sum->counters[span][counter] += part->counters[i][counter];
	}
}

nanoseconds time_buckets_start(const struct time_buckets *buckets, size_t span)
{
	return (buckets->first + (int64_t)span) * buckets->width;
}
