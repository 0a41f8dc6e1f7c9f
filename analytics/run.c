// SPDX-License-Identifier: Apache-2.0
#include "analytics/run.h"

#include "analytics/analyst.h"
#include "analytics/confinement.h"
#include "analytics/dns_view.h"
#include "analytics/exporter.h"
#include "analytics/feed.h"
#include "analytics/inputs.h"
#include "analytics/intake.h"
#include "analytics/log_directory.h"
#include "analytics/privileges.h"
#include "analytics/reloader.h"
#include "analytics/run_view.h"
#include "analytics/shipper.h"
#include "analytics/store_kinds.h"
#include "analytics/upkeep.h"
#include "capture/base/cpu.h"
#include "decode/pattern_set.h"
#include "decode/tls_keylog.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// Of the memory for connections, this part is given to certificates besides.
enum { CERTIFICATES_SHARE = 8 };

struct run {
	const struct options *options;
	struct signals *signals;
	struct tls_keylog *keylog; // NULL: none was given
	const struct pattern_set *patterns;
	struct live_input live; // opened first: what it takes to do so can be given up then
	struct feed *feed;
	struct exporters *exporters;
	struct certificate_judge *certificates;
	struct pattern_reader *pattern_reader;
	struct server_memory *servers;
	struct analyst *analyst;
	struct log_directory *logs; // NULL: none
	struct dns_view *names; // NULL: nobody asked for it
	struct mail_names *mail_names; // NULL: headers of mail are not read
	struct upkeep *upkeep;
	struct intake *intake; // its thread has the analyst, all that it uses and the exporters until it is finished
	struct exporter_settings settings;
	struct store_settings store;
	struct shipper *shipper; // NULL: records are sent nowhere
	struct run_accounting accounting;
	atomic_bool output_failed;
	// For who asks how the run goes.
	struct run_view *view; // NULL: nobody may
	struct run_accounting so_far; // the analytics thread's: what was told last
	uint64_t started; // Unix time
	_Atomic uint64_t inputs_failed;
};

static void say(const struct error *error)
{
	fprintf(stderr, "mailtap: %s\n", error->text);
}

static bool confine(const struct run *run, struct error *error)
{
	bool good = confinement_enter_sandbox(run->options, error);
	if (good && error->text[0] != '\0' && !run->options->quiet)
		say(error); // the system has not all of it
	return good;
}

static void on_record(void *context, const struct session_record *record)
{
	struct run *run = context;
	analyst_session(run->analyst, record);
}

static void on_session(void *context, const struct judged_session *session)
{
	struct run *run = context;
	if (run->names != NULL)
		dns_view_session(run->names, session->record, session->judgement.verdict);
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

static void on_names(void *context, const struct dns_message *message)
{
	struct run *run = context;
	struct error error;
	if (run->output_failed || dns_view_message(run->names, message, &error))
		return;
	say(&error);
	run->output_failed = true;
}

static void on_domain(
    void *context, const struct json *line, const struct domain_facts *facts)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_domain(run->exporters, line, facts);
}

static void on_lookups(
    void *context, const struct json *line, const struct lookup_facts *facts)
{
	struct run *run = context;
	if (!run->output_failed)
		run->output_failed = !exporters_lookups(run->exporters, line, facts);
}

// What is not counted by those who read packets.
static void complete_accounting(const struct run *run, struct run_accounting *accounting)
{
	accounting->started = run->started;
	accounting->inputs_failed = run->inputs_failed;
	accounting->certificates = certificate_judge_counters(run->certificates);
	accounting->servers = server_memory_counters(run->servers);
	accounting->analyst = analyst_counters(run->analyst);
	accounting->names = dns_view_counters(run->names);
	accounting->written = exporters_written(run->exporters);
}

static void on_interval(void *context, const struct ended_interval *ended)
{
	struct run *run = context;
	struct ended_interval interval = *ended;
	complete_accounting(run, &interval.accounting);
	live_state_account(run_view_live(run->view), &interval.accounting);
	if (!run->output_failed)
		run->output_failed = !exporters_interval(run->exporters, &interval);
}

static void on_account(void *context, const struct run_accounting *accounting, bool whole)
{
	struct run *run = context;
	run->so_far = *accounting;
	if (!whole)
		return;
	live_state_account(run_view_live(run->view), accounting);
	upkeep_account(run->upkeep, accounting);
	if (!signals_take(&run->signals->statistics) || run->output_failed)
		return;
	complete_accounting(run, &run->so_far);
	run->output_failed = !exporters_so_far(run->exporters, &run->so_far);
}

