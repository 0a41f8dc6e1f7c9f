// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/chart_column.h"

#include "analytics/page/html.h"
#include "analytics/page/svg.h"
#include "analytics/proportion.h"

#include <inttypes.h>
#include <string.h>

enum {
	TEXT_BASE = 14, // pixels from the top of a line of text to its base
	LINE = 18, // a line of text
	BAR_HEIGHT = 12,
	GAP = 12, // below a bar
	TOGETHER = 40, // characters that stand in one line on a telephone, too
};

struct drawing {
	FILE *out;
	const struct page_rows *rows;
	const struct column_chart *chart;
	uint64_t whole; // what the width stands for
};

static bool belongs(const struct drawing *drawing, size_t row)
{
	const struct column_chart *chart = drawing->chart;
	return chart->where == NULL || page_cell_is(drawing->rows, row, chart->where, chart->is);
}

static void make_note(const struct drawing *drawing, size_t row, char note[HTML_SHARE_SIZE])
{
	struct cell share = page_cell(drawing->rows, row, drawing->chart->share);
	if (share.known)
		html_share_text(note, share.part, share.of);
	else
		snprintf(note, HTML_SHARE_SIZE, "%" PRIu64,
		    page_number(drawing->rows, row, drawing->chart->count));
}

// Above its bar: the label, and the note beside it or, where it has no room there, below it.
static int text_height(const struct drawing *drawing, size_t row, const char *note)
{
	struct cell label = page_cell(drawing->rows, row, drawing->chart->label);
	bool together = !label.known || label.text.length + strlen(note) <= TOGETHER;
	return together ? LINE : 2 * LINE;
}

static int row_height(const struct drawing *drawing, size_t row)
{
	char note[HTML_SHARE_SIZE];
	make_note(drawing, row, note);
	return text_height(drawing, row, note) + BAR_HEIGHT + GAP;
}

// As long as its share of what it counts over, with the interval in which that lies. What is in no share is drawn to the
// same scale and has nothing behind it.
static void put_bar(const struct drawing *drawing, size_t row, double top, const char *fill)
{
	FILE *out = drawing->out;
	struct cell share = page_cell(drawing->rows, row, drawing->chart->share);
	double unit = 100 / (double)drawing->whole;
	double count = (double)page_number(drawing->rows, row, drawing->chart->count);
	if (share.known)
		svg_rectangle(out, 0, top, unit * (double)share.of, BAR_HEIGHT, "trough", NULL);
	svg_rectangle(out, 0, top, unit * count, BAR_HEIGHT, fill, NULL);
	if (!share.known)
		return;
	struct proportion between = proportion_of(share.part, share.of);
	double of = unit * (double)share.of;
	svg_whisker(out, of * between.low, of * between.high, top + BAR_HEIGHT / 2.0);
}

static void put_row(const struct drawing *drawing, size_t row, double top)
{
	char note[HTML_SHARE_SIZE];
	FILE *out = drawing->out;
	struct cell label = page_cell(drawing->rows, row, drawing->chart->label);
	make_note(drawing, row, note);
	double bar = top + text_height(drawing, row, note);
	if (label.known)
		svg_text(out, 0, top + TEXT_BASE, SVG_START, "label", label.text);
	else
		svg_string(out, 0, top + TEXT_BASE, SVG_START, "label unseen-label", "not seen");
	svg_string(out, 100, bar - LINE + TEXT_BASE, SVG_END, "note", note);
	put_bar(drawing, row, bar + 2,
	    label.known ? drawing->chart->fill(drawing->rows, row) : "fill-unseen");
}

// Of the rows that are drawn, `height` pixels; how many rows there are. Sets what the width stands for.
static size_t measure(struct drawing *drawing, size_t *shown, int *height)
{
	size_t all = 0;
	drawing->whole = 1;
	*shown = 0;
	*height = 0;
	for (size_t row = 0; row < drawing->rows->count; row++) {
		if (!belongs(drawing, row) || ++all > drawing->chart->most)
			continue;
		struct cell share = page_cell(drawing->rows, row, drawing->chart->share);
		uint64_t count = page_number(drawing->rows, row, drawing->chart->count);
		uint64_t width = share.known && share.of > count ? share.of : count;
		drawing->whole = width > drawing->whole ? width : drawing->whole;
		*height += row_height(drawing, row);
		*shown = all;
	}
	return all;
}

void chart_column(FILE *out, const struct page_rows *rows, const struct column_chart *chart)
{
	struct drawing drawing = {out, rows, chart, 1};
	size_t shown;
	int height;
	size_t all = measure(&drawing, &shown, &height);
	if (all == 0)
		return;
	fprintf(out, "<figure class=\"panel\"><figcaption>%s</figcaption>\n", chart->title);
	svg_begin(out, chart->id, height, chart->title, chart->description);
	double top = 0;
	for (size_t row = 0, drawn = 0; row < rows->count && drawn < shown; row++) {
		if (!belongs(&drawing, row))
			continue;
		put_row(&drawing, row, top);
		top += row_height(&drawing, row);
		drawn++;
	}
	svg_end(out);
	if (all > shown)
		fprintf(out, "<p class=\"left-out\">%zu more are in the table.</p>\n", all - shown);
	fputs("</figure>\n", out);
}
