// SPDX-License-Identifier: Apache-2.0
// When a packet was received, of what its driver says: a stamp in microseconds since 1970, a count of the
// device's own clock, or nothing. The device's clock is compared with the system's now and then (dpdk/port.c
// reads both), and so follows its steps. One for each queue of a lane: used by one thread.
#ifndef MAILTAP_CAPTURE_DPDK_CLOCK_H
#define MAILTAP_CAPTURE_DPDK_CLOCK_H

#include "capture/packet.h"

#include <stdbool.h>

enum dpdk_clock_kind {
	DPDK_CLOCK_SYSTEM, // no stamps: the time at which the packet was fetched
	DPDK_CLOCK_MICROSECONDS, // stamps since 1970-01-01 UTC
	DPDK_CLOCK_DEVICE, // stamps count something, from some time on
};

// Both clocks at one moment.
struct dpdk_clock_reading {
	uint64_t ticks;
	nanoseconds system;
};

struct dpdk_clock {
	enum dpdk_clock_kind kind;
	struct dpdk_clock_reading first, latest; // of the device's clock
	double nanoseconds_a_tick; // 0: not known yet, the time of fetching is taken
};

// Compares the device's clock with the system's anew.
void dpdk_clock_compare(struct dpdk_clock *clock, const struct dpdk_clock_reading *reading);

// The time of a packet with this stamp, fetched at `now`. A stamp that cannot be (over a minute away from
// `now` by the device's clock) counts as none.
nanoseconds dpdk_clock_time(const struct dpdk_clock *clock, uint64_t stamp, nanoseconds now);

#endif
