// SPDX-License-Identifier: Apache-2.0
// Any table of the statistics as an HTML table, under what it counts over and what a tap cannot see of it.
// Used by the sections.
#ifndef MAILTAP_ANALYTICS_PAGE_PAGE_TABLE_H
#define MAILTAP_ANALYTICS_PAGE_PAGE_TABLE_H

#include "analytics/page/page.h"

// The table of this name; nothing where there is none, or where it has no row and says that it is then to be
// left out. Of those with a row for each of many the first page->rows; what is left out is said.
void page_write_table(const struct page *page, const char *name, FILE *out);

// The lines on what it counts over and what was not seen alone, for a chart of this table.
void page_write_caveats(const struct table_ops *table, FILE *out);

#endif
