// SPDX-License-Identifier: Apache-2.0
#include "analytics/options.h"

#include "analytics/clickhouse_url.h"
#include "analytics/command_line.h"
#include "analytics/config_file.h"
#include "analytics/interface_list.h"
#include "analytics/log_compress.h"
#include "analytics/option_help.h"
#include "analytics/option_table.h"
#include "analytics/option_values.h"
#include "analytics/store_kinds.h"
#include "analytics/port_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
	struct options *options;
	struct option names[OPTION_ROWS_MAX + 1]; // for getopt_long
	char letters[COMMAND_LETTERS_SIZE]; // likewise
	bool given[OPTION_ROWS_MAX]; // on the command line
	bool files_may_follow; // the last words were captures: `-r *.pcap` gives many
	bool filter_given; // by -f
	bool filter_words; // behind the options
};

// What getopt_long is told, from the table.
static void begin_reading(struct reading *reading)
{
	for (size_t i = 0; i < option_rows; i++) {
		const struct option_row *row = &option_table[i];
		reading->names[i] = (struct option){.name = row->name,
		    .has_arg = row->argument != NULL ? required_argument : no_argument,
		    .val = row->letter != 0 ? row->letter : COMMAND_LONG_ONLY + (int)i};
	}
	command_line_letters(reading->names, reading->letters);
}

// The row of what getopt_long returned for one of the table.
static const struct option_row *row_of(int option)
{
	size_t i = 0;
	if (option >= COMMAND_LONG_ONLY)
		return &option_table[option - COMMAND_LONG_ONLY];
	while (option_table[i].letter != option)
		i++;
	return &option_table[i];
}

// A word that is no option: another capture right behind -r, otherwise part of the filter.
static bool read_word(struct reading *reading, const char *word, struct error *error)
{
	bool is_file =
	    strcmp(word, "-") == 0 || access(word, F_OK) == 0 || strchr(word, '/') != NULL;
	if (reading->files_may_follow && !reading->filter_words && is_file)
		return option_captures.read(reading->options, NULL, "-r", word, error);
	if (reading->filter_given) {
		error_set(error, "\"%.80s\": there is a filter by -f already%s", word,
		    is_file ? "; name captures behind -r" : "");
		return false;
	}
	if (is_file && strchr(word, '/') != NULL && !reading->files_may_follow) {
		error_set(error, "\"%.80s\": name captures behind -r", word);
		return false;
	}
	reading->filter_words = true;
	return option_add_filter_word(reading->options, word, error);
}

static bool read_value(
    struct reading *reading, const struct option_row *row, const char *value, struct error *error)
{
	char shown[OPTION_NAME_MAX];
	option_shown_as(row, shown);
	reading->given[row - option_table] = true;
	reading->files_may_follow = row->kind == &option_captures;
	reading->filter_given |= row->kind == &option_filter;
	return row->kind->read(reading->options, row, shown, value, error);
}

// Opened for writing, a capture would be gone before it is read.
static bool is_capture(const struct options *options, const char *path)
{
	struct stat output, capture;
	if (path == NULL || stat(path, &output) != 0 || !S_ISREG(output.st_mode))
		return false;
	for (size_t i = 0; i < options->file_count; i++)
		if (stat(options->files[i], &capture) == 0 && capture.st_dev == output.st_dev &&
		    capture.st_ino == output.st_ino)
			return true;
	return false;
}

static bool wants_statistics(const struct options *options)
{
	return options->log_directory != NULL || options->csv_directory != NULL ||
	       options->metrics_path != NULL || options->tls_rpt_directory != NULL ||
	       options->listen.length > 0 || options->store != STORE_KIND_NONE;
}

// An option that is about logs that are kept. NULL: none is given.
static const char *keeping_option(const struct options *options)
{
	return options->append                ? "--append"
	       : options->rotate_size > 0     ? "--rotate-size"
	       : options->rotate_interval > 0 ? "--rotate-interval"
	       : options->rotate_keep > 0     ? "--rotate-keep"
	       : options->rotate_zstd         ? "--rotate-zstd"
	                                      : NULL;
}

bool options_keep_logs(const struct options *options)
{
	return keeping_option(options) != NULL;
}

// What a store on ClickHouse needs, and cannot do with.
static bool check_clickhouse(const struct options *options, struct error *error)
{
	struct clickhouse_url url;
	if (options->store_url == NULL)
		error_set(error, "--store clickhouse: needs --store-url http[s]://HOST[:PORT][/DATABASE]");
	else if (options->store_spool == NULL)
		error_set(error, "--store clickhouse: needs --store-spool DIR, where records wait for it");
	else if (options->sensor == NULL)
		error_set(error, "--store clickhouse: needs --sensor NAME: other taps may write there");
	else if (options->store_keep > 0 || options->store_size > 0)
		error_set(error, "--store-keep, --store-size: are of sqlite; what ClickHouse keeps is said "
		                 "there (configs/clickhouse/README.md)");
	else
		return clickhouse_url_read(&url, options->store_url, "--store-url", error);
	return false;
}

