// SPDX-License-Identifier: Apache-2.0
#include "analytics/report_options.h"

#include "analytics/command_line.h"

#include <stdlib.h>

enum { ROWS_DEFAULT = 20 };

enum report_option {
	OPTION_CSV = COMMAND_LONG_ONLY,
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

static bool take(void *context, int option, const char *value, struct error *error)
{
	struct report_options *options = context;
	switch (option) {
	case COMMAND_WORD: // behind the first log
	case 'i':
		options->logs[options->log_count++] = value;
		return true;
	case 'o':
		return command_line_set(&options->page_path, value, "-o", error);
	case OPTION_CSV:
		return command_line_set(&options->csv_directory, value, "--csv", error);
	case OPTION_METRICS:
		return command_line_set(&options->metrics_path, value, "--metrics", error);
	case OPTION_TLS_RPT:
		return command_line_set(&options->tls_rpt_directory, value, "--tls-rpt", error);
	case OPTION_ASN_TABLE:
		return command_line_set(&options->asn_table, value, "--asn-db", error);
	case OPTION_COUNTRY_TABLE:
		return command_line_set(&options->country_table, value, "--country-db", error);
	case OPTION_ANONYMISE:
		return command_line_set(&options->anonymisation_key, value, "--anonymise", error);
	case OPTION_JSON:
		options->json = true;
		return true;
	case OPTION_ALL:
		options->rows = 0;
		return true;
	default:
		options->quiet = true;
		return true;
	}
}

enum options_outcome report_options_read(
    int argc, char **argv, struct report_options *options, struct error *error)
{
	static const struct command_line line = {"report", help_text, long_options, take};
	*options = (struct report_options){.rows = ROWS_DEFAULT};
	options->logs = calloc((size_t)argc + 1, sizeof *options->logs);
	error_set(error, "report: no memory");
	if (options->logs == NULL)
		return OPTIONS_WRONG;
	enum options_outcome outcome = command_line_read(&line, argc, argv, options, error);
	if (outcome != OPTIONS_RUN || options->log_count > 0)
		return outcome;
	error_set(
	    error, "report: nothing to read: name logs with -i LOGDIR; see mailtap report --help");
	return OPTIONS_WRONG;
}
