// SPDX-License-Identifier: Apache-2.0
#include "analytics/capture_sum.h"

#include <string.h>

void capture_sum_settle(struct capture_sum *sum)
{
	if (!sum->is_open)
		return;
	capture_accounting_add(&sum->accounting, &sum->open.accounting);
	sum->runs++;
	sum->without_end += !sum->open.whole;
	sum->is_open = false;
}

// The line of a whole run says all that its intervals did. Runs without a name are not told apart: of those
// their last lines count.
void capture_sum_take(struct capture_sum *sum, const char *line, size_t length)
{
	struct capture_line capture;
	if (!capture_accounting_read(&capture, line, length))
		return;
	bool same = sum->is_open && capture.run[0] != '\0' && !sum->open.whole &&
	            strcmp(capture.run, sum->open.run) == 0;
	if (!capture.whole && capture.timed)
		capture_times_take(&sum->times, capture.start, capture.end, &capture.accounting);
	if (!capture.whole && capture.run[0] == '\0')
		return;
	if (same && !capture.whole) {
		capture_accounting_add(&sum->open.accounting, &capture.accounting);
		return;
	}
	if (!same)
		capture_sum_settle(sum);
	sum->open = capture;
	sum->is_open = true;
}