// Somebody may want to know how the run goes.
static void show(struct run *run, const struct intake *intake)
{
	enum published_kind kind;
	if (!run_view_turn(run->view, &kind))
		return;
	complete_accounting(run, &run->so_far);
	const struct run_figures figures = {run->exporters, &run->so_far, intake};
	run_view_answer(run->view, kind, &figures);
}

static void on_turn(void *context, const struct intake *intake)
{
	struct run *run = context;
	struct error error;
	show(run, intake);
	if (run->output_failed || !upkeep_is_due(run->upkeep))
		return;
	run->output_failed = !exporters_second(run->exporters);
	if (upkeep_second(run->upkeep, &error))
		return;
	say(&error);
	run->output_failed = true;
}

static void on_wait(void *context)
{
	struct run *run = context;
	run->output_failed = run->output_failed || !exporters_wait(run->exporters);
}

static struct run_accounting account_so_far(const struct run *run)
{
	struct run_accounting accounting = {.interrupted = false};
	feed_account(run->feed, &accounting);
	return accounting;
}

// An input of which nothing could be read is a failure, not an empty result.
static bool check_links(const struct run *run, const char *name, const struct run_accounting *before,
    struct error *error)
{
	struct run_accounting after = account_so_far(run);
	uint64_t packets = after.source.packets - before->source.packets;
	uint64_t unread = after.reader.headers.outcomes[HEADERS_UNKNOWN_LINK] -
	                  before->reader.headers.outcomes[HEADERS_UNKNOWN_LINK];
	error_set(error,
	    "%s: none of its %llu packets could be read: link type %u carries no IP, or none that "
	    "mailtap knows",
	    name, (unsigned long long)packets, feed_link_type(run->feed));
	return packets == 0 || packets != unread;
}

// Reads one input to its end. False: *error.
static bool read_input(
    const struct run *run, const struct source_ops *ops, const char *name, struct error *error)
{
	struct source_request request = {
	    .target = name,
	    .filter = run->options->filter,
	    .ports = &run->options->ports.set,
	};
	struct source *source = ops->open(&request, error);
	if (source == NULL)
		return false;
	run_view_set_stage(run->view, STAGE_READING);
	struct run_accounting before = account_so_far(run);
	bool good = feed_read(run->feed, ops, source, name, error);
	ops->close(source);
	return good && check_links(run, name, &before, error);
}

static void read_inputs(struct run *run)
{
	struct error error;
	const struct source_ops *ops = source_find("file");
	for (size_t i = 0; i < run->options->file_count; i++) {
		if (signals_stop(run->signals) || run->output_failed)
			break;
		if (read_input(run, ops, run->options->files[i], &error))
			continue;
		say(&error);
		run->inputs_failed++;
	}
	run->accounting.interrupted = signals_stop(run->signals);
}

// Until it ends, or a signal comes: that is how a live run ends.
static void read_live(struct run *run)
{
	struct error error;
	run_view_set_stage(run->view, STAGE_READING);
	if (!feed_read(run->feed, run->live.ops, run->live.source, run->live.name, &error)) {
		say(&error);
		run->inputs_failed++;
	}
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
	run->patterns = load_given_patterns(run->options, error);
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
	    .anonymisation_key = options->anonymisation_key,
	    .summary = options->quiet ? NULL
	               : printed      ? stderr
	                              : stdout,
	};
}

