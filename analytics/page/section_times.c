// SPDX-License-Identifier: Apache-2.0
// Sessions over time, by verdict, and the share that is encrypted; below them when there was a capture.
#include "analytics/capture_times.h"
#include "analytics/page/chart.h"
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"
#include "analytics/page/svg.h"
#include "analytics/proportion.h"
#include "analytics/time_text.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum {
	TOP = 14, // of the bars, in pixels
	HEIGHT = 170,
	STRIP_HEIGHT = 12,
	AXIS = 24, // for the times below
	TICKS = 6,
	EDGE = 8, // percent: a time closer to an end stands beside its tick, not below it
};

static const struct chart_part parts[] = {
    {"fill-encrypted", "encrypted"},
    {"fill-cleartext", "cleartext"},
    {"fill-stripped", "stripped"},
    {"fill-failed", "tls_failed"},
    {"fill-none", "no_mail"},
    {"fill-other", "not_mail"},
    {"fill-unseen", "partial"},
};

enum { PARTS = sizeof parts / sizeof parts[0] };

// What the horizontal axis spans.
struct axis {
	nanoseconds from, until;
};

static double place(const struct axis *axis, nanoseconds time)
{
	return 100 * (double)(time - axis->from) / (double)(axis->until - axis->from);
}

static void reach(struct axis *axis, nanoseconds from, nanoseconds until)
{
	axis->from = axis->until == 0 || from < axis->from ? from : axis->from;
	axis->until = until > axis->until ? until : axis->until;
}

// Where the span of a row begins, and its width. False: it is none.
static bool span_of(const struct page_rows *rows, size_t row, nanoseconds *from, nanoseconds *width)
{
	char text[40];
	struct view start = page_cell(rows, row, "start").text;
	if (start.data == NULL || start.length >= sizeof text)
		return false;
	memcpy(text, start.data, start.length);
	text[start.length] = '\0';
	*width = SECONDS(page_number(rows, row, "seconds"));
	return time_text_read(text, from) && *width > 0;
}

static struct axis axis_of(const struct page *page, const struct page_rows *rows)
{
	struct axis axis = {0};
	nanoseconds from, width;
	for (size_t row = 0; row < rows->count; row++)
		if (span_of(rows, row, &from, &width))
			reach(&axis, from, from + width);
	if (page->capture_times != NULL) {
		const struct time_buckets *buckets = &page->capture_times->buckets;
		reach(&axis, time_buckets_start(buckets, 0),
		    time_buckets_start(buckets, buckets->count));
	}
	return axis;
}

// The least step that leaves at most so many ticks; each at a multiple of it (UTC).
static nanoseconds tick_step(nanoseconds length)
{
	static const int64_t steps[] = {60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600,
	    86400, 2 * 86400, 7 * 86400, 14 * 86400, 30 * 86400, 90 * 86400, 365 * 86400};
	enum { STEPS = sizeof steps / sizeof steps[0] };
	size_t step = 0;
	while (step < STEPS - 1 && length / SECONDS(steps[step]) >= TICKS)
		step++;
	nanoseconds width = SECONDS(steps[step]);
	while (length / width >= TICKS)
		width *= 2;
	return width;
}

static void put_tick(FILE *out, const struct axis *axis, nanoseconds at, bool days, bool minor)
{
	time_t seconds = (time_t)(at / SECONDS(1));
	struct tm parts_of_time;
	char text[32];
	double x = place(axis, at);
	if (gmtime_r(&seconds, &parts_of_time) == NULL ||
	    strftime(text, sizeof text, days ? "%Y-%m-%d" : "%d %b %H:%M", &parts_of_time) == 0)
		return;
	svg_line(out, x, TOP + HEIGHT, x, TOP + HEIGHT + 4, "base");
	svg_string(out, x, TOP + HEIGHT + 17,
	    x < EDGE         ? SVG_START
	    : x > 100 - EDGE ? SVG_END
	                     : SVG_MIDDLE,
	    minor ? "tick minor" : "tick", text);
}