static bool check_store(const struct options *options, struct error *error)
{
	const char *useless = options->store_file != NULL ? "--store-file"
	                      : options->store_keep > 0   ? "--store-keep"
	                      : options->store_size > 0   ? "--store-size"
	                                                  : NULL;
	bool sqlite = strcmp(store_kind_names[options->store], "sqlite") == 0;
	if (options->store == STORE_KIND_CLICKHOUSE)
		return check_clickhouse(options, error);
	if (options->store == STORE_KIND_NONE && useless != NULL)
		error_set(error, "%s: nothing is stored without --store", useless);
	else if (sqlite && options->store_file == NULL)
		error_set(error, "--store sqlite: name the database with --store-file FILE");
	else if (is_capture(options, options->store_file))
		error_set(error, "--store-file: %.200s is one of the captures to read",
		    options->store_file);
	else
		return true;
	return false;
}

// What is wrong with options beside each other. A message begins with the option that it is about.
static bool check(const struct options *options, struct error *error)
{
	if (options->filter != NULL && !option_filter_check(options->filter, error))
		return false;
	bool stores = options->store != STORE_KIND_NONE;
	size_t standard_inputs = 0;
	for (size_t i = 0; i < options->file_count; i++)
		standard_inputs += strcmp(options->files[i], "-") == 0;
	if (options->file_count > 0 && options->interfaces.count > 0)
		error_set(error, "-r, -i: captures are read or interfaces are, not both");
	else if (options->dpdk != NULL &&
	         (options->file_count > 0 || options->interfaces.count > 0))
		error_set(error, "%s, --dpdk: only one of them can be read",
		    options->file_count > 0 ? "-r" : "-i");
	else if (options->dpdk == NULL && options->dpdk_ports != NULL)
		error_set(error, "-p: needs --dpdk");
	else if (options->trust_anchors != NULL && !options->names)
		error_set(error, "--trust-anchors: needs --dns");
	else if (options->file_count == 0 && options->interfaces.count == 0 &&
	         options->dpdk == NULL && !options->check_config)
		error_set(error, "nothing to read: name a capture with -r FILE, or a network "
		                 "interface with -i NAME; see --help");
	else if (standard_inputs > 1)
		error_set(error, "standard input can be read only once");
	else if ((options->asn_table != NULL || options->country_table != NULL) &&
	         !wants_statistics(options))
		error_set(error,
		    "--asn-db, --country-db: statistics are written only with -w, --csv, "
		    "--metrics, --tls-rpt, --listen or --store");
	else if (options->anonymisation_key != NULL &&
	         (options->pem || options->certificate_directory != NULL))
		error_set(error, "--anonymise: the certificates themselves may have addresses in "
		                 "them that cannot be changed: leave out --pem and --write-certs");
	else if (options->pem && options->log_directory == NULL && !stores)
		error_set(error, "--pem: certificates are written only with -w DIR or --store");
	else if (options_keep_logs(options) && options->log_directory == NULL &&
	         !(options->append && stores))
		error_set(error, "%s: logs are written only with -w DIR", keeping_option(options));
	else if (options->rotate_zstd && !log_compress_can())
		error_set(error, "--rotate-zstd: this mailtap was built without libzstd");
	else if (is_capture(options, options->metrics_path))
		error_set(error,
		    "--metrics: %.200s is one of the captures to read; it would be lost",
		    options->metrics_path);
	else if (is_capture(options, options->records_path))
		error_set(error, "-o: %.200s is one of the captures to read; it would be lost",
		    options->records_path);
	else
		return check_store(options, error);
	return false;
}

/* ---- the configuration file ---- */

// Whether the command line says something else in place of what the file says of this option.
static bool is_replaced(const struct reading *reading, const struct option_row *row)
{
	if (row->kind == &option_filter)
		return reading->filter_given || reading->filter_words;
	for (size_t i = 0; row->source && i < option_rows; i++)
		if (option_table[i].source && reading->given[i])
			return true;
	return reading->given[row - option_table];
}

// Every value was read once already, on trial: here only memory can be wanting.
static bool add_settings(struct reading *reading, struct error *error)
{
	size_t count;
	const struct config_setting *settings = config_settings(reading->options->config, &count);
	for (size_t i = 0; i < count; i++) {
		const struct option_row *row = settings[i].row;
		if (!is_replaced(reading, row) &&
		    !row->kind->read(reading->options, row, row->name, settings[i].value, error))
			return false;
	}
	return true;
}

