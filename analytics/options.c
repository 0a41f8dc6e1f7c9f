// SPDX-License-Identifier: Apache-2.0
#include "analytics/options.h"

#include "analytics/port_list.h"
#include "capture/packet_filter.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MEMORY_DEFAULT = 1 << 30,
	MEMORY_MIN = 8 << 20,
	LONG_ONLY = 256, // values of options without a letter begin here
};

enum { ALERT_INTERVAL_DEFAULT = 600 }; // seconds

enum long_option {
	OPTION_PORTS = LONG_ONLY,
	OPTION_SENSOR,
	OPTION_MEMORY,
	OPTION_DROP_CHECKSUMS,
	OPTION_CA_FILE,
	OPTION_CA_DIRECTORY,
	OPTION_CRL_DIRECTORY,
	OPTION_PEM,
	OPTION_WRITE_CERTIFICATES,
	OPTION_KEYLOG,
	OPTION_PATTERNS,
	OPTION_PATTERN_CACHE,
	OPTION_ALERT_INTERVAL,
	OPTION_SERVER_MEMORY,
	OPTION_SERVER_BASELINE,
	OPTION_ANY_PORT,
	OPTION_NO_NDPI,
	OPTION_INTERVAL,
	OPTION_CSV,
	OPTION_METRICS,
	OPTION_TLS_RPT,
	OPTION_ASN_TABLE,
	OPTION_COUNTRY_TABLE,
};

