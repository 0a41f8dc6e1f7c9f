// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_json.h"

#include "analytics/json_fields.h"
#include "analytics/render.h"
#include "analytics/statistics_files.h"
#include "capture/base/monotonic.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { SERVERS_SHOWN = 50 };

static void key_time(struct json *json, const char *key, nanoseconds time)
{
	json_key(json, key);
	if (time > 0)
		json_time(json, time);
	else
		json_null(json);
}

/* ---- the run ---- */

static const char *stage_name(enum run_stage stage)
{
	switch (stage) {
	case STAGE_STARTING:
		return "starting";
	case STAGE_READING:
		return "reading";
	case STAGE_DRAINING:
	default:
		return "draining";
	}
}

static void write_run(struct json *json, const struct live_look *look)
{
	const char *sensor = look->live->settings.sensor;
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	json_key_name(json, "version", MAILTAP_VERSION);
	json_key(json, "sensor");
	if (sensor != NULL)
		json_bytes(json, (const uint8_t *)sensor, strlen(sensor));
	else
		json_null(json);
	key_time(json, "started", SECONDS((nanoseconds)look->accounting->started));
	key_time(json, "made", SECONDS((nanoseconds)now.tv_sec) + now.tv_nsec);
	json_key_name(json, "stage", stage_name(look->stage));
	json_mark(json, "anonymised", look->live->settings.anonymised);
}

static void write_rates(struct json *json, const struct live_look *look)
{
	struct live_rate_counts counts;
	nanoseconds over;
	json_key(json, "now");
	if (!live_rates_now(&look->live->rates, monotonic_now(), &counts, &over)) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key(json, "seconds");
	json_duration(json, over);
	json_key_unsigned(json, "packets", counts.packets);
	json_key_unsigned(json, "bytes", counts.bytes);
	json_key_unsigned(json, "segments", counts.segments);
	json_key_unsigned(json, "sessions", counts.sessions);
	json_key_unsigned(json, "alerts", counts.alerts);
	json_key_unsigned(json, "lost", counts.lost);
	json_object_end(json);
}

// The memory of this process that is in use. 0: the system does not say.
static uint64_t resident_bytes(void)
{
	unsigned long long pages = 0;
	long size = sysconf(_SC_PAGESIZE);
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%*u %llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return size > 0 ? pages * (uint64_t)size : 0;
}

static void write_memory(struct json *json, const struct live_look *look)
{
	const struct run_accounting *accounting = look->accounting;
	uint64_t resident = resident_bytes();
	json_key(json, "memory");
	json_object_begin(json);
	json_key_known(json, "resident", resident > 0, resident);
	json_key_unsigned(json, "connections_in_use", accounting->worker.memory_in_use);
	json_key_unsigned(json, "connections_reserved", accounting->worker.memory_reserved);
	json_key_unsigned(json, "connections_limit", look->live->settings.memory);
	json_key_unsigned(json, "certificates",
	    accounting->certificates.certificates.bytes + accounting->certificates.chains.bytes);
	json_object_end(json);
}

static void write_worker(struct json *json, const struct worker_report *report)
{
	const struct worker_counters *counters = &report->counters;
	json_object_begin(json);
	json_key(json, "told_before");
	if (report->told != 0)
		json_duration(json, monotonic_now() - report->told);
	else
		json_null(json);
	json_key_unsigned(
	    json, "segments", counters->segments_tracked + counters->segments_no_mail);
	json_key_unsigned(json, "connections", counters->flow.live);
	json_key_unsigned(json, "memory", counters->memory_in_use);
	json_key_unsigned(json, "memory_refused", counters->memory_refusals);
	json_object_end(json);
}

static void write_workers(struct json *json, const struct live_look *look)
{
	json_key_unsigned(json, "connections", look->accounting->worker.flow.live);
	json_key(json, "workers");
	json_array_begin(json);
	for (unsigned i = 0; i < intake_lanes(look->intake); i++) {
		struct worker_report report = intake_worker(look->intake, i);
		write_worker(json, &report);
	}
	json_array_end(json);
}

