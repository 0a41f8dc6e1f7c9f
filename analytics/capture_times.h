// SPDX-License-Identifier: Apache-2.0
// When there was a capture, and what it lost then: from the intervals of statistics, so that a chart does not
// show as quiet what nobody looked at. Of several taps together: a span is covered where one of them captured.
// Bounded memory (time_buckets.h). Filled by the report, shown by the page. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_CAPTURE_TIMES_H
#define MAILTAP_ANALYTICS_CAPTURE_TIMES_H

#include "analytics/capture_accounting.h"
#include "analytics/time_buckets.h"

enum capture_time_counter {
	CAPTURE_TIME_COVERED, // nanoseconds of intervals with packets, those of several taps added up
	CAPTURE_TIME_SEEN, // packets
	CAPTURE_TIME_LOST, // packets that the capture says it lost, and segments left out under overload
};

// Zeroed memory is one without times.
struct capture_times {
	struct time_buckets buckets; // by enum capture_time_counter
};

// An interval of a run. The packets of one that spans several buckets count where it begins.
void capture_times_take(struct capture_times *times, nanoseconds from, nanoseconds until,
    const struct capture_accounting *interval);

#endif
