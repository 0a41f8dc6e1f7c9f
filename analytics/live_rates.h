// SPDX-License-Identifier: Apache-2.0
// How fast things go just now: what was counted within about the last ten seconds by the clock, and how long that
// took, so that who looks divides. Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_LIVE_RATES_H
#define MAILTAP_ANALYTICS_LIVE_RATES_H

#include "capture/packet.h"

#include <stdbool.h>

// What only ever grows.
struct live_rate_counts {
	uint64_t packets, bytes; // that were read
	uint64_t segments; // of mail
	uint64_t sessions, alerts;
	uint64_t lost; // packets and segments, before the tap or in it
};

enum { LIVE_RATE_SAMPLES_MAX = 11 };

// Zeroed memory is one without samples.
struct live_rates {
	struct live_rate_sample {
		int64_t time; // by the monotonic clock
		struct live_rate_counts counts;
	} samples[LIVE_RATE_SAMPLES_MAX],
	    latest; // a sample a second; the latest may be one of them
	unsigned next, count;
};

// Counted until now.
void live_rates_note(struct live_rates *rates, int64_t now, const struct live_rate_counts *counts);

// What came within `over`. False: not known, as nothing was told for long, or only once.
bool live_rates_now(const struct live_rates *rates, int64_t now, struct live_rate_counts *counts,
    nanoseconds *over);

#endif
