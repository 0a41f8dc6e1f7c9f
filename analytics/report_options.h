// SPDX-License-Identifier: Apache-2.0
// The command line of `mailtap report`, as plain values. Used by report.c only.
#ifndef MAILTAP_ANALYTICS_REPORT_OPTIONS_H
#define MAILTAP_ANALYTICS_REPORT_OPTIONS_H

#include "analytics/options.h"

struct report_options {
	const char **logs; // directories of logs, or session logs; "-": standard input
	size_t log_count;
	const char *page_path; // of the page, as HTML; or NULL
	const char *csv_directory, *metrics_path, *tls_rpt_directory; // or NULL
	const char *asn_table, *country_table; // or NULL
	const char *anonymisation_key; // a file; or NULL
	size_t rows; // of a table, at most, on a terminal
	bool json, quiet;
};

// `options->logs` is to be freed; strings of argv are borrowed.
enum options_outcome report_options_read(
    int argc, char **argv, struct report_options *options, struct error *error);

#endif
