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

static const struct page_alerts_words alerts_words = {
    "Alerts since the run began, the newest first, and what they rest on",
    "alerts, with those like it just before",
    "older ones; alerts.jsonl has them, if logs are written"};

/* ---- what is of the moment ---- */

static void put_windows(enum live_window shown, FILE *out)
{
	fputs("<ul class=\"windows\" aria-label=\"Time\">\n", out);
	for (int i = 0; i < LIVE_WINDOWS; i++) {
		enum live_window window = (enum live_window)i;
		fprintf(out, "<li><a href=\"/?window=%s\"%s>last %s</a></li>\n",
		    live_window_name(window), window == shown ? " aria-current=\"page\"" : "",
		    live_window_title(window));
	}
	fputs("</ul>\n", out);
}

static void begin_figure(FILE *out, const char *name)
{
	fprintf(out, "<li class=\"figure\"><h3>%s</h3><p><span class=\"value\">", name);
}

static void end_figure(FILE *out, const char *unit)
{
	fprintf(out, "</span>%s</p></li>\n", unit);
}

// "12.3 k"
static void put_scaled(FILE *out, double rate)
{
	static const char *const units[] = {"", "k", "M", "G", "T"};
	size_t unit = 0;
	while (rate >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
		rate /= 1000;
		unit++;
	}
	fprintf(out, rate < 99.95 ? "%.1f %s" : "%.0f %s", rate, units[unit]);
}

struct rate {
	const char *name, *unit;
	uint64_t count;
};

static void put_rates(const struct live_look *look, FILE *out)
{
	enum { BITS = 8, RATES = 5 };
	struct live_rate_counts counts;
	nanoseconds over;
	bool known = live_rates_now(&look->live->rates, monotonic_now(), &counts, &over);
	if (!known)
		counts = (struct live_rate_counts){0};
	const struct rate rates[RATES] = {
	    {"Packets", "a second", counts.packets},
	    {"Traffic read", "bit/s", BITS * counts.bytes},
	    {"Segments of mail", "a second", counts.segments},
	    {"Sessions ended", "a second", counts.sessions},
	    {"Lost", "a second", counts.lost},
	};
	for (size_t i = 0; i < RATES; i++) {
		begin_figure(out, rates[i].name);
		if (known)
			put_scaled(out, (double)rates[i].count * 1e9 / (double)over);
		else
			html_unseen(out);
		end_figure(out, rates[i].unit);
	}
}

static void put_levels(const struct live_look *look, FILE *out)
{
	enum { MIB = 1 << 20 };
	const struct worker_counters *worker = &look->accounting->worker;
	begin_figure(out, "Alerts");
	html_number(out, recent_alerts_all(look->live->alerts));
	end_figure(out, "since the run began");
	begin_figure(out, "Connections followed");
	html_number(out, worker->flow.live);
	end_figure(out, "now");
	begin_figure(out, "Memory for them");
	html_number(out, worker->memory_reserved / MIB);
	fprintf(out, "</span>MiB of at most <span>");
	html_number(out, look->live->settings.memory / MIB);
	end_figure(out, "");
}

// What waits for the store, and what did not get there.
static void put_store(const struct live_look *look, FILE *out)
{
	enum { MIB = 1 << 20 };
	const struct store_counters *store = &look->accounting->written.store;
	if (store->kind == NULL)
		return;
	begin_figure(out, "Records not stored");
	html_number(out, store_sum(store->lost) + store_sum(store->refused));
	end_figure(out, store->away > 0 ? "the store is away" : "since the run began");
	if (store->spool_limit == 0)
		return;
	begin_figure(out, "Waiting for the store");
	html_number(out, store->spool_bytes / MIB);
	fprintf(out, "</span>MiB of at most <span>");
	html_number(out, store->spool_limit / MIB);
	end_figure(out, "");
}

static void put_moment(const struct live_look *look, FILE *out)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	fputs("<section id=\"now\" aria-labelledby=\"now-title\"><h2 id=\"now-title\">Now</h2>\n"
	      "<p>As of <time>",
	    out);
	html_time(out, SECONDS((nanoseconds)now.tv_sec));
	fputs("</time> UTC", out);
	if (look->stage == STAGE_DRAINING)
		fputs("; no more packets are read", out);
	fputs(" <span id=\"live-state\" role=\"status\"></span></p>\n", out);
	put_windows(look->window, out);
	fputs("<ul class=\"figures\">\n", out);
	put_rates(look, out);
	put_levels(look, out);
	put_store(look, out);
	fputs("</ul>\n</section>\n", out);
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
	    .alerts_words = &alerts_words,
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
