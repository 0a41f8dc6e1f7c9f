// SPDX-License-Identifier: Apache-2.0
// What the captures of several runs say of themselves, added up from the lines of their statistics: of a run
// that has ended its last line, of one that goes on, or was killed, the intervals that it wrote. Used by the
// report.
#ifndef MAILTAP_ANALYTICS_CAPTURE_SUM_H
#define MAILTAP_ANALYTICS_CAPTURE_SUM_H

#include "analytics/capture_times.h"

// Zeroed memory is one without runs.
struct capture_sum {
	struct capture_accounting accounting;
	uint64_t runs; // in all
	uint64_t without_end; // of them known by their intervals alone
	struct capture_line
	    open; // the run whose lines are being read, and the sum of its intervals
	bool is_open;
	struct capture_times times; // of the intervals
};

// Takes a line; those of one run come together.
void capture_sum_take(struct capture_sum *sum, const char *line, size_t length);

// No more lines come of the run that was read last.
void capture_sum_settle(struct capture_sum *sum);

#endif