// Null: there is none.
static void write_store(struct json *json, const struct live_look *look)
{
	const struct store_counters *store = &look->accounting->written.store;
	json_key(json, "store");
	if (store->kind == NULL) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key_name(json, "kind", store->kind);
	json_key_bool(json, "away", store->away > 0);
	json_key_unsigned(json, "stored", store_sum(store->stored));
	json_key_unsigned(json, "refused", store_sum(store->refused));
	json_key_unsigned(json, "lost", store_sum(store->lost));
	json_key_unsigned(json, "spool_bytes", store->spool_bytes);
	json_key_unsigned(json, "spool_files", store->spool_files);
	json_object_end(json);
}

/* ---- the window ---- */

static void write_span(struct json *json, const struct live_span *span)
{
	key_time(json, "start", span->from);
	key_time(json, "end", span->until);
	json_key_unsigned(json, "sessions", span->sessions);
	json_key_unsigned(json, "packets", span->count.packets);
	json_key_unsigned(json, "bytes", span->count.bytes);
	json_key_unsigned(json, "lost", span->count.lost);
	json_key(json, "verdicts");
	json_object_begin(json);
	for (int verdict = 0; verdict < VERDICTS; verdict++)
		json_key_unsigned(
		    json, verdict_name((enum verdict)verdict), span->verdicts[verdict]);
	json_object_end(json);
}

static void write_window(struct json *json, const struct live_look *look)
{
	struct live_span span = live_windows_span(look->live->windows, look->window);
	json_key(json, "window");
	json_object_begin(json);
	json_key_name(json, "name", live_window_name(look->window));
	write_span(json, &span);
	json_key_unsigned(json, "sessions_in_no_table", span.uncounted);
	json_key(json, "capture");
	capture_accounting_write(json, &span.count.capture);
	json_object_end(json);
}

static void write_cells(struct json *json, const struct live_look *look)
{
	struct live_span cells[LIVE_CELLS_MAX];
	size_t count = live_windows_cells(look->live->windows, look->window, cells);
	json_key(json, "series");
	json_array_begin(json);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(json);
		write_span(json, &cells[i]);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_servers(void *context, const struct table_ops *table, const void *accumulator)
{
	struct json *json = context;
	if (strcmp(table->name, "server_list") != 0)
		return;
	json_key(json, "servers");
	size_t rows = render_json(json, table, accumulator, SERVERS_SHOWN);
	json_key_unsigned(json, "servers_count", rows);
}

// Without memory for the sum there are none.
static void write_tables(struct json *json, const struct live_look *look)
{
	struct error ignored;
	struct statistics *sum =
	    live_windows_statistics(look->live->windows, look->window, &ignored);
	if (sum == NULL) {
		json_key_null(json, "tables");
		return;
	}
	json_key(json, "tables");
	statistics_write_tables(json, sum, false);
	statistics_each(sum, write_servers, json);
	statistics_destroy(sum);
}

static void write_alerts(struct json *json, const struct recent_alerts *alerts)
{
	json_key_unsigned(json, "alerts_count", recent_alerts_all(alerts));
	json_key(json, "alerts");
	json_array_begin(json);
	for (size_t i = 0; i < recent_alerts_count(alerts); i++) {
		struct recent_alert alert = recent_alerts_at(alerts, i);
		json_whole(json, alert.line.data, alert.line.length);
	}
	json_array_end(json);
}

void live_json_write(struct json *json, const struct live_look *look)
{
	struct capture_accounting capture = capture_accounting_of(look->accounting);
	json_object_begin(json);
	write_run(json, look);
	write_rates(json, look);
	write_memory(json, look);
	write_workers(json, look);
	write_store(json, look);
	json_key_unsigned(json, "sessions", look->live->sessions);
	json_key(json, "capture");
	capture_accounting_write(json, &capture);
	write_window(json, look);
	write_cells(json, look);
	write_tables(json, look);
	write_alerts(json, look->live->alerts);
	json_object_end(json);
	json_line_end(json);
}
