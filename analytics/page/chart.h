// SPDX-License-Identifier: Apache-2.0
// Bars with what they are of: each a line of text, and below it a bar of parts. Used by the sections.
#ifndef MAILTAP_ANALYTICS_PAGE_CHART_H
#define MAILTAP_ANALYTICS_PAGE_CHART_H

#include "capture/base/view.h"

#include <stdio.h>

enum { CHART_PARTS_MAX = 8, CHART_NOTE_SIZE = 96 }; // a note may be of html_share_text

// A kind of part: how it is filled and what it is called, in the legend, too.
struct chart_part {
	const char *fill; // a class of page.css, "fill-…"
	const char *name;
};

struct chart_bar {
	struct view label; // may come from the wire
	char note[CHART_NOTE_SIZE]; // at the other end of its line; may be empty
	uint64_t counts[CHART_PARTS_MAX]; // of each part
	uint64_t whole; // what the bar's whole width stands for; 0: the sum of its parts
};

struct chart {
	const char *id, *title, *description;
	const struct chart_part *parts;
	size_t part_count;
	const struct chart_bar *bars;
	size_t bar_count;
};

// With a legend above where there are several parts. Nothing where there is no bar.
void chart_write(FILE *out, const struct chart *chart);

// Without the legend.
void chart_write_bars(FILE *out, const struct chart *chart);

// The legend alone. `counts`: how many of each, with their share of all; NULL: without.
void chart_legend(FILE *out, const struct chart_part *parts, size_t count, const uint64_t *counts);

#endif