static bool read_config(struct reading *reading, struct option_errors *errors)
{
	struct options *options = reading->options;
	if (options->config_path == NULL)
		return true;
	options->config = config_file_read(options->config_path, errors);
	return options->config != NULL && add_settings(reading, &errors->errors[0]);
}

// Puts in front of a message of check() where the option that it is about stands in the file.
static void add_place(const struct reading *reading, struct error *error)
{
	size_t count = 0;
	const struct config_setting *settings =
	    reading->options->config != NULL ? config_settings(reading->options->config, &count)
	                                     : NULL;
	for (size_t i = 0; i < count; i++) {
		char shown[OPTION_NAME_MAX];
		option_shown_as(settings[i].row, shown);
		char behind = error->text[strlen(shown)];
		if (strncmp(error->text, shown, strlen(shown)) != 0 ||
		    (behind != ':' && behind != ',') || is_replaced(reading, settings[i].row))
			continue;
		struct error message = *error;
		error_set(error, "%.200s:%zu:%zu: %s", reading->options->config_path,
		    settings[i].line, settings[i].column, message.text);
		return;
	}
}

/* ---- the whole ---- */

// What getopt_long returned: a word, an option of the table, or what is neither.
static enum options_outcome read_next(
    struct reading *reading, int option, char **argv, struct error *error)
{
	if (option == '?' || option == ':') {
		command_line_mistake(option, argv[optind - 1], reading->names, NULL, error);
		return OPTIONS_WRONG;
	}
	if (option == 1)
		return read_word(reading, optarg, error) ? OPTIONS_RUN : OPTIONS_WRONG;
	const struct option_row *row = row_of(option);
	if (row->kind->read != NULL)
		return read_value(reading, row, optarg, error) ? OPTIONS_RUN : OPTIONS_WRONG;
	if (row->kind == &option_help)
		option_help_print(stdout);
	else if (row->kind == &option_version)
		option_version_print(stdout);
	else
		interface_list_print(stdout);
	return OPTIONS_DONE;
}

static enum options_outcome read_line(
    struct reading *reading, int argc, char **argv, struct error *error)
{
	int option;
	enum options_outcome outcome = OPTIONS_RUN;
	opterr = 0;
	optind = 0;
	while (outcome == OPTIONS_RUN &&
	       (option = getopt_long(argc, argv, reading->letters, reading->names, NULL)) != -1)
		outcome = read_next(reading, option, argv, error);
	if (outcome != OPTIONS_RUN)
		return outcome;
	reading->files_may_follow = false; // behind "--" stands the filter
	for (; optind < argc; optind++)
		if (!read_word(reading, argv[optind], error))
			return OPTIONS_WRONG;
	return OPTIONS_RUN;
}

// Everything behind the command line itself.
static enum options_outcome complete(struct reading *reading, struct option_errors *errors)
{
	struct options *options = reading->options;
	struct error *error = &errors->errors[0];
	if (options->check_config && options->config_path == NULL) {
		error_set(error, "--check-config: name the file with --config FILE");
		return OPTIONS_WRONG;
	}
	if (!read_config(reading, errors))
		return OPTIONS_WRONG;
	options->ports.set.every = options->any_port; // whatever --ports named
	if (options->names)
		port_list_add_names(&options->ports);
	if (!check(options, error)) {
		add_place(reading, error);
		return OPTIONS_WRONG;
	}
	if (!options->check_config)
		return OPTIONS_RUN;
	printf("%s: good\n", options->config_path);
	return OPTIONS_DONE;
}

void options_free(struct options *options)
{
	if (options == NULL)
		return;
	free(options->files);
	free(options->filter);
	config_file_free(options->config);
	free(options);
}

struct options *options_create(void)
{
	struct options *options = calloc(1, sizeof *options);
	for (size_t i = 0; options != NULL && i < option_rows; i++)
		if (option_table[i].kind->begin != NULL)
			option_table[i].kind->begin(options, &option_table[i]);
	return options;
}

enum options_outcome options_read(
    int argc, char **argv, struct options **options, struct option_errors *errors)
{
	struct reading reading = {.options = options_create()};
	enum options_outcome outcome = OPTIONS_WRONG;
	*options = reading.options;
	*errors = (struct option_errors){.count = 0};
	begin_reading(&reading);
	if (reading.options == NULL)
		error_set(&errors->errors[0], "no memory");
	else
		outcome = read_line(&reading, argc, argv, &errors->errors[0]);
	if (outcome == OPTIONS_RUN)
		outcome = complete(&reading, errors);
	if (outcome == OPTIONS_WRONG && errors->count == 0)
		errors->count = 1; // not of the file
	return outcome;
}
