// SPDX-License-Identifier: Apache-2.0
// A bar for each row of a table: its share of what it counts over, with the interval of that. Used by the sections.
#ifndef MAILTAP_ANALYTICS_PAGE_CHART_COLUMN_H
#define MAILTAP_ANALYTICS_PAGE_CHART_COLUMN_H

#include "analytics/page/page_rows.h"

struct column_chart {
	const char *id, *title, *description;
	const char *label, *count, *share; // columns; the share is of the count
	const char *where, *is; // only rows whose cell is this; or NULL
	const char *(*fill)(const struct page_rows *rows, size_t row); // the class of its bar
	size_t most; // bars
};

// As a panel. Nothing where no row belongs into it.
void chart_column(FILE *out, const struct page_rows *rows, const struct column_chart *chart);

#endif