static void put_ticks(FILE *out, const struct axis *axis)
{
	nanoseconds step = tick_step(axis->until - axis->from);
	nanoseconds first = (axis->from + step - 1) / step * step;
	for (nanoseconds at = first; at <= axis->until; at += step)
		put_tick(out, axis, at, step >= SECONDS(86400), (at - first) / step % 2 != 0);
}

static void put_grid(FILE *out)
{
	svg_line(out, 0, TOP, 100, TOP, "grid");
	svg_line(out, 0, TOP + HEIGHT / 2.0, 100, TOP + HEIGHT / 2.0, "grid");
	svg_line(out, 0, TOP + HEIGHT, 100, TOP + HEIGHT, "base");
}

// In front of the bars.
static void put_scale(FILE *out, const struct axis *axis, const char *most, const char *half)
{
	svg_string(out, 0, TOP - 3, SVG_START, "tick", most);
	svg_string(out, 0, TOP + HEIGHT / 2.0 - 3, SVG_START, "tick", half);
	put_ticks(out, axis);
}

static void put_bar(
    FILE *out, const struct page_rows *rows, size_t row, const struct axis *axis, uint64_t most)
{
	nanoseconds from, width;
	double y = TOP + HEIGHT;
	if (!span_of(rows, row, &from, &width))
		return;
	double x = place(axis, from), wide = place(axis, axis->from + width) * 0.92;
	for (size_t i = 0; i < PARTS; i++) {
		char tip[80];
		uint64_t count = page_number(rows, row, parts[i].name);
		double high = HEIGHT * (double)count / (double)most;
		struct view start = page_cell(rows, row, "start").text;
		if (count == 0)
			continue;
		snprintf(tip, sizeof tip, "%.*s %s: %" PRIu64, (int)start.length,
		    (const char *)start.data, parts[i].name, count);
		y -= high;
		svg_rectangle(out, x, y, wide, high, parts[i].fill, tip);
	}
}

static void put_sessions(FILE *out, const struct page_rows *rows, const struct axis *axis)
{
	uint64_t most = 1;
	char top[32], half[32];
	for (size_t row = 0; row < rows->count; row++)
		if (page_number(rows, row, "sessions") > most)
			most = page_number(rows, row, "sessions");
	most += most % 2; // so that its half is a number, too
	snprintf(top, sizeof top, "%" PRIu64 " sessions", most);
	snprintf(half, sizeof half, "%" PRIu64, most / 2);
	svg_begin(out, "chart-times", TOP + HEIGHT + AXIS, "Sessions over time",
	    "A bar for each span of time, divided by verdict. The table below has the numbers.");
	put_grid(out);
	for (size_t row = 0; row < rows->count; row++)
		put_bar(out, rows, row, axis, most);
	put_scale(out, axis, top, half);
	svg_end(out);
}

static void put_share(FILE *out, const struct page_rows *rows, size_t row, const struct axis *axis)
{
	nanoseconds from, width;
	char tip[96];
	struct cell cell = page_cell(rows, row, "share");
	if (!cell.known || !span_of(rows, row, &from, &width))
		return;
	struct proportion share = proportion_of(cell.part, cell.of);
	double x = place(axis, from), wide = place(axis, axis->from + width) * 0.92;
	struct view start = page_cell(rows, row, "start").text;
	snprintf(tip, sizeof tip, "%.*s: %.1f %% of %" PRIu64, (int)start.length,
	    (const char *)start.data, 100 * share.value, cell.of);
	svg_rectangle(out, x, TOP + HEIGHT * (1 - share.high), wide,
	    HEIGHT * (share.high - share.low), "band", tip);
	double y = TOP + HEIGHT * (1 - share.value);
	svg_line(out, x, y, x + wide, y, "level-line");
}

static void put_shares(FILE *out, const struct page_rows *rows, const struct axis *axis)
{
	svg_begin(out, "chart-shares", TOP + HEIGHT + AXIS, "Share encrypted over time",
	    "For each span of time the share of sessions that is encrypted, and its 95 % "
	    "interval.");
	put_grid(out);
	for (size_t row = 0; row < rows->count; row++)
		put_share(out, rows, row, axis);
	put_scale(out, axis, "100 % encrypted", "50 %");
	svg_end(out);
}

