// SPDX-License-Identifier: Apache-2.0
// `mailtap report`: the tables of the statistics from logs already written, by the same accumulators and
// renderers as in a run.
#include "analytics/anonymise_key.h"
#include "analytics/anonymise_text.h"
#include "analytics/capture_sum.h"
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/facts_lookup.h"
#include "analytics/json_fields.h"
#include "analytics/metrics_page.h"
#include "analytics/render.h"
#include "analytics/report_alerts.h"
#include "analytics/report_options.h"
#include "analytics/report_page.h"
#include "analytics/session_log.h"
#include "analytics/statistics_files.h"
#include "analytics/tls_rpt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
	PAGE_ALERTS_MAX = 40,
	SOURCE_SIZE = 256, // what was read, in words
	NAME_MOST = 40, // bytes of the name of a log in them
};

struct report {
	const struct report_options *options;
	struct facts_lookup *lookup;
	struct whereabouts_tables *tables;
	struct anonymiser *anonymiser; // NULL: addresses are printed as the logs have them
	struct statistics *statistics;
	struct tls_rpt *reports; // NULL: not asked for
	struct session_facts facts;
	struct log_counters counters; // of all session logs
	struct report_alerts *alerts; // NULL: no page is asked for
	bool alerts_known; // there is a log of them
	struct capture_sum capture; // over the runs whose statistics were found
	uint64_t anonymised; // sessions whose real addresses the logs do not have
	unsigned failed; // logs that could not be read
};

/* ---- reading ---- */

static void anonymise_name(struct anonymiser *anonymiser, struct host_name *name)
{
	uint8_t other[HOST_NAME_MAX_BYTES + ANONYMISE_TEXT_GROWTH];
	size_t length =
	    anonymise_text(anonymiser, (const uint8_t *)name->text, name->length, other);
	(void)host_name_read(view_of(other, length), name);
}

// As a run would have written them.
static void anonymise_facts(struct anonymiser *anonymiser, struct session_facts *facts)
{
	for (int side = FROM_CLIENT; side <= FROM_SERVER; side++)
		facts->address[side] = anonymise_address(anonymiser, &facts->address[side]);
	anonymise_name(anonymiser, &facts->client_name);
	anonymise_name(anonymiser, &facts->server_name);
	anonymise_name(anonymiser, &facts->asked_name);
}

// The tables know real addresses only: what is found for another one would be wrong.
static void locate(struct report *report, struct session_facts *facts)
{
	report->anonymised += facts->anonymised;
	for (int side = FROM_CLIENT; side <= FROM_SERVER && !facts->anonymised; side++)
		facts->where[side] = whereabouts_of(report->tables, &facts->address[side]);
	if (report->anonymiser != NULL && !facts->anonymised)
		anonymise_facts(report->anonymiser, facts);
}

static enum log_line take_session(void *context, const char *line, size_t length)
{
	struct report *report = context;
	enum facts_outcome outcome = session_facts_of_line(&report->facts, line, length);
	if (outcome == FACTS_DAMAGED)
		return LOG_LINE_DAMAGED;
	locate(report, &report->facts);
	facts_lookup_fill(report->lookup, &report->facts);
	statistics_count(report->statistics, &report->facts);
	if (report->reports != NULL)
		tls_rpt_count(report->reports, &report->facts);
	return outcome == FACTS_TAKEN ? LOG_LINE_TAKEN : LOG_LINE_IN_PART;
}

static enum log_line take_domain(void *context, const char *line, size_t length)
{
	struct report *report = context;
	struct domain_facts facts;
	if (!domain_facts_of_line(&facts, line, length))
		return LOG_LINE_DAMAGED;
	bool anonymise = report->anonymiser != NULL && !facts.anonymised;
	for (unsigned i = 0; anonymise && i < facts.address_count; i++)
		facts.addresses[i] = anonymise_address(report->anonymiser, &facts.addresses[i]);
	if (anonymise)
		anonymise_name(report->anonymiser, &facts.host);
	facts_lookup_of_domain(report->lookup, &facts);
	statistics_domain(report->statistics, &facts);
	return LOG_LINE_TAKEN;
}

static enum log_line take_lookups(void *context, const char *line, size_t length)
{
	struct report *report = context;
	struct lookup_facts facts;
	if (!lookup_facts_of_line(&facts, line, length))
		return LOG_LINE_DAMAGED;
	if (report->anonymiser != NULL && !facts.anonymised) {
		struct ip_address other =
		    anonymise_address(report->anonymiser, &facts.network.address);
		facts.network = client_network_of(&other);
	}
	statistics_lookups(report->statistics, &facts);
	return LOG_LINE_TAKEN;
}

