// SPDX-License-Identifier: Apache-2.0
#include "analytics/report_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_DEFAULT = 20 };

enum report_option {
	OPTION_CSV = 256,
	OPTION_METRICS,
	OPTION_TLS_RPT,
	OPTION_ASN_TABLE,
	OPTION_COUNTRY_TABLE,
	OPTION_ANONYMISE,
	OPTION_JSON,
	OPTION_ALL,
};

static const struct option long_options[] = {
    {"input", required_argument, NULL, 'i'},
    {"output", required_argument, NULL, 'o'},
    {"csv", required_argument, NULL, OPTION_CSV},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"tls-rpt", required_argument, NULL, OPTION_TLS_RPT},
    {"asn-db", required_argument, NULL, OPTION_ASN_TABLE},
    {"country-db", required_argument, NULL, OPTION_COUNTRY_TABLE},
    {"anonymise", required_argument, NULL, OPTION_ANONYMISE},
    {"json", no_argument, NULL, OPTION_JSON},
    {"all", no_argument, NULL, OPTION_ALL},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: mailtap report -i LOGDIR... [options]\n"
    "\n"
    "Makes the tables of the statistics from logs that mailtap has written, those of several "
    "sensors\n"
    "together, and prints them.\n"
    "\n"
    "  -i, --input LOGDIR...    directories given to mailtap with -w, or session logs themselves;\n"
    "                           - is a session log on standard input\n"
    "  -o, --output FILE        write all of it as a page for a browser instead, in one file that\n"
    "                           needs no network; - is standard output\n"
    "      --all                print all rows of a table, not only the first 20\n"
    "      --json               print the tables as JSON, one a line\n"
    "      --csv DIR            write each table to this directory, as NAME.csv\n"
    "      --metrics FILE       write them as OpenMetrics\n"
    "      --tls-rpt DIR        write a TLS report (RFC 8460) for each domain to this directory; "
    "it\n"
    "                           says that it is a third party's observation, and is never sent\n"
    "      --asn-db FILE        a table of the networks of addresses, as GeoLite2-ASN.mmdb\n"
    "      --country-db FILE    a table of the countries of addresses, as GeoLite2-Country.mmdb\n"
    "      --anonymise KEYFILE  other addresses in the place of the real ones, as mailtap itself has\n"
    "                           it; those of logs that have it already stay as they are\n"
    "  -q, --quiet              print nothing\n"
    "  -h, --help               print this and exit\n"
    "\n"
    "A connection that several sensors saw counts once for each.\n"
    "Exit code: 0 all was read and written, 1 something could not be, 2 wrong usage.\n";

static bool set_once(const char **slot, const char *value, const char *name, struct error *error)
{
	if (*slot != NULL || value[0] == '\0') {
		error_set(error,
		    *slot != NULL ? "%s: given twice; name one" : "%s: its value is empty", name);
		return false;
	}
	*slot = value;
	return true;
}

static bool read_value(
    struct report_options *options, int option, const char *value, struct error *error)
{
	switch (option) {
	case 1: // a word behind the first log
	case 'i':
		options->logs[options->log_count++] = value;
		return true;
	case 'o':
		return set_once(&options->page_path, value, "-o", error);
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
	case OPTION_ANONYMISE:
		return set_once(&options->anonymisation_key, value, "--anonymise", error);
	case OPTION_JSON:
		options->json = true;
		return true;
	case OPTION_ALL:
		options->rows = 0;
		return true;
	case 'q':
		options->quiet = true;
		return true;
	case ':':
		error_set(error, "report: an option lacks its value; see mailtap report --help");
		return false;
	default:
		error_set(error, "report: unknown option; see mailtap report --help");
		return false;
	}
}

enum options_outcome report_options_read(
    int argc, char **argv, struct report_options *options, struct error *error)
{
	int option;
	*options = (struct report_options){.rows = ROWS_DEFAULT};
	options->logs = calloc((size_t)argc + 1, sizeof *options->logs);
	error_set(error, "no memory");
	if (options->logs == NULL)
		return OPTIONS_WRONG;
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, "-:i:o:qh", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help_text, stdout);
			return OPTIONS_DONE;
		}
		if (!read_value(options, option, optarg, error))
			return OPTIONS_WRONG;
	}
	for (; optind < argc; optind++)
		options->logs[options->log_count++] = argv[optind];
	if (options->log_count > 0)
		return OPTIONS_RUN;
	error_set(
	    error, "report: nothing to read: name logs with -i LOGDIR; see mailtap report --help");
	return OPTIONS_WRONG;
}
