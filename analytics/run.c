// SPDX-License-Identifier: Apache-2.0
#include "analytics/run.h"

#include "analytics/analyst.h"
#include "analytics/exporter.h"
#include "analytics/intake.h"
#include "analytics/interval_clock.h"
#include "analytics/progress.h"
#include "decode/pattern_cache.h"
#include "decode/pattern_set.h"
#include "decode/tls_keylog.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

// Of the memory for connections, this part is given to certificates besides.
enum { CERTIFICATES_SHARE = 8 };

struct run {
	const struct options *options;
	const volatile int *stop;
	struct tls_keylog *keylog; // NULL: none was given
	struct pattern_set *patterns;
	struct crew *crew;
	struct exporters *exporters;
	struct certificate_judge *certificates;
	struct pattern_reader *pattern_reader;
	struct server_memory *servers;
	struct analyst *analyst;
	struct intake *intake; // its thread has the analyst, all that it uses and the exporters until it is finished
	struct exporter_settings settings;
	struct run_accounting accounting;
	struct interval_clock clock;
	atomic_bool output_failed;
};

static void say(const struct error *error)
{
	fprintf(stderr, "mailtap: %s\n", error->text);
}

static void on_record(void *context, const struct session_record *record)
{
	struct run *run = context;
	analyst_session(run->analyst, record);
}

static void on_session(void *context, const struct judged_session *session)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_session(run->exporters, session);
}

static void on_alert(void *context, const struct judged_session *session)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_alert(run->exporters, session);
}

static void on_certificate(void *context, const struct shown_certificate *shown)
{
	struct run *run = context;
	const struct certificate *certificate = certificate_judge_shown(run->certificates, shown);
	if (certificate != NULL && !run->output_failed)
		run->output_failed = !exporters_certificate(run->exporters, certificate);
}

static void on_interval(void *context, const struct ended_interval *interval)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_interval(run->exporters, interval);
}

static void add_counters(struct source_counters *sum, const struct source_counters *one)
{
	sum->packets += one->packets;
	sum->bytes += one->bytes;
	sum->cut_packets += one->cut_packets;
	sum->damaged += one->damaged;
	sum->filtered += one->filtered;
	sum->filtered_in_vlan += one->filtered_in_vlan;
	sum->capture_dropped += one->capture_dropped;
	sum->input_read += one->input_read;
	sum->input_size += one->input_size;
}

// How many packets so far had a link type that nothing reads.
static uint64_t unread_packets(const struct run *run)
{
	return crew_reader_counters(run->crew).headers.outcomes[HEADERS_UNKNOWN_LINK];
}

// An input of which nothing could be read is a failure, not an empty result.
static bool check_links(
    const char *name, const struct source_counters *counters, uint64_t unread, unsigned link_type)
{
	struct error error;
	if (counters->packets == 0 || counters->packets != unread)
		return true;
	error_set(&error,
	    "%s: none of its %llu packets could be read: link type %u carries no IP, or none that "
	    "mailtap knows",
	    name, (unsigned long long)counters->packets, link_type);
	say(&error);
	return false;
}

// The open interval is over. `reading`: what the source that is being read says.
static void end_interval(struct run *run, const struct source_counters *reading)
{
	struct ended_interval interval = {.from = run->clock.from,
	    .until = run->clock.until,
	    .complete = !run->clock.first,
	    .accounting = run->accounting};
	add_counters(&interval.accounting.source, reading);
	interval.accounting.reader = crew_reader_counters(run->crew);
	interval.accounting.losses = crew_losses(run->crew);
	crew_control(run->crew, &interval, sizeof interval);
}

// A worker has come to the end of an interval.
static void on_control(void *lane, struct worker *worker, const void *control, size_t length)
{
	struct ended_interval interval;
	(void)length;
	memcpy(&interval, control, sizeof interval);
	interval.accounting.worker = worker_counters(worker);
	intake_interval(lane, &interval);
}

