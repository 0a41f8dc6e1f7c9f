// SPDX-License-Identifier: Apache-2.0
// Opens all that a run uses, in the order that privileges and the sandbox ask for.
#include "analytics/confinement.h"
#include "analytics/privileges.h"
#include "analytics/reloader.h"
#include "analytics/run_parts.h"
#include "analytics/store_kinds.h"
#include "capture/base/cpu.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

// Of the memory for connections, this part is given to certificates besides.
enum { CERTIFICATES_SHARE = 8 };

static bool confine(const struct run *run, struct error *error)
{
	bool good = confinement_enter_sandbox(run->options, error);
	if (good && error->text[0] != '\0' && !run->options->quiet)
		run_say(error); // the system has not all of it
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
		run_say(error); // a part of it is damaged
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
	    .sinks = run_analyst_sinks(run)};
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
	    .tell = run_say,
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
	    .sinks = run_intake_sinks(run),
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
	    .tell = run_say,
	};
	run->settings.stay_up = keep;
	run->settings.tell = run_say;
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
	    .tell = run_say,
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
	    .on_domain = run_on_domain,
	    .on_lookups = run_on_lookups,
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

bool run_open(struct run *run, struct error *error)
{
	run->settings = settings_of(run->options);
	run->started = (uint64_t)time(NULL);
	if (!start_shipper(run, error))
		return false;
	privileges_open();
	if (!live_input_open(&run->live, run->options, choose_workers(run->options), error) ||
	    !confinement_drop_privileges(run->options, error))
		return false;
	if (!open_view(run, error) || !run_read_keylogs(run, error) || !load_patterns(run, error))
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
