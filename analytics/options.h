// SPDX-License-Identifier: Apache-2.0
// The command line: what may be asked for, checked, as plain values. Used by the front door only.
#ifndef MAILTAP_ANALYTICS_OPTIONS_H
#define MAILTAP_ANALYTICS_OPTIONS_H

#include "analytics/cpu_list.h"
#include "analytics/listen_address.h"
#include "capture/base/error.h"
#include "decode/crew.h"

enum options_outcome {
	OPTIONS_RUN,     // go on
	OPTIONS_DONE,    // --help, --version, or that the file is good, was printed
	OPTIONS_WRONG,   // *errors says what; exit code 2
};

enum {
	PATHS_MAX = 64,
	OPTION_ERRORS_MAX = 20,
};

// What is wrong: the first mistake of a command line, all of a file's.
struct option_errors {
	struct error errors[OPTION_ERRORS_MAX];
	size_t count;
	size_t left_out; // more than have room
};

struct config_file;

// options.workers: as many as fit the machine.
#define WORKERS_BY_PROCESSORS SIZE_MAX

// Values of an option that may be repeated, in order.
struct path_list {
	const char *paths[PATHS_MAX];
	size_t count;
};

struct options {
	const char *config_path;   // or NULL
	struct config_file *config; // owns the values that come from it; or NULL
	bool check_config;         // only say whether it is good
	const char **files;        // inputs in order; "-" is standard input
	size_t file_count;
	struct path_list interfaces; // to capture on, instead of inputs; each may be several names
	size_t capture_buffer;     // bytes the kernel keeps packets in until they are read
	bool not_promiscuous;      // only packets for this host
	bool busy_poll;            // never sleep while no packet comes
	const char *dpdk;          // arguments of DPDK's environment: its ports are read; or NULL
	const char *dpdk_ports;    // of them, or NULL: all
	bool no_offload;           // no rules in the card
	char *filter;              // filter expression, or NULL
	const char *log_directory; // or NULL
	const char *records_path;  // or NULL
	const char *sensor;        // or NULL
	struct path_list ca_files, ca_directories, crl_directories, keylogs, patterns;
	const char *pattern_cache; // directory, or NULL: the usual one
	const char *certificate_directory; // where each certificate is written, or NULL
	const char *server_memory; // what is known of servers, across runs; or NULL
	const char *server_baseline; // a list of servers known to be good, or NULL
	bool pem;                  // certificates.jsonl holds the certificates themselves
	nanoseconds alert_interval; // for how long alerts like one that was written are left out
	size_t memory;             // bytes
	size_t workers;            // threads that follow connections; 0: the one that reads does
	struct cpu_list cpus;      // where threads are to run; none: anywhere
	const char *csv_directory, *metrics_path, *tls_rpt_directory; // of statistics, or NULL
	const char *asn_table, *country_table; // of addresses, or NULL
	const char *anonymisation_key; // a file; or NULL: addresses are written as they are
	nanoseconds interval;      // of statistics
	struct listen_address listen; // where to answer HTTP; of length 0: nowhere
	const char *listen_names; // by which the page may be asked for there (http_host.h); or NULL
	const char *user;          // to become once the source is open, or NULL
	bool without_sandbox;
	bool append;               // logs are added to, not replaced
	size_t rotate_size;        // bytes at which a log is put aside; 0: never
	nanoseconds rotate_interval; // likewise
	size_t rotate_keep;        // of each log put aside; 0: all
	bool rotate_zstd;          // they are compressed
	unsigned store;            // which of store_kind_names
	const char *store_file;    // of sqlite, or NULL
	size_t store_keep;         // days; 0: for ever
	size_t store_size;         // bytes; 0: as many as there are
	const char *store_url;     // of clickhouse, or NULL, as the next three
	const char *store_spool;   // a directory
	const char *store_login;   // a file
	const char *store_ca_file;
	size_t store_spool_size;   // bytes
	size_t store_timeout;      // seconds
	size_t store_flush;        // likewise
	bool quiet;
	bool drop_wrong_checksums;
	bool any_port;             // all ports are followed to find mail there
	bool names;                // passive DNS
	const char *trust_anchors; // of DNSSEC: a file; or NULL
	bool mail_headers;         // messages.jsonl
	bool without_ndpi;         // what is no mail is named by our own first look alone
	struct port_table ports;
};

// Allocates *options (options_free); strings of argv are borrowed. What the command line says replaces what
// the configuration file says of the same option, lists as a whole.
enum options_outcome options_read(
    int argc, char **argv, struct options **options, struct option_errors *errors);

// With what each option is if it is not given (options_free). NULL: no memory.
struct options *options_create(void);

// Logs that are there are added to: the run is one that goes on for long.
bool options_keep_logs(const struct options *options);

void options_free(struct options *options);

#endif
