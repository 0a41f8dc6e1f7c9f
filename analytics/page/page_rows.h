// SPDX-License-Identifier: Apache-2.0
// The rows of a table, held while a section looks at them: its charts ask for cells by the key of their column.
// Used by the sections.
#ifndef MAILTAP_ANALYTICS_PAGE_PAGE_ROWS_H
#define MAILTAP_ANALYTICS_PAGE_PAGE_ROWS_H

#include "analytics/page/page.h"

struct page_rows {
	const struct table_ops *table; // NULL: there is no such table
	size_t count; // held
	size_t all; // that the table has
	struct cell *cells; // a row behind the other
	char **texts; // one for each row: what its cells point to
	bool failed; // no memory: rows are lacking
};

enum { PAGE_ROWS_MAX = 100000 }; // no table has more

// The first `most` rows (0: all) of the table of this name. To be released.
void page_rows_take(struct page_rows *rows, const struct page *page, const char *name, size_t most);
void page_rows_release(struct page_rows *rows);

// The cell of a row in the column with this key; not known where there is none.
struct cell page_cell(const struct page_rows *rows, size_t row, const char *key);

// A number that is not known counts as 0, as a text as "".
uint64_t page_number(const struct page_rows *rows, size_t row, const char *key);

// Whether the cell is this text.
bool page_cell_is(const struct page_rows *rows, size_t row, const char *key, const char *text);

#endif