// So is the last one, at the end of the run: it lasted as long as there were packets.
static void end_last_interval(struct run *run)
{
	struct ended_interval interval = {.from = run->clock.from,
	    .until = run->clock.latest,
	    .accounting = run->accounting};
	if (run->clock.open)
		on_interval(run, &interval);
}

// Gives packets to the worker, and tells where in them an interval ends.
static void feed(struct run *run, const struct source_ops *ops, const struct source *source,
    const struct packet_batch *batch)
{
	size_t count = interval_clock_take(&run->clock, batch);
	if (count == batch->count) {
		crew_batch(run->crew, batch);
		return;
	}
	struct packet_batch part = *batch;
	while (count < part.count) {
		struct source_counters counters = ops->counters(source);
		size_t rest = part.count - count;
		part.count = count;
		crew_batch(run->crew, &part);
		end_interval(run, &counters);
		interval_clock_next(&run->clock, part.packets[count].time);
		memmove(part.packets, part.packets + count, rest * sizeof part.packets[0]);
		part.count = rest;
		count = interval_clock_take(&run->clock, &part);
	}
	crew_batch(run->crew, &part);
}

// Reads one input to its end. False: it ended in an error, which is said.
static bool read_input(struct run *run, const struct source_ops *ops, const char *name)
{
	struct error error;
	struct packet_batch batch;
	struct progress progress;
	struct source_request request = {
	    .target = name,
	    .filter = run->options->filter,
	    .ports = &run->options->ports.set,
	};
	struct source *source = ops->open(&request, &error);
	if (source == NULL) {
		say(&error);
		return false;
	}
	enum source_status status = SOURCE_IDLE;
	uint64_t unread_before = unread_packets(run);
	batch.packets[0].link_type = 0;
	progress_begin(&progress, !run->options->quiet);
	while (!*run->stop && !run->output_failed) {
		status = ops->next(source, 0, &batch, &error);
		if (status == SOURCE_END || status == SOURCE_FAILED)
			break;
		if (status == SOURCE_PACKETS)
			feed(run, ops, source, &batch);
		if (progress_due(&progress)) {
			struct source_counters counters = ops->counters(source);
			progress_step(&progress, name, &counters);
		}
	}
	progress_end(&progress);
	struct source_counters counters = ops->counters(source);
	add_counters(&run->accounting.source, &counters);
	ops->close(source);
	if (status == SOURCE_FAILED)
		say(&error);
	return status != SOURCE_FAILED &&
	       check_links(name, &counters, unread_packets(run) - unread_before,
	           batch.packets[0].link_type);
}

static void read_inputs(struct run *run)
{
	const struct source_ops *ops = source_find("file");
	for (size_t i = 0; i < run->options->file_count; i++) {
		if (*run->stop || run->output_failed)
			break;
		if (!read_input(run, ops, run->options->files[i]))
			run->accounting.inputs_failed++;
	}
	run->accounting.interrupted = *run->stop != 0;
}

// Tells of what a key log has that is of no use. Never of the secrets themselves.
static void judge_keylog(const char *name, const struct tls_keylog_counters *before,
    const struct tls_keylog_counters *after)
{
	struct error error;
	uint64_t malformed = after->malformed - before->malformed;
	uint64_t refused = after->refused - before->refused;
	if (malformed > 0) {
		error_set(&error, "%s: %llu of %llu lines are none of a key log, and passed over",
		    name, (unsigned long long)malformed,
		    (unsigned long long)(after->lines - before->lines));
		say(&error);
	}
	if (refused > 0) {
		error_set(&error, "%s: %llu secrets left out: key logs may have %d sessions in all",
		    name, (unsigned long long)refused, TLS_KEYLOG_SESSIONS_MAX);
		say(&error);
	}
	if (after->secrets == before->secrets && refused == 0) {
		error_set(&error, "%s: no line of it opens a handshake", name);
		say(&error);
	}
}