static const struct option long_options[] = {
    {"read", required_argument, NULL, 'r'},
    {"filter", required_argument, NULL, 'f'},
    {"log-dir", required_argument, NULL, 'w'},
    {"output", required_argument, NULL, 'o'},
    {"ports", required_argument, NULL, OPTION_PORTS},
    {"any-port", no_argument, NULL, OPTION_ANY_PORT},
    {"no-ndpi", no_argument, NULL, OPTION_NO_NDPI},
    {"sensor", required_argument, NULL, OPTION_SENSOR},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"drop-bad-checksums", no_argument, NULL, OPTION_DROP_CHECKSUMS},
    {"ca-file", required_argument, NULL, OPTION_CA_FILE},
    {"ca-dir", required_argument, NULL, OPTION_CA_DIRECTORY},
    {"crl-dir", required_argument, NULL, OPTION_CRL_DIRECTORY},
    {"pem", no_argument, NULL, OPTION_PEM},
    {"write-certs", required_argument, NULL, OPTION_WRITE_CERTIFICATES},
    {"tls-keylog", required_argument, NULL, OPTION_KEYLOG},
    {"patterns", required_argument, NULL, OPTION_PATTERNS},
    {"pattern-cache", required_argument, NULL, OPTION_PATTERN_CACHE},
    {"alert-interval", required_argument, NULL, OPTION_ALERT_INTERVAL},
    {"server-memory", required_argument, NULL, OPTION_SERVER_MEMORY},
    {"server-baseline", required_argument, NULL, OPTION_SERVER_BASELINE},
    {"interval", required_argument, NULL, OPTION_INTERVAL},
    {"csv", required_argument, NULL, OPTION_CSV},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"tls-rpt", required_argument, NULL, OPTION_TLS_RPT},
    {"asn-db", required_argument, NULL, OPTION_ASN_TABLE},
    {"country-db", required_argument, NULL, OPTION_COUNTRY_TABLE},
    {"quiet", no_argument, NULL, 'q'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

// In two: a compiler need not take a longer string.
static const char help_text[] =
    "Usage: mailtap -r FILE... [options] [filter expression]\n"
    "       mailtap servers --server-memory FILE [--json] [SERVER...]\n"
    "       mailtap report -i LOGDIR... [options]\n"
    "\n"
    "Reads captures and tells of every mail connection in them whether it was protected.\n"
    "\n"
    "  -r, --read FILE...       captures to read, one after the other as one traffic: pcap or\n"
    "                           pcapng, also compressed; - is standard input\n"
    "  -w, --log-dir DIR        write the logs (sessions.jsonl, certificates.jsonl, alerts.jsonl,\n"
    "                           statistics.jsonl) to this directory\n"
    "  -o, --output FILE        write the session records to this file; - prints them\n"
    "  -f, --filter EXPRESSION  only packets that match, as in pcap-filter(7); also what follows\n"
    "                           the options, or --\n"
    "      --ports LIST         ports to follow, as 25,2526:smtp,10993:imaps; what they speak\n"
    "                           may be smtp, imap, pop3, or with s at the end for TLS from the\n"
    "                           first byte; a leading + adds to the usual ones\n"
    "      --any-port           look for mail on all other ports, too; what is not certainly mail\n"
    "                           there is not recorded\n"
    "      --no-ndpi            do not ask the library nDPI what is spoken where it is no mail;\n"
    "                           protocol is \"unknown\" then, unless mailtap itself knows\n"
    "      --sensor NAME        name of this tap in the records\n"
    "      --memory SIZE        most memory for connections, as 512M or 2G (1G)\n"
    "      --drop-bad-checksums leave out segments with a wrong TCP checksum (they are counted\n"
    "                           and kept: a sender's network card may fill them in later)\n"
    "      --ca-file FILE       certificates to trust, PEM; may be repeated, as may the next two\n"
    "      --ca-dir DIR         a directory of such files; without either, those that Debian's\n"
    "                           ca-certificates installs\n"
    "      --crl-dir DIR        a directory of revocation lists\n"
    "      --pem                certificates.jsonl holds the certificates themselves, too\n"
    "      --write-certs DIR    write each certificate to this directory, as SHA256.pem\n"
    "      --tls-keylog FILE    decrypt the TLS handshakes, and nothing behind them, of the sessions\n"
    "                           whose secrets are in this file (as SSLKEYLOGFILE names it for curl\n"
    "                           and others); it is read once, at the start; may be repeated\n"
    "      --patterns FILE      more patterns to tell software, filler and refusals by, in front of\n"
    "                           those of the program; may be repeated\n"
    "      --pattern-cache DIR  where compiled patterns are kept from run to run\n"
    "                           ($XDG_CACHE_HOME/mailtap or ~/.cache/mailtap)\n"
    "      --alert-interval SECONDS\n"
    "                           for how long alerts like one that was written are left out and\n"
    "                           counted (600): of the same kind, server and client network\n"
    "      --server-memory FILE what servers did in earlier runs: read at the start if it is there,\n"
    "                           replaced at the end; `mailtap servers` prints it\n"
    "      --server-baseline FILE\n"
    "                           servers known to be good, one a line: SERVER PORT starttls|tls\n"
    "                           [SHA256...]\n";

static const char help_text_rest[] =
    "      --interval SECONDS   how often statistics.jsonl gets a line, in packet time (60);\n"
    "                           0: only for the run\n"
    "      --csv DIR            write the tables of the statistics to this directory\n"
    "      --metrics FILE       write them as OpenMetrics, replaced at the end of each interval\n"
    "      --tls-rpt DIR        write a TLS report (RFC 8460) for each domain to this directory\n"
    "      --asn-db FILE        tables of the networks and of the countries of addresses, in the\n"
    "      --country-db FILE    format of GeoLite2-ASN.mmdb and GeoLite2-Country.mmdb\n"
    "  -q, --quiet              no summary, no progress\n"
    "      --version            print the version and exit\n"
    "  -h, --help               print this and exit\n"
    "\n"
    "Without -o - the summary goes to standard output, with it to standard error.\n"
    "Exit code: 0 all was read and written, 1 something could not be, 2 wrong usage.\n";

static void print_help(void)
{
	fputs(help_text, stdout);
	fputs(help_text_rest, stdout);
}

/* ---- values ---- */

static bool read_size(const char *text, size_t *size, struct error *error)
{
	static const char units[] = "KMGT";
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	const char *unit = *end != '\0' ? strchr(units, *end & ~0x20) : NULL;
	unsigned shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	bool good = text[0] >= '0' && text[0] <= '9' && errno == 0 &&
	            (*end == '\0' || (unit != NULL && end[1] == '\0')) &&
	            value <= SIZE_MAX >> shift;
	if (!good) {
		error_set(error,
		    "--memory: \"%.40s\" is no size: expected a number, K, M or G behind it", text);
		return false;
	}
	*size = (size_t)value << shift;
	if (*size >= MEMORY_MIN)
		return true;
	error_set(error, "--memory: %.40s is too little: at least 8M are needed", text);
	return false;
}

static bool read_seconds(const char *text, nanoseconds *time, const char *name, struct error *error)
{
	enum { SECONDS_MAX = 366 * 24 * 3600 };
	char *end;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == '\0' && value <= SECONDS_MAX) {
		*time = SECONDS(value);
		return true;
	}
	error_set(error, "%s: \"%.40s\" is no number of seconds up to a year", name, text);
	return false;
}

