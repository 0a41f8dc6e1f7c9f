// SPDX-License-Identifier: Apache-2.0
#include "analytics/plain_text.h"
#include "analytics/proportion.h"
#include "analytics/render.h"

#include <inttypes.h>
#include <string.h>

enum {
	LINE_WIDTH = 100, // characters, if cutting notes is enough for it
	CELL_WIDTH = 40, // of a text; the rest of it is cut
	NOTE_WIDTH = 12, // of a note that is cut for the line's sake
};

struct text_sink {
	struct row_sink sink;
	const struct table_ops *table;
	FILE *out; // NULL: only measures
	size_t widths[COLUMNS_MAX];
	size_t rows, most; // so far; to print, 0: all
};

struct view harmless_text(char room[HARMLESS_ROOM], struct view text)
{
	(void)plain_text(room, HARMLESS_COLUMNS, text.data, text.length);
	return view_of((const uint8_t *)room, strlen(room));
}

// The characters of UTF-8.
static size_t characters(struct view text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.length; i++)
		count += (text.data[i] & 0xc0) != 0x80;
	return count;
}

// The bytes of its first characters.
static size_t bytes_of(struct view text, size_t most)
{
	size_t at = 0;
	for (size_t count = 0; at < text.length; at++) {
		count += (text.data[at] & 0xc0) != 0x80;
		if (count > most)
			break;
	}
	return at;
}

static bool is_text(enum column_kind kind)
{
	return kind == COLUMN_TEXT || kind == COLUMN_NOTE;
}

// The cell as text, in `room`.
static struct view cell_view(
    const struct column *column, const struct cell *cell, char room[HARMLESS_ROOM])
{
	if (!cell->known)
		return view_of((const uint8_t *)"-", 1);
	if (is_text(column->kind))
		return harmless_text(room, cell->text);
	int length = column->kind == COLUMN_SHARE
	                 ? snprintf(room, HARMLESS_ROOM, "%5.1f %% of %" PRIu64,
	                       100 * proportion_of(cell->part, cell->of).value, cell->of)
	                 : snprintf(room, HARMLESS_ROOM, "%" PRIu64, cell->number);
	return view_of((const uint8_t *)room, (size_t)length);
}

// The column behind which nothing is printed.
static bool is_last(const struct table_ops *table, size_t at)
{
	for (size_t i = at + 1; i < table->column_count; i++)
		if (table->columns[i].title != NULL)
			return false;
	return true;
}

static void print_cell(const struct text_sink *text, size_t at, struct view view, bool left)
{
	size_t room = text->widths[at], width = characters(view);
	bool cut = width > room;
	int padding = cut ? 0 : (int)(room - width);
	int length = (int)(cut ? bytes_of(view, room - 1) : view.length);
	fprintf(text->out, "  %*s%.*s%s%*s", left ? 0 : padding, "", length,
	    (const char *)view.data, cut ? "…" : "",
	    left && !is_last(text->table, at) ? padding : 0, "");
}

static void put_cell(struct text_sink *text, size_t at, struct view view)
{
	enum column_kind kind = text->table->columns[at].kind;
	size_t width = characters(view);
	if (width > CELL_WIDTH)
		width = CELL_WIDTH;
	if (text->out != NULL)
		print_cell(text, at, view, is_text(kind) || kind == COLUMN_SHARE);
	else if (width > text->widths[at])
		text->widths[at] = width;
}

// Takes from notes what the line is too long.
static void fit(struct text_sink *text)
{
	const struct table_ops *table = text->table;
	size_t line = 0;
	for (size_t i = 0; i < table->column_count; i++)
		line += table->columns[i].title != NULL ? text->widths[i] + 2 : 0;
	for (size_t i = 0; i < table->column_count && line > LINE_WIDTH; i++) {
		size_t *width = &text->widths[i], over = line - LINE_WIDTH;
		if (table->columns[i].kind != COLUMN_NOTE || *width <= NOTE_WIDTH)
			continue;
		size_t taken = over < *width - NOTE_WIDTH ? over : *width - NOTE_WIDTH;
		*width -= taken;
		line -= taken;
	}
}

static void text_row(struct row_sink *sink, const struct cell *cells)
{
	struct text_sink *text = (struct text_sink *)sink;
	text->rows++;
	if (text->most > 0 && text->rows > text->most)
		return;
	for (size_t i = 0; i < text->table->column_count; i++) {
		const struct column *column = &text->table->columns[i];
		char room[HARMLESS_ROOM];
		if (column->title != NULL)
			put_cell(text, i, cell_view(column, &cells[i], room));
	}
	if (text->out != NULL)
		fputc('\n', text->out);
}

static void put_titles(struct text_sink *text)
{
	for (size_t i = 0; i < text->table->column_count; i++) {
		const struct column *column = &text->table->columns[i];
		if (column->title != NULL)
			put_cell(text, i,
			    view_of((const uint8_t *)column->title, strlen(column->title)));
	}
	if (text->out != NULL)
		fputc('\n', text->out);
}

void render_text(FILE *out, const struct table_ops *table, const void *accumulator, size_t rows)
{
	struct text_sink text = {.sink = {text_row}, .table = table};
	text.most = (table->use & TABLE_MANY) != 0 ? rows : 0;
	put_titles(&text);
	table->rows(accumulator, &text.sink);
	size_t all = text.rows;
	if (all == 0 && (table->use & TABLE_WHERE_ANY) != 0)
		return;
	fprintf(out, "\n%s\n  of:        %s\n  not seen:  %s\n", table->title, table->denominator,
	    table->unseen);
	fit(&text);
	text.out = out;
	text.rows = 0;
	if (all > 0) {
		put_titles(&text);
		table->rows(accumulator, &text.sink);
	} else {
		fputs("  none\n", out);
	}
	if (text.most > 0 && all > text.most)
		fprintf(out, "  … and %zu more: see --all, --csv or --json\n", all - text.most);
}
