// SPDX-License-Identifier: Apache-2.0
// `mailtap store`: puts logs that mailtap wrote into a store, as a run with --store would have. What is in it already is
// not stored twice.
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/session_log.h"
#include "analytics/store_kinds.h"
#include "analytics/store_record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum store_option { OPTION_KIND = COMMAND_LONG_ONLY, OPTION_FILE };

static const struct option long_options[] = {
    {"input", required_argument, NULL, 'i'},
    {"store", required_argument, NULL, OPTION_KIND},
    {"store-file", required_argument, NULL, OPTION_FILE},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct import {
	struct store_settings settings;
	const char **logs; // directories
	size_t log_count;
	bool quiet;
	struct store *store;
	enum store_table_id table; // that is being read
	struct error error; // of the store
	bool broken; // it takes no more
	bool failed; // something could not be read
	uint64_t too_long; // lines
	char line[STORE_LINE_MAX + 1]; // with its end
};

static const char help_text[] =
    "Usage: mailtap store -i LOGDIR... --store-file FILE [options]\n"
    "\n"
    "Puts the records of logs into a database, for mailtap query: sessions, certificates, "
    "alerts,\n"
    "statistics, domains, lookups and messages, what was put aside and compressed included. What "
    "is in\n"
    "it already is not stored twice.\n"
    "\n"
    "  -i, --input LOGDIR...  directories given to mailtap with -w\n"
    "      --store KIND       sqlite (sqlite)\n"
    "      --store-file FILE  the database; made if it is missing, added to if it is there\n"
    "  -q, --quiet            print nothing\n"
    "  -h, --help             print this and exit\n"
    "\n"
    "Exit code: 0 all was read and stored, 1 something could not be, 2 wrong usage.\n";

/* ---- the command line ---- */

static bool take(void *context, int option, const char *value, struct error *error)
{
	struct import *import = context;
	(void)error;
	switch (option) {
	case COMMAND_WORD: // behind the first log
	case 'i':
		import->logs[import->log_count++] = value;
		return true;
	case OPTION_KIND:
		import->settings.kind = value;
		return true;
	case OPTION_FILE:
		import->settings.file = value;
		return true;
	default:
		import->quiet = true;
		return true;
	}
}

static enum options_outcome read_options(
    int argc, char **argv, struct import *import, struct error *error)
{
	static const struct command_line line = {"store", help_text, long_options, take};
	enum options_outcome outcome = command_line_read(&line, argc, argv, import, error);
	if (outcome != OPTIONS_RUN || import->log_count > 0)
		return outcome;
	error_set(
	    error, "store: nothing to read: name logs with -i LOGDIR; see mailtap store --help");
	return OPTIONS_WRONG;
}

/* ---- reading ---- */

static enum log_line take_line(void *context, const char *line, size_t length)
{
	struct import *import = context;
	if (import->broken)
		return LOG_LINE_TAKEN;
	if (length > STORE_LINE_MAX) {
		import->too_long++;
		return LOG_LINE_TAKEN;
	}
	memcpy(import->line, line, length);
	import->line[length] = '\n';
	import->broken =
	    !store_add(import->store, import->table, import->line, length + 1, &import->error);
	return LOG_LINE_TAKEN; // whether it is a record is found when it is stored
}

static void take_file(
    void *context, const char *path, const struct log_counters *log, const struct error *error)
{
	struct import *import = context;
	struct error what;
	import->too_long += log->too_long;
	if (error != NULL) {
		command_say(error);
		import->failed = true;
	}
	if (log->too_long == 0)
		return;
	error_set(
	    &what, "%s: %" PRIu64 " lines are too long, and are passed over", path, log->too_long);
	command_say(&what);
}

static void read_directory(struct import *import, const char *directory)
{
	struct stat status;
	struct error error;
	size_t files = 0;
	if (stat(directory, &status) == 0 && S_ISDIR(status.st_mode))
		for (import->table = 0; import->table < STORE_TABLES; import->table++)
			files += log_read_series(directory, store_tables[import->table].name,
			    take_line, take_file, import);
	if (files > 0)
		return;
	error_set(&error, "%s: there are no logs in it", directory);
	command_say(&error);
	import->failed = true;
}

/* ---- the whole ---- */

static void print_counts(const struct store_counters *counters)
{
	for (size_t i = 0; i < STORE_TABLES; i++)
		printf("%-12s %10" PRIu64 " stored, of which %" PRIu64 " were there already\n",
		    store_tables[i].name, counters->stored[i], counters->known[i]);
}

// What is in a store only in part, or not at all, is told.
static void judge_counts(struct import *import, const struct store_counters *counters)
{
	struct error what;
	uint64_t refused = store_sum(counters->refused), in_part = store_sum(counters->in_part);
	if (in_part > 0) {
		error_set(&what,
		    "%" PRIu64
		    " records have keys or values that this mailtap does not know; these are "
		    "not stored",
		    in_part);
		command_say(&what);
	}
	if (refused > 0) {
		error_set(&what, "%" PRIu64 " lines are no records, and are passed over", refused);
		command_say(&what);
	}
	import->failed |= refused + import->too_long > 0;
}

static int import_logs(struct import *import)
{
	struct error error;
	struct store_counters counters = {0};
	import->settings.imports = import->settings.waits = true;
	import->settings.tell = command_say;
	import->store = store_open(&import->settings, &error);
	bool good = import->store != NULL;
	for (size_t i = 0; good && !import->broken && i < import->log_count; i++)
		read_directory(import, import->logs[i]);
	good = good && store_finish(import->store, &counters, &error);
	if (!good) {
		command_say(&error);
		return COMMAND_FAILED;
	}
	judge_counts(import, &counters);
	if (!import->quiet)
		print_counts(&counters);
	if (!command_output_end(&error)) {
		command_say(&error);
		return COMMAND_FAILED;
	}
	return import->failed ? COMMAND_FAILED : 0;
}

int command_store(int argc, char **argv)
{
	struct error error;
	int code = COMMAND_FAILED;
	struct import *import = calloc(1, sizeof *import);
	if (import != NULL)
		import->logs = calloc((size_t)argc + 1, sizeof *import->logs);
	if (import == NULL || import->logs == NULL) {
		error_set(&error, "store: no memory");
		command_say(&error);
		free(import);
		return code;
	}
	import->settings.kind = "sqlite";
	enum options_outcome outcome = read_options(argc, argv, import, &error);
	code = outcome == OPTIONS_RUN ? import_logs(import) : command_line_end(outcome, &error);
	free(import->logs);
	free(import);
	return code;
}
