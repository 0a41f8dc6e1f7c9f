// SPDX-License-Identifier: Apache-2.0
// Intervals of packet time, one after the other: which one is open, and where in a batch of packets it
// ends. An interval begins at a multiple of its length, so that those of several taps are the same. Time
// that goes back stays in the open interval; a leap leaves out the intervals without a packet. Owned by
// the thread that reads the packets.
#ifndef MAILTAP_ANALYTICS_INTERVAL_CLOCK_H
#define MAILTAP_ANALYTICS_INTERVAL_CLOCK_H

#include "capture/packet.h"

#include <stdbool.h>

struct interval_clock {
	nanoseconds length; // 0: there are no intervals
	nanoseconds from, until; // the open interval, `until` not included
	nanoseconds latest; // packet so far, or time without one
	bool open; // there was a packet, or time without one
	bool first; // the open interval is the first one: it may have begun before
};

// How many packets at the front of the batch belong to the open interval, which the first packet of all
// opens. Fewer than there are: the interval is over (close it, interval_clock_next, ask again).
size_t interval_clock_take(struct interval_clock *clock, const struct packet_batch *batch);

// True: at this time, at which no packet came, the open interval is over. Opens the first one.
bool interval_clock_is_over(struct interval_clock *clock, nanoseconds now);

// Opens the interval in which this time is.
void interval_clock_next(struct interval_clock *clock, nanoseconds time);

#endif
