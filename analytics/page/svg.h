// SPDX-License-Identifier: Apache-2.0
// Charts as SVG inside the document: rectangles, lines and text. Horizontally in percent of the chart's width,
// vertically in pixels: a chart is as wide as there is room while its text keeps its size, on a telephone and
// in print. Colours are classes of page.css. Text is text, each chart says what it shows to those who cannot
// see it (role="img", title and desc), and each mark may have a title, which browsers show as a tooltip.
//
// Written here instead of taken from a library (Chart.js, D3): those draw when the page is opened, by some
// 200 KiB of script in each report, and without script show nothing; Chart.js' canvas has no text to select,
// nor lines that print sharply. What the page needs of them are rectangles.
#ifndef MAILTAP_ANALYTICS_PAGE_SVG_H
#define MAILTAP_ANALYTICS_PAGE_SVG_H

#include "capture/base/view.h"

#include <stdio.h>

enum svg_anchor {
	SVG_START,
	SVG_MIDDLE,
	SVG_END,
};

// A chart `height` pixels high. `id`: of this program, unique in the document; `title`, `description`: may hold
// anything.
void svg_begin(FILE *out, const char *id, int height, const char *title, const char *description);
void svg_end(FILE *out);

// `x`, `width` in percent, `y`, `height` in pixels; what is no number or lies outside is drawn at the edge.
// `class`: of this program. `tip`: a title, or NULL.
void svg_rectangle(
    FILE *out, double x, double y, double width, double height, const char *class, const char *tip);
void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *class);
// From one value to another, readable on any ground.
void svg_whisker(FILE *out, double from, double to, double y);
void svg_text(
    FILE *out, double x, double y, enum svg_anchor anchor, const char *class, struct view text);
void svg_string(
    FILE *out, double x, double y, enum svg_anchor anchor, const char *class, const char *text);

#endif