static enum log_line take_statistics(void *context, const char *line, size_t length)
{
	struct report *report = context;
	capture_sum_take(&report->capture, line, length);
	return LOG_LINE_TAKEN;
}

static enum log_line take_alert(void *context, const char *line, size_t length)
{
	struct report *report = context;
	return report_alerts_take(report->alerts, line, length) ? LOG_LINE_TAKEN
	                                                        : LOG_LINE_DAMAGED;
}

// What could not be used of a log, once.
static void judge_log(const char *path, const struct log_counters *log)
{
	uint64_t lost = log->damaged + log->too_long + log->torn;
	struct error error;
	if (lost > 0) {
		error_set(&error,
		    "%s: %" PRIu64 " of %" PRIu64
		    " lines are no session records and were passed over "
		    "(%" PRIu64 " damaged, %" PRIu64 " too long, %u torn at the end)",
		    path, lost, log->lines, log->damaged, log->too_long, (unsigned)log->torn);
		command_say(&error);
	}
	if (log->in_part > 0) {
		error_set(&error,
		    "%s: %" PRIu64 " of %" PRIu64
		    " lines have keys or values that this mailtap does not "
		    "know; they were left out",
		    path, log->in_part, log->lines);
		command_say(&error);
	}
}

// Why tables that were asked for do not tell.
static void judge_addresses(const struct report *report)
{
	bool asked =
	    report->options->asn_table != NULL || report->options->country_table != NULL;
	struct error error;
	if (!asked || report->anonymised == 0)
		return;
	error_set(&error,
	    "the addresses of %" PRIu64 " of %" PRIu64
	    " sessions are anonymised: in what networks and countries they are is not known",
	    report->anonymised, statistics_span(report->statistics).sessions);
	command_say(&error);
}

// A session log was read.
static void take_log(void *context, const char *path, const struct log_counters *log,
    const struct error *error)
{
	struct report *report = context;
	if (error != NULL) {
		command_say(error);
		report->failed++;
	}
	judge_log(path, log);
	report->counters.lines += log->lines;
	report->counters.taken += log->taken;
	if (log->lines > 0 && log->taken == 0)
		report->failed++;
}

static void take_statistics_log(void *context, const char *path, const struct log_counters *log,
    const struct error *error)
{
	(void)context;
	(void)path;
	(void)log;
	if (error != NULL)
		command_say(error);
}

static void take_dns_log(void *context, const char *path, const struct log_counters *log,
    const struct error *error)
{
	struct error damaged;
	(void)context;
	if (error != NULL)
		command_say(error);
	if (log->damaged == 0)
		return;
	error_set(&damaged,
	    "%s: %" PRIu64 " of %" PRIu64 " lines are no records of DNS and were passed over", path,
	    log->damaged, log->lines);
	command_say(&damaged);
}

static void take_alerts_log(void *context, const char *path, const struct log_counters *log,
    const struct error *error)
{
	struct report *report = context;
	struct error damaged;
	report->alerts_known |= error == NULL;
	if (error != NULL)
		command_say(error);
	if (log->damaged == 0)
		return;
	error_set(&damaged, "%s: %" PRIu64 " of %" PRIu64 " lines are no alerts and were passed over",
	    path, log->damaged, log->lines);
	command_say(&damaged);
}

static void read_log(struct report *report, const char *given)
{
	struct stat status;
	struct error error;
	if (stat(given, &status) == 0 && S_ISDIR(status.st_mode)) {
		if (log_read_series(given, "sessions", take_session, take_log, report) == 0) {
			error_set(&error, "%s: there is no sessions.jsonl in it", given);
			command_say(&error);
			report->failed++;
		}
		(void)log_read_series(
		    given, "statistics", take_statistics, take_statistics_log, report);
		capture_sum_settle(&report->capture);
		(void)log_read_series(given, "domains", take_domain, take_dns_log, report);
		(void)log_read_series(given, "lookups", take_lookups, take_dns_log, report);
		if (report->alerts != NULL)
			(void)log_read_series(given, "alerts", take_alert, take_alerts_log, report);
		return;
	}
	struct log_counters log = {0};
	bool good = log_read(given, take_session, report, &log, &error);
	take_log(report, given, &log, good ? NULL : &error);
}

/* ---- writing ---- */

static void print_table(void *context, const struct table_ops *table, const void *accumulator)
{
	const struct report *report = context;
	render_text(stdout, table, accumulator, report->options->rows);
}

