// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/page_rows.h"

#include <stdlib.h>
#include <string.h>

struct taking {
	struct row_sink sink;
	struct page_rows *rows;
	size_t most, room; // rows wanted; rows that there is memory for
};

static bool is_text(enum column_kind kind)
{
	return kind == COLUMN_TEXT || kind == COLUMN_NOTE;
}

static bool grow(struct taking *taking)
{
	struct page_rows *rows = taking->rows;
	if (rows->count < taking->room)
		return true;
	size_t room = taking->room > 0 ? 2 * taking->room : 64;
	struct cell *cells =
	    reallocarray(rows->cells, room * rows->table->column_count, sizeof *cells);
	if (cells != NULL)
		rows->cells = cells;
	char **texts = reallocarray(rows->texts, room, sizeof *texts);
	if (texts != NULL)
		rows->texts = texts;
	if (cells == NULL || texts == NULL)
		return false;
	taking->room = room;
	return true;
}

// The cells' texts go behind one another into one piece of memory.
static bool keep(struct page_rows *rows, const struct cell *cells)
{
	size_t columns = rows->table->column_count, length = 1;
	for (size_t i = 0; i < columns; i++)
		if (cells[i].known && is_text(rows->table->columns[i].kind))
			length += cells[i].text.length;
	char *text = malloc(length);
	if (text == NULL)
		return false;
	rows->texts[rows->count] = text;
	for (size_t i = 0; i < columns; i++) {
		struct cell *cell = &rows->cells[rows->count * columns + i];
		*cell = cells[i];
		if (!cells[i].known || !is_text(rows->table->columns[i].kind))
			continue;
		memcpy(text, cells[i].text.data, cells[i].text.length);
		cell->text = view_of((const uint8_t *)text, cells[i].text.length);
		text += cells[i].text.length;
	}
	rows->count++;
	return true;
}

static void take_row(struct row_sink *sink, const struct cell *cells)
{
	struct taking *taking = (struct taking *)sink;
	struct page_rows *rows = taking->rows;
	rows->all++;
	if (rows->failed || rows->count >= taking->most)
		return;
	rows->failed = !grow(taking) || !keep(rows, cells);
}

void page_rows_take(struct page_rows *rows, const struct page *page, const char *name, size_t most)
{
	struct taking taking = {
	    .sink = {take_row}, .rows = rows, .most = most > 0 ? most : PAGE_ROWS_MAX};
	*rows = (struct page_rows){0};
	for (size_t i = 0; i < page->table_count; i++) {
		const struct page_table *table = &page->tables[i];
		if (strcmp(table->ops->name, name) != 0)
			continue;
		rows->table = table->ops;
		table->ops->rows(table->accumulator, &taking.sink);
		return;
	}
}

void page_rows_release(struct page_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->texts[i]);
	free(rows->texts);
	free(rows->cells);
	*rows = (struct page_rows){0};
}

struct cell page_cell(const struct page_rows *rows, size_t row, const char *key)
{
	size_t columns = rows->table != NULL ? rows->table->column_count : 0;
	for (size_t i = 0; i < columns && row < rows->count; i++)
		if (strcmp(rows->table->columns[i].key, key) == 0)
			return rows->cells[row * columns + i];
	return cell_null();
}

uint64_t page_number(const struct page_rows *rows, size_t row, const char *key)
{
	struct cell cell = page_cell(rows, row, key);
	return cell.known ? cell.number : 0;
}

bool page_cell_is(const struct page_rows *rows, size_t row, const char *key, const char *text)
{
	struct cell cell = page_cell(rows, row, key);
	return cell.known && cell.text.length == strlen(text) &&
	       memcmp(cell.text.data, text, cell.text.length) == 0;
}
