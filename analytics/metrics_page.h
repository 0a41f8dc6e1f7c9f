// SPDX-License-Identifier: Apache-2.0
// The page of metrics, OpenMetrics 1.0: the build, what the capture says of itself, how the run goes, and the
// tables of the statistics. A file for node_exporter and what is scraped are the same page. Each metric is
// described in configs/prometheus/README.md.
#ifndef MAILTAP_ANALYTICS_METRICS_PAGE_H
#define MAILTAP_ANALYTICS_METRICS_PAGE_H

#include "analytics/capture_accounting.h"
#include "analytics/statistics.h"

#include <stdio.h>

struct metrics_page {
	const struct capture_accounting *capture; // NULL: not known
	const struct run_accounting *run; // NULL: it is not of one run
	const struct statistics *statistics;
};

void metrics_page_write(const struct metrics_page *page, FILE *out);

// As a file that is replaced as a whole. False: *error.
bool metrics_page_save(const struct metrics_page *page, const char *path, struct error *error);

// The families that tell of a run (a part of the page).
void metrics_of_run_write(const struct run_accounting *run, FILE *out);

#endif