static bool is_covered(const struct time_buckets *buckets, nanoseconds from, nanoseconds until)
{
	for (size_t span = 0; span < buckets->count; span++) {
		nanoseconds start = time_buckets_start(buckets, span);
		if (start < until && start + buckets->width > from &&
		    buckets->counters[span][CAPTURE_TIME_COVERED] > 0)
			return true;
	}
	return false;
}

// Where sessions began there was a capture, also where no interval says so: captures whose time goes back leave
// the intervals behind them.
static void put_seen(FILE *out, const struct page_rows *rows, const struct time_buckets *buckets,
    const struct axis *axis)
{
	nanoseconds from, width;
	for (size_t row = 0; row < rows->count; row++)
		if (span_of(rows, row, &from, &width) && !is_covered(buckets, from, from + width))
			svg_rectangle(out, place(axis, from), 0, place(axis, axis->from + width),
			    STRIP_HEIGHT, "fill-possible", NULL);
}

static void put_covered(FILE *out, const struct time_buckets *buckets, const struct axis *axis)
{
	for (size_t span = 0; span < buckets->count; span++) {
		const uint64_t *counters = buckets->counters[span];
		double covered = (double)counters[CAPTURE_TIME_COVERED] / (double)buckets->width;
		double x = place(axis, time_buckets_start(buckets, span));
		double wide = place(axis, axis->from + buckets->width);
		if (covered > 0)
			svg_rectangle(out, x, 0, covered < 1 ? wide * covered : wide, STRIP_HEIGHT,
			    counters[CAPTURE_TIME_LOST] > 0 ? "fill-stripped" : "fill-possible",
			    NULL);
	}
}

static void put_capture(FILE *out, const struct page_rows *rows, const struct capture_times *times,
    const struct axis *axis)
{
	static const struct chart_part states[] = {{"fill-possible", "captured"},
	    {"fill-stripped", "captured with losses"}, {"fill-unseen", "no capture"}};
	chart_legend(out, states, 3, NULL);
	svg_begin(out, "chart-capture", STRIP_HEIGHT, "When there was a capture",
	    "A strip of spans of time: captured, captured with losses, or not captured.");
	svg_rectangle(out, 0, 0, 100, STRIP_HEIGHT, "fill-unseen", "no capture");
	put_seen(out, rows, &times->buckets, axis);
	put_covered(out, &times->buckets, axis);
	svg_end(out);
}

static void put_words(const struct page *page, const struct page_rows *rows, FILE *out)
{
	nanoseconds from, width;
	if (!span_of(rows, 0, &from, &width))
		return;
	fputs("<p>Each bar spans ", out);
	html_duration(out, width);
	fputs(" and counts the sessions that began in it; times are UTC. ", out);
	fputs(page->capture_times != NULL
	          ? "Where the strip below says that there was no capture, no bar does not mean no "
	            "mail. "
	            "Where part of a span was captured, so much of it is filled."
	          : "When there was a capture is not known (no intervals in statistics.jsonl): no "
	            "bar "
	            "does not mean no mail.",
	    out);
	fputs("</p>\n", out);
}

static void write_times(const struct page *page, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, "times", 0);
	struct axis axis = axis_of(page, &rows);
	if (rows.count > 0 && axis.until > axis.from) {
		put_words(page, &rows, out);
		chart_legend(out, parts, PARTS, NULL);
		put_sessions(out, &rows, &axis);
		if (page->capture_times != NULL)
			put_capture(out, &rows, page->capture_times, &axis);
		fputs("<h3>Share encrypted, with its 95 % interval</h3>\n", out);
		put_shares(out, &rows, &axis);
	}
	page_rows_release(&rows);
	page_write_table(page, "times", out);
}

const struct page_section times_section = {
    .id = "times", .title = "Over time", .tab = "Time", .write = write_times};
