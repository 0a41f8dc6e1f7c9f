// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/chart.h"

#include "analytics/page/html.h"
#include "analytics/page/svg.h"

#include <inttypes.h>

enum {
	TEXT_BASE = 14, // pixels from the top of a bar's line of text to its base
	BAR_TOP = 20,
	BAR_HEIGHT = 16,
	PITCH = 46, // from one bar to the next
};

static uint64_t sum_of(const uint64_t *counts, size_t count)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += counts[i];
	return sum;
}

void chart_legend(FILE *out, const struct chart_part *parts, size_t count, const uint64_t *counts)
{
	uint64_t all = counts != NULL ? sum_of(counts, count) : 0;
	fputs("<ul class=\"legend\">\n", out);
	for (size_t i = 0; i < count; i++) {
		fprintf(out,
		    "<li><svg class=\"swatch\" width=\"14\" height=\"14\" aria-hidden=\"true\">"
		    "<rect class=\"%s\" width=\"14\" height=\"14\" rx=\"2\"/></svg>%s",
		    parts[i].fill, parts[i].name);
		if (all > 0) {
			fputs(" <b>", out);
			html_number(out, counts[i]);
			fputs("</b> <span class=\"of\">", out);
			html_percent(out, counts[i], all);
			fputs("</span>", out);
		}
		fputs("</li>\n", out);
	}
	fputs("</ul>\n", out);
}

static void put_parts(FILE *out, const struct chart *chart, const struct chart_bar *bar, double top)
{
	uint64_t whole = bar->whole > 0 ? bar->whole : sum_of(bar->counts, chart->part_count);
	double at = 0;
	svg_rectangle(out, 0, top, 100, BAR_HEIGHT, "trough", NULL);
	for (size_t i = 0; i < chart->part_count && whole > 0; i++) {
		char tip[CHART_NOTE_SIZE];
		double width = 100 * (double)bar->counts[i] / (double)whole;
		if (bar->counts[i] == 0)
			continue;
		snprintf(tip, sizeof tip, "%s: %" PRIu64 " of %" PRIu64, chart->parts[i].name,
		    bar->counts[i], whole);
		svg_rectangle(out, at, top, width, BAR_HEIGHT, chart->parts[i].fill, tip);
		at += width;
	}
}

void chart_write_bars(FILE *out, const struct chart *chart)
{
	if (chart->bar_count == 0)
		return;
	svg_begin(out, chart->id, (int)chart->bar_count * PITCH, chart->title, chart->description);
	for (size_t i = 0; i < chart->bar_count; i++) {
		const struct chart_bar *bar = &chart->bars[i];
		double top = (double)(i * PITCH);
		if (bar->label.data != NULL)
			svg_text(out, 0, top + TEXT_BASE, SVG_START, "label", bar->label);
		else
			svg_string(
			    out, 0, top + TEXT_BASE, SVG_START, "label unseen-label", "not known");
		svg_string(out, 100, top + TEXT_BASE, SVG_END, "note", bar->note);
		put_parts(out, chart, bar, top + BAR_TOP);
	}
	svg_end(out);
}

void chart_write(FILE *out, const struct chart *chart)
{
	if (chart->bar_count > 0 && chart->part_count > 1)
		chart_legend(out, chart->parts, chart->part_count, NULL);
	chart_write_bars(out, chart);
}
