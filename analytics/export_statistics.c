// SPDX-License-Identifier: Apache-2.0
// statistics.jsonl: a line per interval, one whenever it is asked for, and one for the whole run; and, where
// asked for, the run's tables as CSV, metrics and TLS reports. What it counts, it hands to the live state as well.
#include "analytics/capture_accounting.h"
#include "analytics/exporter.h"
#include "analytics/facts_lookup.h"
#include "analytics/json_fields.h"
#include "analytics/live_state.h"
#include "analytics/metrics_page.h"
#include "analytics/record_outlet.h"
#include "analytics/statistics_files.h"
#include "analytics/tls_rpt.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

struct statistics_export {
	const struct exporter_settings *settings;
	struct facts_lookup *lookup;
	struct statistics *run, *interval;
	struct tls_rpt *reports; // NULL: not asked for
	struct record_outlet outlet; // of log and store, if they are asked for
	bool failing; // its files cannot be written; told already
	nanoseconds begun; // the run, by the clock: its name in the log
	struct capture_accounting before; // at the end of the last interval
	struct session_facts facts;
	struct json json;
};

static void release(struct statistics_export *export)
{
	facts_lookup_close(export->lookup);
	statistics_destroy(export->run);
	statistics_destroy(export->interval);
	tls_rpt_destroy(export->reports);
	json_release(&export->json);
	free(export);
}

static bool open_parts(
    struct statistics_export *export, const struct exporter_settings *settings, struct error *error)
{
	export->lookup = facts_lookup_open(error);
	if (export->lookup == NULL)
		return false;
	export->run = statistics_create(0, error);
	export->interval = statistics_create(TABLE_OF_INTERVAL, error);
	if (export->run == NULL || export->interval == NULL)
		return false;
	if (settings->tls_rpt_directory != NULL) {
		export->reports = tls_rpt_create(error);
		if (export->reports == NULL)
			return false;
	}
	return record_outlet_open(&export->outlet, settings, STORE_STATISTICS, error);
}

static void *statistics_open(const struct exporter_settings *settings, struct error *error)
{
	bool asked = record_outlet_wanted(settings) || settings->csv_directory != NULL ||
	             settings->metrics_path != NULL || settings->tls_rpt_directory != NULL ||
	             settings->live != NULL;
	if (!asked)
		return NULL;
	struct statistics_export *export = calloc(1, sizeof *export);
	if (export == NULL) {
		error_set(error, "no memory for statistics");
		return NULL;
	}
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	export->begun = SECONDS((nanoseconds)now.tv_sec) + now.tv_nsec;
	export->settings = settings;
	if (open_parts(export, settings, error))
		return export;
	release(export);
	return NULL;
}

static bool statistics_session(
    void *exporter, const struct judged_session *session, struct error *error)
{
	struct statistics_export *export = exporter;
	(void)error;
	session_facts_of_session(&export->facts, session);
	facts_lookup_fill(export->lookup, &export->facts);
	statistics_count(export->run, &export->facts);
	statistics_count(export->interval, &export->facts);
	live_state_session(export->settings->live, &export->facts);
	if (export->reports != NULL)
		tls_rpt_count(export->reports, &export->facts);
	return true;
}

static bool statistics_take_domain(void *exporter, const struct json *line,
    const struct domain_facts *facts, struct error *error)
{
	struct statistics_export *export = exporter;
	(void)line;
	(void)error;
	struct domain_facts looked_up = *facts;
	facts_lookup_of_domain(export->lookup, &looked_up);
	statistics_domain(export->run, &looked_up);
	return true;
}

static bool statistics_take_lookups(void *exporter, const struct json *line,
    const struct lookup_facts *facts, struct error *error)
{
	const struct statistics_export *export = exporter;
	(void)line;
	(void)error;
	statistics_lookups(export->run, facts);
	return true;
}

/* ---- lines ---- */

struct statistics_line {
	const char *kind;
	nanoseconds start, end;
	bool timed; // start and end mean something
	bool complete;
	const struct statistics *statistics;
	struct capture_accounting capture;
};

static void write_times(struct json *json, const struct statistics_line *line)
{
	if (!line->timed) {
		json_key_null(json, "start");
		json_key_null(json, "end");
		json_key_null(json, "duration");
		return;
	}
	json_key(json, "start");
	json_time(json, line->start);
	json_key(json, "end");
	json_time(json, line->end);
	json_key(json, "duration");
	json_duration(json, line->end - line->start);
}