static void print_json_table(void *context, const struct table_ops *table, const void *accumulator)
{
	struct json *json = context;
	json_clear(json);
	json_object_begin(json);
	json_key_name(json, "table", table->name);
	json_key_name(json, "title", table->title);
	json_key_name(json, "of", table->denominator);
	json_key_name(json, "unseen", table->unseen);
	json_key(json, "rows");
	render_json(json, table, accumulator, 0);
	json_object_end(json);
	json_line_end(json);
	if (!json->failed)
		fwrite(json->text, 1, json->length, stdout);
}

static void write_input(struct json *json, const struct report *report)
{
	struct statistics_span span = statistics_span(report->statistics);
	json_clear(json);
	json_object_begin(json);
	json_key_null(json, "table");
	json_key_unsigned(json, "logs", report->options->log_count);
	json_key_unsigned(json, "lines", report->counters.lines);
	json_key_unsigned(json, "sessions", span.sessions);
	json_key(json, "start");
	if (span.sessions > 0)
		json_time(json, span.first);
	else
		json_null(json);
	json_key(json, "end");
	if (span.sessions > 0)
		json_time(json, span.last);
	else
		json_null(json);
	json_key(json, "capture");
	if (report->capture.runs > 0)
		capture_accounting_write(json, &report->capture.accounting);
	else
		json_null(json);
	json_key_unsigned(json, "runs", report->capture.runs);
	json_key_unsigned(json, "runs_without_end", report->capture.without_end);
	json_object_end(json);
	json_line_end(json);
}

static bool print_json(const struct report *report)
{
	struct json json = {0};
	write_input(&json, report);
	if (!json.failed)
		fwrite(json.text, 1, json.length, stdout);
	statistics_each(report->statistics, print_json_table, &json);
	bool good = !json.failed;
	json_release(&json);
	return good;
}

static void print_head(const struct report *report)
{
	struct statistics_span span = statistics_span(report->statistics);
	struct json times = {0};
	printf("mailtap report: %" PRIu64 " sessions of %zu log%s", span.sessions,
	    report->options->log_count, report->options->log_count == 1 ? "" : "s");
	if (span.sessions > 0) {
		json_time(&times, span.first);
		printf(", %.*s", times.failed ? 0 : (int)times.length - 2, times.text + 1);
		json_clear(&times);
		json_time(&times, span.last);
		printf(" to %.*s", times.failed ? 0 : (int)times.length - 2, times.text + 1);
	}
	puts("\nA dash is what the tap did not see; no share counts it.");
	json_release(&times);
}

static void print_text(const struct report *report)
{
	print_head(report);
	statistics_each(report->statistics, print_table, (void *)(uintptr_t)report);
	const struct capture_sum *capture = &report->capture;
	if (capture->runs > 0) {
		printf("\nThe capture, as %" PRIu64 " run%s said", capture->runs,
		    capture->runs == 1 ? "" : "s");
		if (capture->without_end > 0)
			printf(", %" PRIu64 " of which up to the last interval: its end is not in "
			       "the logs",
			    capture->without_end);
		puts("");
		capture_accounting_print(stdout, &capture->accounting);
	} else {
		puts("\nWhat the capture lost is not known: there is no statistics.jsonl beside "
		     "the logs");
	}
}

static bool print_all(const struct report *report, struct error *error)
{
	error_set(error, "no memory for the report");
	if (report->options->json && !print_json(report))
		return false;
	if (!report->options->json && !report->options->quiet &&
	    report->options->page_path == NULL)
		print_text(report);
	return command_output_end(error);
}

static bool save_metrics(const struct report *report, struct error *error)
{
	struct metrics_page page = {
	    .capture = report->capture.runs > 0 ? &report->capture.accounting : NULL,
	    .statistics = report->statistics,
	};
	const char *path = report->options->metrics_path;
	return path == NULL || metrics_page_save(&page, path, error);
}

static const struct page_alerts_words alerts_words = {"Alerts, and what they rest on",
    "alerts; the first of them:",
    "those of further servers, networks or kinds; alerts.jsonl has them"};

// The last part of a path: what tells logs apart, and not where they lie.
static struct view last_part(const char *path)
{
	size_t length = strlen(path), start;
	while (length > 1 && path[length - 1] == '/')
		length--;
	for (start = length; start > 0 && path[start - 1] != '/';)
		start--;
	return view_of((const uint8_t *)path + start, length - start);
}

