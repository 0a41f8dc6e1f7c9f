// SPDX-License-Identifier: Apache-2.0
// Ticks of a capture interface's clock to nanoseconds, without a division per packet: one
// multiplication and a shift. Made once per interface by container_pcapng.c.
#ifndef MAILTAP_CAPTURE_TIME_SCALE_H
#define MAILTAP_CAPTURE_TIME_SCALE_H

#include "capture/packet.h"

__extension__ typedef unsigned __int128 time_product;

struct time_scale {
	uint64_t multiplier;
	uint8_t shift_before; // of the ticks, to make room for an exact multiplier
	uint8_t shift_after; // of the product
	nanoseconds offset; // of tick 0
};

// `resolution` as in pcapng's if_tsresol: 10 to the minus that many seconds a tick, or 2 to the
// minus that many if the highest bit is set. `offset_seconds` as in if_tsoffset.
static inline struct time_scale time_scale_of(uint8_t resolution, int64_t offset_seconds)
{
	const int64_t offset_limit = INT64_MAX / SECONDS(1);
	int64_t seconds = offset_seconds > offset_limit    ? offset_limit
	                  : offset_seconds < -offset_limit ? -offset_limit
	                                                   : offset_seconds;
	struct time_scale scale = {.multiplier = 1, .offset = SECONDS(seconds)};
	uint8_t exponent = resolution & 0x7f;
	if ((resolution & 0x80) != 0) {
		scale.multiplier = 1000000000;
		scale.shift_after = exponent;
		return scale;
	}
	for (; exponent < 9; exponent++)
		scale.multiplier *= 10;
	if (exponent == 9)
		return scale;
	if (exponent > 28) { // the longest time such a clock can count is no nanosecond
		scale.multiplier = 0;
		return scale;
	}
	// Finer than nanoseconds: ticks / 10^k = (ticks / 2) / half, and with 63 bits left of the
	// ticks a multiplier of 64 bits gives exactly that quotient.
	uint64_t half = 5;
	for (; exponent > 10; exponent--)
		half *= 10;
	uint8_t bits = 0;
	while ((time_product)1 << bits < half)
		bits++;
	scale.shift_before = 1;
	scale.shift_after = (uint8_t)(63 + bits);
	scale.multiplier = (uint64_t)((((time_product)1 << scale.shift_after) + half - 1) / half);
	return scale;
}

// The time of a tick, kept within what a packet's time may be.
static inline nanoseconds time_scale_apply(const struct time_scale *scale, uint64_t ticks)
{
	time_product product =
	    (time_product)(ticks >> scale->shift_before) * scale->multiplier >> scale->shift_after;
	nanoseconds time = product > (time_product)INT64_MAX ? INT64_MAX : (nanoseconds)product;
	if (__builtin_add_overflow(time, scale->offset, &time))
		return scale->offset < 0 ? 0 : PACKET_TIME_MAX;
	return time < 0 ? 0 : time > PACKET_TIME_MAX ? PACKET_TIME_MAX : time;
}

#endif
