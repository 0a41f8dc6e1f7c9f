// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/svg.h"

#include "analytics/page/html.h"

#include <math.h>
#include <string.h>

enum { PIXELS_MAX = 10000 };

static double within(double value, double most)
{
	return isnan(value) || value < 0 ? 0 : value > most ? most : value;
}

// At most three digits behind the point, and none that say nothing.
static void put_number(FILE *out, const char *name, double value, const char *unit)
{
	char text[32];
	int length = snprintf(text, sizeof text, "%.3f", value);
	while (length > 0 && text[length - 1] == '0')
		length--;
	length -= length > 0 && text[length - 1] == '.';
	fprintf(out, " %s=\"%.*s%s\"", name, length, text, unit);
}

static void put_x(FILE *out, const char *name, double value)
{
	put_number(out, name, within(value, 100), "%");
}

static void put_y(FILE *out, const char *name, double value)
{
	put_number(out, name, within(value, PIXELS_MAX), "");
}

void svg_begin(FILE *out, const char *id, int height, const char *title, const char *description)
{
	fprintf(out,
	    "<svg class=\"chart\" id=\"%s\" width=\"100%%\" height=\"%d\" role=\"img\" "
	    "aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">",
	    id, height, id, id, id);
	html_string(out, title);
	fprintf(out, "</title><desc id=\"%s-desc\">", id);
	html_string(out, description);
	fputs("</desc>\n", out);
}

void svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void svg_rectangle(
    FILE *out, double x, double y, double width, double height, const char *class, const char *tip)
{
	x = within(x, 100);
	fprintf(out, "<rect class=\"%s\"", class);
	put_x(out, "x", x);
	put_y(out, "y", y);
	put_x(out, "width", within(width, 100 - x));
	put_y(out, "height", height);
	if (tip == NULL) {
		fputs("/>\n", out);
		return;
	}
	fputs("><title>", out);
	html_string(out, tip);
	fputs("</title></rect>\n", out);
}

void svg_line(FILE *out, double x1, double y1, double x2, double y2, const char *class)
{
	fprintf(out, "<line class=\"%s\"", class);
	put_x(out, "x1", x1);
	put_y(out, "y1", y1);
	put_x(out, "x2", x2);
	put_y(out, "y2", y2);
	fputs("/>\n", out);
}

void svg_whisker(FILE *out, double from, double to, double y)
{
	svg_line(out, from, y, to, y, "whisker-ground");
	svg_line(out, from, y, to, y, "whisker");
}

void svg_text(
    FILE *out, double x, double y, enum svg_anchor anchor, const char *class, struct view text)
{
	static const char *const anchors[] = {
	    [SVG_START] = "start", [SVG_MIDDLE] = "middle", [SVG_END] = "end"};
	fprintf(out, "<text class=\"%s\" text-anchor=\"%s\"", class, anchors[anchor]);
	put_x(out, "x", x);
	put_y(out, "y", y);
	fputc('>', out);
	html_text(out, text);
	fputs("</text>\n", out);
}

void svg_string(
    FILE *out, double x, double y, enum svg_anchor anchor, const char *class, const char *text)
{
	svg_text(out, x, y, anchor, class, view_of((const uint8_t *)text, strlen(text)));
}