static struct certificate_judge *open_judge(const struct options *options, struct error *error)
{
	struct certificate_judge_options judge = {
	    .trust = given_trust_options(options),
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

static unsigned choose_workers(const struct options *options)
{
	enum { OTHERS = 2, MOST = 8 }; // threads besides: one reads, one judges and writes
	if (options->workers != WORKERS_BY_PROCESSORS)
		return (unsigned)options->workers;
	unsigned cpus = cpu_count();
	if (cpus <= OTHERS)
		return 0;
	return cpus - OTHERS < MOST ? cpus - OTHERS : MOST;
}

// The processors of the threads, in their order: reading, workers, judging. False: too few were named.
static bool place_threads(const struct cpu_list *list, unsigned workers, struct error *error)
{
	if (list->count == 0)
		return true;
	error_set(error, "--cpus: %zu processors for %u threads", list->count, workers + 2);
	if (list->count < workers + 2)
		return false;
	error_set(error, "--cpus: processor %d is not there, or not allowed", list->cpus[0]);
	return cpu_pin(pthread_self(), list->cpus[0]);
}

static bool open_upkeep(struct run *run, struct error *error)
{
	const struct upkeep_options upkeep = {
	    .options = run->options,
	    .signals = run->signals,
	    .patterns = run->patterns,
	    .logs = run->logs,
	    .exporters = run->exporters,
	    .certificates = run->certificates,
	    .servers = run->servers,
	    .names = run->names,
	    .server_memory = run->settings.stay_up ? run->options->server_memory : NULL,
	    .tell = say,
	};
	run->upkeep = upkeep_create(&upkeep, error);
	return run->upkeep != NULL;
}

// The workers, and the thread that judges and writes what they find.
static bool start_threads(struct run *run, struct error *error)
{
	const struct options *options = run->options;
	unsigned workers = choose_workers(options);
	unsigned lanes = live_input_lanes(&run->live);
	const struct cpu_list *cpus = &options->cpus;
	if (!place_threads(cpus, workers, error))
		return false;
	struct intake_options intake = {
	    .sinks = {on_record, on_certificate, on_names, on_interval, on_account, on_turn, on_wait, run},
	    .lanes = feed_workers(lanes, workers),
	    .live = live_input_is_live(&run->live),
	    .cpu = cpus->count > 0 ? cpus->cpus[cpus->count - 1] : -1,
	};
	run->intake = intake_create(&intake, error);
	if (run->intake == NULL)
		return false;
	struct feed_options feed = {
	    .crew = {.worker = {.ports = &options->ports,
	                 .memory = options->memory,
	                 .keylog = run->keylog,
	                 .patterns = run->patterns,
	                 .without_foreign = options->without_ndpi,
	                 .mail_names = run->mail_names,
	                 .mail_hashes = run->names != NULL,
	                 .drop_wrong_checksums = options->drop_wrong_checksums},
	        .threads = workers,
	        .watch = upkeep_watch(run->upkeep),
	        .live = live_input_is_live(&run->live),
	        .cpus = cpus->count > 0 ? cpus->cpus + 1 : NULL},
	    .lanes = lanes,
	    .interval = options->interval,
	    .intake = run->intake,
	    .quiet = options->quiet,
	    .watched = run->view != NULL,
	    .stop = &run->signals->stop,
	    .wanted = &run->signals->statistics,
	    .broken = &run->output_failed,
	};
	run->feed = feed_create(&feed, error);
	return run->feed != NULL;
}

// True also if nobody is to be told how the run goes.
static bool open_view(struct run *run, struct error *error)
{
	const struct options *options = run->options;
	const struct live_settings settings = {
	    .sensor = options->sensor,
	    .names = options->listen_names,
	    .anonymised = options->anonymisation_key != NULL,
	    .memory = options->memory,
	};
	if (options->listen.length == 0)
		return true;
	run->view = run_view_open(&options->listen, &settings, error);
	run->settings.live = run_view_live(run->view);
	return run->view != NULL;
}

// A run that goes on for long adds to its logs, and stays up where they cannot be written.
static bool open_logs(struct run *run, struct error *error)
{
	const struct options *options = run->options;
	bool keep = options_keep_logs(options) || run->live.ops != NULL;
	const struct log_policy policy = {
	    .keep = keep,
	    .stay_up = keep,
	    .rotate_size = options->rotate_size,
	    .rotate_interval = options->rotate_interval / SECONDS(1),
	    .rotate_keep = options->rotate_keep,
	    .compress = options->rotate_zstd,
	    .tell = say,
	};
	run->settings.stay_up = keep;
	run->settings.tell = say;
	if (options->log_directory == NULL)
		return true;
	run->logs = log_directory_open(options->log_directory, &policy, error);
	run->settings.logs = run->logs;
	run->settings.appends = keep;
	return run->logs != NULL;
}

// Opened with the exporters; it stays up where logs would.
static void set_store(struct run *run)
{
	const struct options *options = run->options;
	if (options->store == STORE_KIND_NONE)
		return;
	run->store = (struct store_settings){
	    .kind = store_kind_names[options->store],
	    .file = options->store_file,
	    .keep = options->store_keep,
	    .size = options->store_size,
	    .spool = options->store_spool,
	    .spool_size = options->store_spool_size,
	    .flush = options->store_flush,
	    .shipper = run->shipper,
	    .sensor = options->sensor,
	    .waits = run->live.ops == NULL,
	    .stay_up = run->settings.stay_up,
	    .tell = say,
	};
	run->settings.store_settings = &run->store;
	run->settings.appends = true; // other runs stand in it
}

// True also if nothing is to be sent. The first of all: its process has nothing of what this one comes to have.
static bool start_shipper(struct run *run, struct error *error)
{
	const struct options *options = run->options;
	struct shipper_plan plan = {.spool = options->store_spool,
	    .login = options->store_login,
	    .ca_file = options->store_ca_file,
	    .timeout = (unsigned)options->store_timeout,
	    .user = confinement_user(options),
	    .without_sandbox = options->without_sandbox};
	if (options->store != STORE_KIND_CLICKHOUSE)
		return true;
	if (!clickhouse_url_read(&plan.url, options->store_url, "--store-url", error))
		return false;
	run->shipper = shipper_start(&plan, error);
	return run->shipper != NULL;
}

// True also if nobody asked for names.
static bool open_names(struct run *run, struct error *error)
{
	const struct dns_view_options names = {
	    .on_domain = on_domain,
	    .on_lookups = on_lookups,
	    .context = run,
	    .sensor = run->options->sensor,
	    .anonymisation_key = run->options->anonymisation_key,
	    .trust_anchors = run->options->trust_anchors,
	};
	run->settings.names = run->options->names;
	if (!run->options->names)
		return true;
	run->names = dns_view_open(&names, error);
	if (run->names == NULL)
		return false;
	error_set(error, "no memory for what DNS says");
	return certificate_judge_use_dns(run->certificates, dns_view_known(run->names));
}

// True also if nobody asked for headers.
static bool open_mail_names(struct run *run, struct error *error)
{
	error_set(error, "cannot read the public suffix list: is publicsuffix installed?");
	run->settings.mail_headers = run->options->mail_headers;
	if (!run->options->mail_headers)
		return true;
	run->mail_names = mail_names_create();
	return run->mail_names != NULL;
}

// False: *error says why; finish_sessions and close_outputs free what there is.
static bool open_run(struct run *run, struct error *error)
{
	run->settings = settings_of(run->options);
	run->started = (uint64_t)time(NULL);
	if (!start_shipper(run, error))
		return false;
	privileges_open();
	if (!live_input_open(&run->live, run->options, choose_workers(run->options), error) ||
	    !confinement_drop_privileges(run->options, error))
		return false;
	if (!open_view(run, error) || !read_keylogs(run, error) || !load_patterns(run, error))
		return false;
	run->certificates = open_judge(run->options, error);
	if (run->certificates == NULL)
		return false;
	if (!open_logs(run, error) || !open_names(run, error) || !open_mail_names(run, error))
		return false;
	run->settings.keys = dns_view_memory(run->names);
	set_store(run);
	run->exporters = exporters_open(&run->settings, error);
	if (run->exporters == NULL || !open_analyst(run, error) || !confine(run, error))
		return false;
	return open_upkeep(run, error) && start_threads(run, error);
}

// The last sessions, and everything that is still on its way to the outputs.
static void finish_sessions(struct run *run)
{
	struct ended_interval last;
	bool begun = false;
	run_view_set_stage(run->view, STAGE_DRAINING);
	if (run->feed != NULL) {
		feed_finish(run->feed);
		feed_account(run->feed, &run->accounting);
		begun = feed_last_interval(run->feed, &last);
	}
	intake_finish(run->intake);
	run_view_rest(run->view);
	feed_destroy(run->feed);
	mail_names_destroy(run->mail_names);
	tls_keylog_destroy(run->keylog);
	if (run->analyst != NULL)
		analyst_finish(run->analyst);
	last.accounting = run->accounting;
	if (begun)
		on_interval(run, &last);
	upkeep_destroy(run->upkeep);
	pattern_reader_destroy(run->pattern_reader);
	pattern_set_destroy(run->patterns);
}

// False: an output was not written whole; *error says why.
static bool close_outputs(
    struct run *run, const struct run_accounting *accounting, struct error *error)
{
	struct error ignored;
	bool written = run->exporters == NULL || exporters_close(run->exporters, accounting, error);
	dns_view_close(run->names);
	log_directory_close(run->logs);
	if (accounting != NULL && run->options->server_memory != NULL)
		written &= server_memory_save(
		    run->servers, run->options->server_memory, written ? error : &ignored);
	shipper_end(run->shipper);
	analyst_destroy(run->analyst);
	server_memory_destroy(run->servers);
	certificate_judge_destroy(run->certificates);
	return written;
}

int run(const struct options *options, struct signals *signals)
{
	struct run run = {.options = options, .signals = signals};
	struct error error, ignored;
	if (!open_run(&run, &error)) {
		say(&error);
		finish_sessions(&run);
		close_outputs(&run, NULL, &ignored);
		run_view_close(run.view);
		live_input_close(&run.live);
		return 1;
	}
	upkeep_ready(run.upkeep);
	if (run.live.ops != NULL)
		read_live(&run);
	else
		read_inputs(&run);
	upkeep_stopping(run.upkeep);
	finish_sessions(&run);
	bool named = dns_view_finish(run.names, &error);
	if (!named)
		say(&error);
	complete_accounting(&run, &run.accounting);
	run.accounting.trust = certificate_judge_trust(run.certificates);
	bool written = close_outputs(&run, &run.accounting, &error);
	run_view_close(run.view);
	live_input_close(&run.live); // last: a driver may not survive it, and all is written
	if (!written)
		say(&error);
	return written && named && run.inputs_failed == 0 ? 0 : 1;
}
