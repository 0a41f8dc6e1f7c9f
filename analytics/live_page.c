// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_page.h"

#include "analytics/capture_times.h"
#include "analytics/live_asset.h"
#include "analytics/page/html.h"
#include "capture/base/monotonic.h"

#include <string.h>
#include <time.h>

enum {
	TITLE_SIZE = 64,
	SOURCE_SIZE = 256,
	ROWS_SHOWN = 20, // of tables with a row for each of many
};

// The page may load itself, to be taken anew.
static const struct page_head head = {.policy = "connect-src 'self'", .script = &live_script};

void live_page_policy(char room[LIVE_POLICY_SIZE])
{
	char policy[PAGE_POLICY_SIZE];
	page_policy(policy, &head);
	snprintf(room, LIVE_POLICY_SIZE, "%s; frame-ancestors 'none'", policy);
}

/* ---- what is of the moment ---- */

static void put_windows(enum live_window shown, FILE *out)
{
	fputs("<nav aria-label=\"Time\"><ul>\n", out);
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		enum live_window window = (enum live_window)i;
		fprintf(out, "<li><a href=\"/?window=%s\"%s>last %s</a></li>\n",
		    live_window_name(window), window == shown ? " aria-current=\"page\"" : "",
		    live_window_title(window));
	}
	fputs("</ul></nav>\n", out);
}

static void put_rate(FILE *out, const char *name, uint64_t count, nanoseconds over)
{
	double rate = (double)count * 1e9 / (double)over;
	fprintf(out, "<dt>%s</dt><dd>", name);
	if (rate < 10)
		fprintf(out, "%.1f", rate);
	else
		html_number(out, (uint64_t)(rate + 0.5));
	fputs(" /s</dd>\n", out);
}

static void put_level(FILE *out, const char *name, uint64_t level, const char *unit)
{
	fprintf(out, "<dt>%s</dt><dd>", name);
	html_number(out, level);
	fprintf(out, "%s</dd>\n", unit);
}

static void put_rates(const struct live_look *look, FILE *out)
{
	enum { BITS = 8 };
	struct live_rate_counts counts;
	nanoseconds over;
	if (!live_rates_now(&look->live->rates, monotonic_now(), &counts, &over)) {
		fputs("<dt>rates</dt><dd>", out);
		html_unseen(out);
		fputs("</dd>\n", out);
		return;
	}
	put_rate(out, "packets", counts.packets, over);
	put_rate(out, "bits", BITS * counts.bytes, over);
	put_rate(out, "segments of mail", counts.segments, over);
	put_rate(out, "sessions", counts.sessions, over);
	put_rate(out, "lost", counts.lost, over);
}

static void put_now(const struct live_look *look, FILE *out)
{
	enum { MIB = 1 << 20 };
	const struct worker_counters *worker = &look->accounting->worker;
	fputs("<dl class=\"now\">\n", out);
	put_rates(look, out);
	put_level(out, "connections", worker->flow.live, "");
	put_level(out, "memory of connections", worker->memory_reserved / MIB, " MiB");
	put_level(out, "of at most", look->live->settings.memory / MIB, " MiB");
	fputs("</dl>\n", out);
}

static void put_moment(const struct live_look *look, FILE *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	fputs("<section id=\"now\" aria-labelledby=\"now-title\"><h2 id=\"now-title\">Now</h2>\n",
	    out);
	put_windows(look->window, out);
	fputs("<p>As of <time>", out);
	html_time(out, SECONDS((nanoseconds)now.tv_sec));
	fputs("</time> UTC", out);
	if (look->stage == STAGE_DRAINING)
		fputs("; no more packets are read", out);
	fputs(" <span id=\"live-state\" role=\"status\"></span></p>\n", out);
	put_now(look, out);
	fputs("</section>\n", out);
}

/* ---- the document ---- */

static void put_sections(const struct page *page, FILE *out)
{
	for (size_t i = 0; i < page_section_count(); i++)
		page_write_section(page, page_section_at(i), out);
}

static size_t take_alerts(
    const struct recent_alerts *alerts, struct page_alert list[RECENT_ALERTS_MAX])
{
	size_t count = recent_alerts_count(alerts);
	for (size_t i = 0; i < count; i++) {
		struct recent_alert alert = recent_alerts_at(alerts, i);
		list[i] = (struct page_alert){alert.line, alert.count};
	}
	return count;
}

static void take_times(const struct live_look *look, struct capture_times *times)
{
	struct live_span cells[LIVE_CELLS_MAX];
	size_t count = live_windows_cells(look->live->windows, look->window, cells);
	for (size_t i = 0; i < count; i++)
		capture_times_take(times, cells[i].from, cells[i].until, &cells[i].count.capture);
}

static void put_page(const struct live_look *look, const struct statistics *statistics, FILE *out)
{
	struct page_table tables[PAGE_TABLES_MAX];
	struct page_alert alerts[RECENT_ALERTS_MAX];
	struct capture_times times = {0};
	char source[SOURCE_SIZE];
	const char *sensor = look->live->settings.sensor;
	struct live_span span = live_windows_span(look->live->windows, look->window);
	struct page page = {.title = "mailtap live",
	    .source = source,
	    .capture = &span.count.capture,
	    .runs = 1,
	    .capture_times = &times,
	    .alerts = alerts,
	    .alert_count = take_alerts(look->live->alerts, alerts),
	    .alerts_all = recent_alerts_all(look->live->alerts),
	    .alerts_known = true,
	    .rows = ROWS_SHOWN};
	snprintf(source, sizeof source, "the last %s%s%s", live_window_title(look->window),
	    sensor != NULL ? " of " : "", sensor != NULL ? sensor : "");
	take_times(look, &times);
	page_take_statistics(&page, tables, statistics);
	page_write_begin(&page, &head, out);
	put_moment(look, out);
	put_sections(&page, out);
	page_write_end(&page, &head, out);
}

void live_page_write(const struct live_look *look, FILE *out)
{
	struct error ignored;
	struct statistics *sum =
	    live_windows_statistics(look->live->windows, look->window, &ignored);
	if (sum != NULL)
		put_page(look, sum, out);
	statistics_destroy(sum);
}