static bool read_keylog(struct tls_keylog *keylog, const char *name, struct error *error)
{
	struct tls_keylog_counters before = tls_keylog_counters(keylog);
	if (!tls_keylog_read(keylog, name, error))
		return false;
	struct tls_keylog_counters after = tls_keylog_counters(keylog);
	judge_keylog(name, &before, &after);
	return true;
}

// All key logs, before the first packet. False: one could not be read.
static bool read_keylogs(struct run *run, struct error *error)
{
	const struct path_list *list = &run->options->keylogs;
	if (list->count == 0)
		return true;
	run->keylog = tls_keylog_create();
	error_set(error, "no memory for key logs");
	bool good = run->keylog != NULL;
	for (size_t i = 0; good && i < list->count; i++)
		good = read_keylog(run->keylog, list->paths[i], error);
	return good;
}

// The shipped patterns and the user's, compiled. False: one of them is wrong.
static bool load_patterns(struct run *run, struct error *error)
{
	char usual[PATH_MAX];
	const struct options *options = run->options;
	struct pattern_set_options patterns = {
	    .files = options->patterns.paths,
	    .file_count = options->patterns.count,
	    .cache_directory = options->pattern_cache,
	};
	if (patterns.cache_directory == NULL && pattern_cache_usual_directory(usual, sizeof usual))
		patterns.cache_directory = usual;
	run->patterns = pattern_set_load(&patterns, error);
	if (run->patterns == NULL)
		return false;
	run->pattern_reader = pattern_reader_create(run->patterns);
	error_set(error, "no memory for patterns");
	return run->pattern_reader != NULL;
}

static struct exporter_settings settings_of(const struct options *options)
{
	bool printed = options->records_path != NULL && strcmp(options->records_path, "-") == 0;
	return (struct exporter_settings){
	    .log_directory = options->log_directory,
	    .records_path = options->records_path,
	    .sensor = options->sensor,
	    .certificate_directory = options->certificate_directory,
	    .pem = options->pem,
	    .alert_interval = options->alert_interval,
	    .csv_directory = options->csv_directory,
	    .metrics_path = options->metrics_path,
	    .tls_rpt_directory = options->tls_rpt_directory,
	    .asn_table = options->asn_table,
	    .country_table = options->country_table,
	    .summary = options->quiet ? NULL
	               : printed      ? stderr
	                              : stdout,
	};
}

static struct certificate_judge *open_judge(const struct options *options, struct error *error)
{
	struct certificate_judge_options judge = {
	    .trust = {.ca_files = options->ca_files.paths,
	        .ca_file_count = options->ca_files.count,
	        .ca_directories = options->ca_directories.paths,
	        .ca_directory_count = options->ca_directories.count,
	        .crl_directories = options->crl_directories.paths,
	        .crl_directory_count = options->crl_directories.count},
	    .memory = options->memory / CERTIFICATES_SHARE,
	};
	return certificate_judge_create(&judge, error);
}

// What is known of servers from before: an earlier run's memory, a list of good ones.
static bool open_servers(struct run *run, struct error *error)
{
	const struct server_memory_options usual = {0};
	const struct options *options = run->options;
	run->servers = server_memory_create(&usual);
	if (run->servers == NULL) {
		error_set(error, "no memory for what is known of servers");
		return false;
	}
	if (options->server_baseline != NULL &&
	    !server_memory_load_baseline(run->servers, options->server_baseline, error))
		return false;
	if (options->server_memory == NULL)
		return true;
	if (!server_memory_can_save(options->server_memory, error) ||
	    !server_memory_load(run->servers, options->server_memory, error))
		return false;
	if (error->text[0] != '\0')
		say(error); // a part of it is damaged
	return true;
}

// What judges sessions, and what it remembers.
static bool open_analyst(struct run *run, struct error *error)
{
	if (!open_servers(run, error))
		return false;
	const struct analyst_options analyst = {.certificates = run->certificates,
	    .patterns = run->pattern_reader,
	    .servers = run->servers,
	    .sinks = {on_session, on_alert, run}};
	run->analyst = analyst_create(&analyst, error);
	return run->analyst != NULL;
}