// "2 logs: tap-1, tap-2". A report without addresses does not say whose it is, either.
static void name_logs(char room[SOURCE_SIZE], const struct report_options *options)
{
	enum { NAMED = 4 };
	const char *between = ": ";
	size_t most = options->anonymisation_key != NULL ? 0 : NAMED;
	size_t used = (size_t)snprintf(
	    room, SOURCE_SIZE, "%zu log%s", options->log_count, options->log_count == 1 ? "" : "s");
	for (size_t i = 0; i < options->log_count && i < most; i++) {
		struct view name = last_part(options->logs[i]);
		int length = name.length < NAME_MOST ? (int)name.length : NAME_MOST;
		used += (size_t)snprintf(room + used, SOURCE_SIZE - used, "%s%.*s", between, length,
		    (const char *)name.data);
		between = ", ";
	}
	if (options->log_count > most && most > 0)
		(void)snprintf(room + used, SOURCE_SIZE - used, " and others");
}

static bool save_page(const struct report *report, struct error *error)
{
	const struct report_options *options = report->options;
	struct page_table tables[PAGE_TABLES_MAX];
	char source[SOURCE_SIZE];
	name_logs(source, options);
	struct page page = {
	    .title = "mailtap report",
	    .source = source,
	    .capture = report->capture.runs > 0 ? &report->capture.accounting : NULL,
	    .runs = report->capture.runs,
	    .runs_without_end = report->capture.without_end,
	    .capture_times =
	        report->capture.times.buckets.count > 0 ? &report->capture.times : NULL,
	    .alerts_words = &alerts_words,
	    .alerts_known = report->alerts_known,
	    .rows = options->rows,
	};
	if (options->page_path == NULL)
		return true;
	page_take_statistics(&page, tables, report->statistics);
	report_alerts_show(report->alerts, &page, PAGE_ALERTS_MAX);
	return report_page_save(&page, options->page_path, error);
}

static bool write_all(const struct report *report, struct error *error)
{
	const struct report_options *options = report->options;
	const struct statistics *statistics = report->statistics;
	return print_all(report, error) &&
	       (options->csv_directory == NULL ||
	           statistics_write_csv(statistics, options->csv_directory, error)) &&
	       save_metrics(report, error) && save_page(report, error) &&
	       (options->tls_rpt_directory == NULL ||
	           tls_rpt_write(report->reports, options->tls_rpt_directory, error));
}

/* ---- the whole ---- */

static bool open_report(struct report *report, struct error *error)
{
	const struct report_options *options = report->options;
	report->lookup = facts_lookup_open(error);
	if (report->lookup == NULL)
		return false;
	report->tables = whereabouts_open(options->asn_table, options->country_table, error);
	if (report->tables == NULL)
		return false;
	if (options->anonymisation_key != NULL) {
		report->anonymiser = anonymiser_open(options->anonymisation_key, error);
		if (report->anonymiser == NULL)
			return false;
	}
	report->statistics = statistics_create(0, error);
	if (report->statistics == NULL)
		return false;
	if (options->page_path != NULL) {
		report->alerts = report_alerts_create(report->anonymiser, error);
		if (report->alerts == NULL)
			return false;
	}
	if (options->tls_rpt_directory == NULL)
		return true;
	report->reports = tls_rpt_create(error);
	return report->reports != NULL;
}

static int make_report(const struct report_options *options)
{
	struct error error;
	struct report *report = calloc(1, sizeof *report);
	error_set(&error, "no memory for the report");
	bool good = report != NULL;
	if (good) {
		report->options = options;
		good = open_report(report, &error);
	}
	for (size_t i = 0; good && i < options->log_count; i++)
		read_log(report, options->logs[i]);
	if (good)
		judge_addresses(report);
	if (good && report->anonymiser != NULL && anonymiser_failed(report->anonymiser)) {
		error_set(&error, "no memory to anonymise addresses");
		good = false;
	}
	good = good && write_all(report, &error);
	if (!good)
		command_say(&error);
	int code = good && report->failed == 0 ? 0 : 1;
	if (report != NULL) {
		facts_lookup_close(report->lookup);
		whereabouts_close(report->tables);
		report_alerts_destroy(report->alerts);
		anonymiser_destroy(report->anonymiser);
		statistics_destroy(report->statistics);
		tls_rpt_destroy(report->reports);
	}
	free(report);
	return code;
}

int command_report(int argc, char **argv)
{
	struct report_options options;
	struct error error;
	enum options_outcome outcome = report_options_read(argc, argv, &options, &error);
	int code =
	    outcome == OPTIONS_RUN ? make_report(&options) : command_line_end(outcome, &error);
	free(options.logs);
	return code;
}
