// SPDX-License-Identifier: Apache-2.0
#include "analytics/capture_times.h"

void capture_times_take(struct capture_times *times, nanoseconds from, nanoseconds until,
    const struct capture_accounting *interval)
{
	struct time_buckets *buckets = &times->buckets;
	if (until <= from)
		return;
	time_buckets_add_span(buckets, from, until, CAPTURE_TIME_COVERED);
	time_buckets_add(
	    buckets, from, CAPTURE_TIME_SEEN, capture_counter(interval, "packets_seen"));
	time_buckets_add(buckets, from, CAPTURE_TIME_LOST, capture_accounting_lost(interval));
}