// A value that can be given only once, and not be empty.
static bool set_once(const char **slot, const char *value, const char *name, struct error *error)
{
	if (*slot != NULL)
		error_set(error, "%s: given twice; name one", name);
	else if (value[0] == '\0')
		error_set(error, "%s: its value is empty", name);
	else
		*slot = value;
	return *slot == value;
}

static bool add_path(
    struct path_list *list, const char *path, const char *name, struct error *error)
{
	if (path[0] == '\0') {
		error_set(error, "%s: its value is empty", name);
		return false;
	}
	if (list->count == PATHS_MAX) {
		error_set(error, "%s: given more than %d times; join the files", name, PATHS_MAX);
		return false;
	}
	list->paths[list->count++] = path;
	return true;
}

static void add_file(struct options *options, const char *name)
{
	options->files[options->file_count++] = name;
}

// The words of a filter expression that stood alone on the command line, joined by spaces.
static bool add_filter_word(struct options *options, const char *word)
{
	size_t have = options->filter != NULL ? strlen(options->filter) + 1 : 0;
	char *longer = realloc(options->filter, have + strlen(word) + 1);
	if (longer == NULL)
		return false;
	if (have > 0)
		longer[have - 1] = ' ';
	memcpy(longer + have, word, strlen(word) + 1);
	options->filter = longer;
	return true;
}

/* ---- the whole ---- */

struct reading {
	struct options *options;
	bool files_may_follow; // the last words were captures: `-r *.pcap` gives many
	bool filter_given; // by -f
	bool filter_words; // behind the options
};

// A word that is no option: another capture right behind -r, otherwise part of the filter.
static bool read_word(struct reading *reading, const char *word, struct error *error)
{
	bool is_file =
	    strcmp(word, "-") == 0 || access(word, F_OK) == 0 || strchr(word, '/') != NULL;
	if (reading->files_may_follow && !reading->filter_words && is_file) {
		add_file(reading->options, word);
		return true;
	}
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
	return add_filter_word(reading->options, word);
}

static bool set_filter(struct reading *reading, const char *expression, struct error *error)
{
	if (reading->filter_given || reading->filter_words) {
		error_set(
		    error, "-f: there is a filter already; join the two with \"and\" or \"or\"");
		return false;
	}
	reading->filter_given = true;
	return add_filter_word(reading->options, expression);
}

// What is asked of statistics.
static bool read_statistics_value(
    struct options *options, int option, const char *value, struct error *error)
{
	switch (option) {
	case OPTION_INTERVAL:
		return read_seconds(value, &options->interval, "--interval", error);
	case OPTION_CSV:
		return set_once(&options->csv_directory, value, "--csv", error);
	case OPTION_METRICS:
		return set_once(&options->metrics_path, value, "--metrics", error);
	case OPTION_TLS_RPT:
		return set_once(&options->tls_rpt_directory, value, "--tls-rpt", error);
	case OPTION_ASN_TABLE:
		return set_once(&options->asn_table, value, "--asn-db", error);
	case OPTION_COUNTRY_TABLE:
		return set_once(&options->country_table, value, "--country-db", error);
	default:
		return false;
	}
}

// What is asked of certificates.
static bool read_certificate_value(
    struct options *options, int option, const char *value, struct error *error)
{
	switch (option) {
	case OPTION_CA_FILE:
		return add_path(&options->ca_files, value, "--ca-file", error);
	case OPTION_CA_DIRECTORY:
		return add_path(&options->ca_directories, value, "--ca-dir", error);
	case OPTION_CRL_DIRECTORY:
		return add_path(&options->crl_directories, value, "--crl-dir", error);
	case OPTION_PEM:
		options->pem = true;
		return true;
	case OPTION_WRITE_CERTIFICATES:
		return set_once(&options->certificate_directory, value, "--write-certs", error);
	default:
		return read_statistics_value(options, option, value, error);
	}
}

