// SPDX-License-Identifier: Apache-2.0
// The span of time around a moment in which something that was found out stays true: it shrinks with each
// moment at which it might change. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_TIME_SPAN_H
#define MAILTAP_ANALYTICS_TIME_SPAN_H

#include <stdbool.h>
#include <stdint.h>

struct time_span {
	int64_t from, until; // seconds since 1970, both included
};

#define TIME_SPAN_ALL ((struct time_span){INT64_MIN, INT64_MAX})

static inline bool time_span_has(const struct time_span *span, int64_t at)
{
	return at >= span->from && at <= span->until;
}

// Things are different from `change` on: cuts away the side on which `at` is not.
static inline void time_span_cut(struct time_span *span, int64_t at, int64_t change)
{
	if (change <= at) {
		if (change > span->from)
			span->from = change;
	} else if (change - 1 < span->until) {
		span->until = change - 1;
	}
}

#endif
