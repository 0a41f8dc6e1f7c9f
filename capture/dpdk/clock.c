// SPDX-License-Identifier: Apache-2.0
#include "capture/dpdk/clock.h"

// A rate is known from two readings at least that far apart; the farther, the better, but a system's clock
// that was set must not be averaged over for long.
#define RATE_OVER_LEAST (SECONDS(1) / 20)
#define RATE_OVER_MOST SECONDS(64)
#define BELIEVABLE SECONDS(60)
#define DRIFT_MOST 0.001 // of two clocks: what is more is one that was set

void dpdk_clock_compare(struct dpdk_clock *clock, const struct dpdk_clock_reading *reading)
{
	nanoseconds apart = reading->system - clock->first.system;
	if (clock->first.system == 0 || apart < 0 || reading->ticks <= clock->first.ticks) {
		clock->first = clock->latest = *reading;
		return;
	}
	if (apart < RATE_OVER_LEAST)
		return;
	double rate = (double)apart / (double)(reading->ticks - clock->first.ticks);
	double known = clock->nanoseconds_a_tick;
	bool was_set =
	    known > 0 && (rate > known * (1 + DRIFT_MOST) || rate < known * (1 - DRIFT_MOST));
	if (!was_set)
		clock->nanoseconds_a_tick = rate;
	if (was_set || apart > RATE_OVER_MOST)
		clock->first = *reading;
	clock->latest = *reading;
}

static nanoseconds device_time(const struct dpdk_clock *clock, uint64_t stamp, nanoseconds now)
{
	if (clock->nanoseconds_a_tick <= 0)
		return now;
	double since = (double)(int64_t)(stamp - clock->latest.ticks) * clock->nanoseconds_a_tick;
	double late = (double)(now - clock->latest.system);
	if (since - late > (double)BELIEVABLE || late - since > (double)BELIEVABLE)
		return now;
	return clock->latest.system + (nanoseconds)since;
}

nanoseconds dpdk_clock_time(const struct dpdk_clock *clock, uint64_t stamp, nanoseconds now)
{
	switch (clock->kind) {
	case DPDK_CLOCK_MICROSECONDS:
		return stamp > (uint64_t)PACKET_TIME_MAX / 1000 ? PACKET_TIME_MAX
		                                                : (nanoseconds)stamp * 1000;
	case DPDK_CLOCK_DEVICE:
		return device_time(clock, stamp, now);
	case DPDK_CLOCK_SYSTEM:
	default:
		return now;
	}
}