static bool read_value(struct reading *reading, int option, const char *value, struct error *error)
{
	struct options *options = reading->options;
	reading->files_may_follow = option == 'r';
	switch (option) {
	case 'r':
		add_file(options, value);
		return true;
	case 'f':
		return set_filter(reading, value, error);
	case 'w':
		return set_once(&options->log_directory, value, "-w", error);
	case 'o':
		return set_once(&options->records_path, value, "-o", error);
	case 'q':
		options->quiet = true;
		return true;
	case OPTION_PORTS:
		return port_list_read(&options->ports, value, error);
	case OPTION_ANY_PORT:
		options->any_port = true;
		return true;
	case OPTION_NO_NDPI:
		options->without_ndpi = true;
		return true;
	case OPTION_SENSOR:
		return set_once(&options->sensor, value, "--sensor", error);
	case OPTION_MEMORY:
		return read_size(value, &options->memory, error);
	case OPTION_KEYLOG:
		return add_path(&options->keylogs, value, "--tls-keylog", error);
	case OPTION_PATTERNS:
		return add_path(&options->patterns, value, "--patterns", error);
	case OPTION_PATTERN_CACHE:
		return set_once(&options->pattern_cache, value, "--pattern-cache", error);
	case OPTION_SERVER_MEMORY:
		return set_once(&options->server_memory, value, "--server-memory", error);
	case OPTION_SERVER_BASELINE:
		return set_once(&options->server_baseline, value, "--server-baseline", error);
	case OPTION_DROP_CHECKSUMS:
		options->drop_wrong_checksums = true;
		return true;
	case OPTION_ALERT_INTERVAL:
		return read_seconds(value, &options->alert_interval, "--alert-interval", error);
	default:
		return read_certificate_value(options, option, value, error);
	}
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
	else if ((options->asn_table != NULL || options->country_table != NULL) && !wants_statistics(options))
		error_set(error, "--asn-db, --country-db: statistics are written only with -w, --csv, "
		                 "--metrics or --tls-rpt");
	else if (options->pem && options->log_directory == NULL)
		error_set(error, "--pem: certificates are written only with -w DIR");
	else if (is_capture(options, options->metrics_path))
		error_set(error, "--metrics: %.200s is one of the captures to read; it would be lost",
		    options->metrics_path);
	else if (is_capture(options, options->records_path))
		error_set(error, "-o: %.200s is one of the captures to read; it would be lost",
		    options->records_path);
	else
		return true;
	return false;
}

static void print_version(void)
{
	const char *library = foreign_library();
	printf("mailtap " MAILTAP_VERSION ", %s %s\n", library != NULL ? "with" : "without",
	    library != NULL ? library : "nDPI");
}

static enum options_outcome read_all(
    struct reading *reading, int argc, char **argv, struct error *error)
{
	int option;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "-:r:f:w:o:qhV", long_options, NULL)) != -1) {
		if (option == 'h' || option == 'V') {
			option == 'h' ? print_help() : print_version();
			return OPTIONS_DONE;
		}
		if (option == '?' || option == ':') {
			explain(option, argv, error);
			return OPTIONS_WRONG;
		}
		bool good = option == 1 ? read_word(reading, optarg, error)
		                        : read_value(reading, option, optarg, error);
		if (!good)
			return OPTIONS_WRONG;
	}
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

enum options_outcome options_read(
    int argc, char **argv, struct options **options, struct error *error)
{
	*options = calloc(1, sizeof **options);
	if (*options != NULL)
		(*options)->files = calloc((size_t)argc + 1, sizeof *(*options)->files);
	if (*options == NULL || (*options)->files == NULL) {
		error_set(error, "no memory");
		return OPTIONS_WRONG;
	}
	(*options)->memory = MEMORY_DEFAULT;
	(*options)->alert_interval = SECONDS(ALERT_INTERVAL_DEFAULT);
	(*options)->interval = SECONDS(60);
	port_list_usual(&(*options)->ports);
	struct reading reading = {.options = *options};
	return read_all(&reading, argc, argv, error);
}
