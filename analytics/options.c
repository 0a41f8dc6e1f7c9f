// SPDX-License-Identifier: Apache-2.0
#include "analytics/options.h"

#include "analytics/option_help.h"
#include "analytics/option_table.h"
#include "analytics/option_values.h"
#include "capture/packet_filter.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LONG_ONLY = 256 }; // getopt's values of options without a letter: this and their row

struct reading {
	struct options *options;
	struct option names[OPTION_ROWS_MAX + 1]; // for getopt_long
	char letters[2 + 2 * OPTION_ROWS_MAX + 1]; // likewise
	bool files_may_follow; // the last words were captures: `-r *.pcap` gives many
	bool filter_given; // by -f
	bool filter_words; // behind the options
};

// What getopt_long is told, from the table. "-": words in their place, ":": a missing value is told apart.
static void begin_reading(struct reading *reading)
{
	char *letter = reading->letters;
	*letter++ = '-';
	*letter++ = ':';
	for (size_t i = 0; i < option_rows; i++) {
		const struct option_row *row = &option_table[i];
		reading->names[i] = (struct option){.name = row->name,
		    .has_arg = row->argument != NULL ? required_argument : no_argument,
		    .val = row->letter != 0 ? row->letter : LONG_ONLY + (int)i};
		if (row->letter == 0)
			continue;
		*letter++ = row->letter;
		if (row->argument != NULL)
			*letter++ = ':';
	}
}

// The row of what getopt_long returned for one of the table.
static const struct option_row *row_of(int option)
{
	size_t i = 0;
	if (option >= LONG_ONLY)
		return &option_table[option - LONG_ONLY];
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
	reading->files_may_follow = row->kind == &option_captures;
	reading->filter_given |= row->kind == &option_filter;
	return row->kind->read(reading->options, row, shown, value, error);
}

// What is wrong with an option that getopt did not take.
static void explain(int option, char **argv, struct error *error)
{
	const char *word = argv[optind - 1];
	if (option == ':')
		error_set(error, "%.80s: needs a value; see --help", word);
	else if (optopt != 0 && strncmp(word, "--", 2) == 0)
		error_set(error, "%.80s: takes no value; see --help", word);
	else if (optopt != 0 && optopt < LONG_ONLY)
		error_set(error, "unknown option -%c; see --help", optopt);
	else
		error_set(error, "unknown option %.80s; see --help", word);
}

// An expression that is no filter on Ethernet nor on bare IP is none on any link.
static bool check_filter(const char *expression, struct error *error)
{
	struct packet_filter *filter = packet_filter_create(expression, error);
	struct error ignored;
	bool good = filter != NULL && (packet_filter_prepare(filter, LINK_RAW, &ignored) ||
	                                  packet_filter_prepare(filter, LINK_ETHERNET, error));
	packet_filter_destroy(filter);
	return good;
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
	       options->metrics_path != NULL || options->tls_rpt_directory != NULL;
}

static bool check(const struct options *options, struct error *error)
{
	if (options->filter != NULL && !check_filter(options->filter, error))
		return false;
	size_t standard_inputs = 0;
	for (size_t i = 0; i < options->file_count; i++)
		standard_inputs += strcmp(options->files[i], "-") == 0;
	if (options->file_count == 0)
		error_set(error, "nothing to read: name a capture with -r FILE; see --help");
	else if (standard_inputs > 1)
		error_set(error, "standard input can be read only once");
	else if ((options->asn_table != NULL || options->country_table != NULL) &&
	         !wants_statistics(options))
		error_set(error,
		    "--asn-db, --country-db: statistics are written only with -w, --csv, "
		    "--metrics or --tls-rpt");
	else if (options->pem && options->log_directory == NULL)
		error_set(error, "--pem: certificates are written only with -w DIR");
	else if (is_capture(options, options->metrics_path))
		error_set(error,
		    "--metrics: %.200s is one of the captures to read; it would be lost",
		    options->metrics_path);
	else if (is_capture(options, options->records_path))
		error_set(error, "-o: %.200s is one of the captures to read; it would be lost",
		    options->records_path);
	else
		return true;
	return false;
}

// What getopt_long returned: a word, an option of the table, or what is neither.
static enum options_outcome read_next(
    struct reading *reading, int option, char **argv, struct error *error)
{
	if (option == '?' || option == ':') {
		explain(option, argv, error);
		return OPTIONS_WRONG;
	}
	if (option == 1)
		return read_word(reading, optarg, error) ? OPTIONS_RUN : OPTIONS_WRONG;
	const struct option_row *row = row_of(option);
	if (row->kind->read != NULL)
		return read_value(reading, row, optarg, error) ? OPTIONS_RUN : OPTIONS_WRONG;
	(row->kind == &option_help ? option_help_print : option_version_print)(stdout);
	return OPTIONS_DONE;
}

static enum options_outcome read_all(
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
	reading->options->ports.set.every = reading->options->any_port; // whatever --ports named
	return check(reading->options, error) ? OPTIONS_RUN : OPTIONS_WRONG;
}

void options_free(struct options *options)
{
	if (options == NULL)
		return;
	free(options->files);
	free(options->filter);
	free(options);
}

static struct options *create(void)
{
	struct options *options = calloc(1, sizeof *options);
	for (size_t i = 0; options != NULL && i < option_rows; i++)
		if (option_table[i].kind->begin != NULL)
			option_table[i].kind->begin(options, &option_table[i]);
	return options;
}

enum options_outcome options_read(
    int argc, char **argv, struct options **options, struct error *error)
{
	struct reading reading = {.options = create()};
	*options = reading.options;
	if (reading.options == NULL) {
		error_set(error, "no memory");
		return OPTIONS_WRONG;
	}
	begin_reading(&reading);
	return read_all(&reading, argc, argv, error);
}