// The workers, and the thread that judges and writes what they find.
static bool start_threads(struct run *run, struct error *error)
{
	const struct options *options = run->options;
	unsigned count = options->workers > 0 ? options->workers : 1;
	void *lanes[CREW_WORKERS_MAX];
	struct intake_options intake = {
	    .sinks = {on_record, on_certificate, on_interval, run}, .lanes = count, .cpu = -1};
	run->intake = intake_create(&intake, error);
	if (run->intake == NULL)
		return false;
	for (unsigned i = 0; i < count; i++)
		lanes[i] = intake_lane(run->intake, i);
	struct crew_options crew = {
	    .worker = {.ports = &options->ports,
	        .memory = options->memory,
	        .keylog = run->keylog,
	        .patterns = run->patterns,
	        .without_foreign = options->without_ndpi,
	        .drop_wrong_checksums = options->drop_wrong_checksums,
	        .on_session = intake_session,
	        .on_certificate = intake_certificate},
	    .threads = options->workers,
	    .contexts = lanes,
	    .on_control = on_control,
	    .on_progress = intake_progress,
	};
	run->crew = crew_create(&crew, error);
	for (unsigned i = 0; run->crew != NULL && i < count; i++)
		intake_lane_of(lanes[i], crew_worker(run->crew, i));
	return run->crew != NULL;
}

// False: *error says why; finish_sessions and close_outputs free what there is.
static bool open_run(struct run *run, struct error *error)
{
	run->settings = settings_of(run->options);
	run->clock.length = run->options->interval;
	if (!read_keylogs(run, error) || !load_patterns(run, error))
		return false;
	run->certificates = open_judge(run->options, error);
	if (run->certificates == NULL)
		return false;
	run->exporters = exporters_open(&run->settings, error);
	if (run->exporters == NULL || !open_analyst(run, error))
		return false;
	return start_threads(run, error);
}

// The last sessions, and everything that is still on its way to the outputs.
static void finish_sessions(struct run *run)
{
	if (run->crew != NULL) {
		crew_finish(run->crew);
		run->accounting.reader = crew_reader_counters(run->crew);
		run->accounting.worker = crew_worker_counters(run->crew);
		run->accounting.losses = crew_losses(run->crew);
	}
	crew_destroy(run->crew);
	tls_keylog_destroy(run->keylog);
	intake_finish(run->intake);
	if (run->analyst != NULL)
		analyst_finish(run->analyst);
	end_last_interval(run);
	analyst_destroy(run->analyst);
	pattern_reader_destroy(run->pattern_reader);
	pattern_set_destroy(run->patterns);
}

// False: an output was not written whole; *error says why.
static bool close_outputs(
    struct run *run, const struct run_accounting *accounting, struct error *error)
{
	struct error ignored;
	bool written = run->exporters == NULL || exporters_close(run->exporters, accounting, error);
	if (accounting != NULL && run->options->server_memory != NULL)
		written &= server_memory_save(
		    run->servers, run->options->server_memory, written ? error : &ignored);
	server_memory_destroy(run->servers);
	certificate_judge_destroy(run->certificates);
	return written;
}

int run(const struct options *options, const volatile int *stop)
{
	struct run run = {.options = options, .stop = stop};
	struct error error, ignored;
	if (!open_run(&run, &error)) {
		say(&error);
		finish_sessions(&run);
		close_outputs(&run, NULL, &ignored);
		return 1;
	}
	read_inputs(&run);
	finish_sessions(&run);
	run.accounting.certificates = certificate_judge_counters(run.certificates);
	run.accounting.trust = certificate_judge_trust(run.certificates);
	bool written = close_outputs(&run, &run.accounting, &error);
	if (!written)
		say(&error);
	return written && run.accounting.inputs_failed == 0 ? 0 : 1;
}
