// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/chart_column.h"

#include "analytics/page/html.h"
#include "analytics/page/svg.h"
#include "analytics/proportion.h"

#include <inttypes.h>

enum {
	TEXT_BASE = 14, // pixels from the top of a row to the base of its label
	BAR_TOP = 20,
	BAR_HEIGHT = 12,
	BAR_ROOM = 64, // percent of the width; the rest is the numbers'
	PITCH = 42,
	NOTE_SIZE = 96,
};

static bool belongs(const struct page_rows *rows, size_t row, const struct column_chart *chart)
{
	return chart->where == NULL || page_cell_is(rows, row, chart->where, chart->is);
}

static void put_note(
    FILE *out, const struct page_rows *rows, size_t row, const struct column_chart *chart, double y)
{
	char note[NOTE_SIZE];
	uint64_t count = page_number(rows, row, chart->count);
	struct cell share = page_cell(rows, row, chart->share);
	if (share.known)
		snprintf(note, sizeof note, "%" PRIu64 " (%.1f %%)", count,
		    100 * proportion_of(share.part, share.of).value);
	else
		snprintf(note, sizeof note, "%" PRIu64, count);
	svg_string(out, 100, y, SVG_END, "note", note);
}

static void put_bar(FILE *out, const struct page_rows *rows, size_t row,
    const struct column_chart *chart, double top, uint64_t largest)
{
	struct cell label = page_cell(rows, row, chart->label);
	double width = BAR_ROOM * (double)page_number(rows, row, chart->count) / (double)largest;
	if (label.known)
		svg_text(out, 0, top + TEXT_BASE, SVG_START, "label", label.text);
	else
		svg_string(out, 0, top + TEXT_BASE, SVG_START, "label unseen-label", "not seen");
	put_note(out, rows, row, chart, top + BAR_TOP + BAR_HEIGHT - 2);
	svg_rectangle(out, 0, top + BAR_TOP, BAR_ROOM, BAR_HEIGHT, "trough", NULL);
	svg_rectangle(out, 0, top + BAR_TOP, width, BAR_HEIGHT,
	    label.known ? chart->fill(rows, row) : "fill-unseen", NULL);
}

void chart_column(FILE *out, const struct page_rows *rows, const struct column_chart *chart)
{
	uint64_t largest = 1;
	size_t all = 0, shown = 0;
	for (size_t row = 0; row < rows->count; row++) {
		if (!belongs(rows, row, chart))
			continue;
		uint64_t count = page_number(rows, row, chart->count);
		all++;
		largest = count > largest ? count : largest;
	}
	size_t most = all < chart->most ? all : chart->most;
	if (all == 0)
		return;
	fprintf(out, "<figure class=\"panel\"><figcaption>%s</figcaption>\n", chart->title);
	svg_begin(out, chart->id, (int)most * PITCH, chart->title, chart->description);
	for (size_t row = 0; row < rows->count && shown < most; row++)
		if (belongs(rows, row, chart))
			put_bar(out, rows, row, chart, (double)(shown++ * PITCH), largest);
	svg_end(out);
	if (all > most)
		fprintf(out, "<p class=\"left-out\">%zu more are in the table.</p>\n", all - most);
	fputs("</figure>\n", out);
}
