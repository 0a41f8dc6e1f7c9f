// SPDX-License-Identifier: Apache-2.0
#include "analytics/interval_clock.h"

static void open_at(struct interval_clock *clock, nanoseconds time)
{
	clock->from = time - time % clock->length;
	clock->until = clock->from + clock->length;
}

static void open_first(struct interval_clock *clock, nanoseconds time)
{
	if (clock->open)
		return;
	clock->open = clock->first = true;
	open_at(clock, time);
}

bool interval_clock_is_over(struct interval_clock *clock, nanoseconds now)
{
	if (clock->length == 0)
		return false;
	open_first(clock, now);
	if (now > clock->latest && now < clock->until)
		clock->latest = now;
	return now >= clock->until;
}

void interval_clock_next(struct interval_clock *clock, nanoseconds time)
{
	clock->first = false;
	open_at(clock, time);
}

size_t interval_clock_take(struct interval_clock *clock, const struct packet_batch *batch)
{
	size_t count = 0;
	if (clock->length == 0 || batch->count == 0)
		return batch->count;
	open_first(clock, batch->packets[0].time);
	nanoseconds until = clock->until, latest = clock->latest;
	for (; count < batch->count && batch->packets[count].time < until; count++)
		if (batch->packets[count].time > latest)
			latest = batch->packets[count].time;
	clock->latest = latest;
	return count;
}