static bool write_line(
    struct statistics_export *export, const struct statistics_line *line, struct error *error)
{
	struct json *json = &export->json;
	const char *sensor = export->settings->sensor;
	json_clear(json);
	json_object_begin(json);
	json_key_name(json, "kind", line->kind);
	json_key(json, "sensor");
	if (sensor != NULL)
		json_bytes(json, (const uint8_t *)sensor, strlen(sensor));
	else
		json_null(json);
	json_key(json, "run");
	if (export->settings->appends)
		json_time(json, export->begun);
	else
		json_null(json); // there is no other
	json_mark(json, "anonymised", export->settings->anonymiser != NULL);
	write_times(json, line);
	json_key_bool(json, "complete", line->complete);
	json_key_unsigned(json, "sessions", statistics_span(line->statistics).sessions);
	json_key(json, "capture");
	capture_accounting_write(json, &line->capture);
	json_key(json, "tables");
	statistics_write_tables(json, line->statistics, false);
	json_object_end(json);
	json_line_end(json);
	if (!json->failed)
		return record_outlet_add(&export->outlet, json, error);
	error_set(error, "no memory to write statistics");
	return false;
}

/* ---- metrics ---- */

static void statistics_metrics(
    const void *exporter, const struct run_accounting *accounting, FILE *out)
{
	const struct statistics_export *export = exporter;
	struct capture_accounting capture = capture_accounting_of(accounting);
	struct metrics_page page = {&capture, accounting, export->run};
	metrics_page_write(&page, out);
}

// True also if they are not asked for as a file.
static bool save_metrics(const struct statistics_export *export,
    const struct run_accounting *accounting, struct error *error)
{
	struct capture_accounting capture = capture_accounting_of(accounting);
	struct metrics_page page = {&capture, accounting, export->run};
	const char *path = export->settings->metrics_path;
	return path == NULL || metrics_page_save(&page, path, error);
}

/* ---- intervals ---- */

static bool statistics_interval(
    void *exporter, const struct ended_interval *interval, struct error *error)
{
	struct statistics_export *export = exporter;
	struct capture_accounting now = capture_accounting_of(&interval->accounting);
	struct statistics_line line = {"interval", interval->from, interval->until, true,
	    interval->complete, export->interval, capture_accounting_since(&now, &export->before)};
	export->before = now;
	if (record_outlet_wanted(export->settings) && !write_line(export, &line, error))
		return false;
	bool saved = save_metrics(export, &interval->accounting, error);
	if (!exporter_goes_on(export->settings, saved, &export->failing, error))
		return false;
	if (statistics_restart(export->interval))
		return true;
	error_set(error, "no memory for statistics");
	return false;
}

/* ---- the end ---- */

// What the run has counted, as a line of the log.
static bool write_sum(struct statistics_export *export, const char *kind, bool whole,
    const struct run_accounting *accounting, struct error *error)
{
	struct statistics_span span = statistics_span(export->run);
	struct statistics_line line = {kind, span.first, span.last, span.sessions > 0, whole,
	    export->run, capture_accounting_of(accounting)};
	return !record_outlet_wanted(export->settings) || write_line(export, &line, error);
}

// And as files that are replaced.
static bool save_files(const struct statistics_export *export,
    const struct run_accounting *accounting, struct error *error)
{
	const char *directory = export->settings->csv_directory;
	return (directory == NULL || statistics_write_csv(export->run, directory, error)) &&
	       save_metrics(export, accounting, error);
}

// Whoever adds up the lines of runs, or those of intervals, leaves this one out.
static bool statistics_so_far(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct statistics_export *export = exporter;
	if (!write_sum(export, "so_far", false, accounting, error))
		return false;
	bool saved = save_files(export, accounting, error);
	return exporter_goes_on(export->settings, saved, &export->failing, error) &&
	       record_outlet_flush(&export->outlet, error);
}

static bool statistics_end(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	bool whole = !accounting->interrupted && accounting->inputs_failed == 0;
	return write_sum(exporter, "run", whole, accounting, error);
}

static bool save_last_files(const struct statistics_export *export,
    const struct run_accounting *accounting, struct error *error)
{
	return save_files(export, accounting, error) &&
	       (export->reports == NULL ||
	           tls_rpt_write(export->reports, export->settings->tls_rpt_directory, error));
}

static void statistics_written(const void *exporter, struct written_counters *counters)
{
	const struct statistics_export *export = exporter;
	if (export->reports != NULL)
		counters->reports_left_out += tls_rpt_left_out(export->reports);
}

static bool statistics_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct statistics_export *export = exporter;
	struct error closing = {""};
	bool good = accounting == NULL || save_last_files(export, accounting, error);
	bool closed = record_outlet_close(&export->outlet, &closing);
	if (good && !closed)
		*error = closing;
	release(export);
	return good && closed;
}

const struct exporter_ops statistics_exporter = {
    .name = "statistics",
    .open = statistics_open,
    .session = statistics_session,
    .domain = statistics_take_domain,
    .lookups = statistics_take_lookups,
    .interval = statistics_interval,
    .metrics = statistics_metrics,
    .so_far = statistics_so_far,
    .written = statistics_written,
    .end = statistics_end,
    .close = statistics_close,
};
