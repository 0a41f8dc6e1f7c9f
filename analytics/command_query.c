// SPDX-License-Identifier: Apache-2.0
// `mailtap query`: the command line. The answer comes from the module for SQLite.
#include "analytics/command.h"
#include "analytics/command_line.h"
#include "analytics/sqlite.h"
#include "analytics/store_record.h"
#include "capture/base/module.h"

#include <stdlib.h>
#include <string.h>

enum {
	ROWS_OF_TABLE = 1000, // unless --limit says otherwise
	SECONDS_USUAL = 300,
};

struct query_options {
	struct query_request request;
	char since[STORE_TIME_LENGTH + 1], until[STORE_TIME_LENGTH + 1];
	bool limit_given;
};

enum query_option {
	OPTION_FILE = COMMAND_LONG_ONLY,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_SENSOR,
	OPTION_FORMAT,
	OPTION_SQL,
	OPTION_ROWS,
	OPTION_TIMEOUT
};

static const struct option long_options[] = {
    {"store-file", required_argument, NULL, OPTION_FILE},
    {"since", required_argument, NULL, OPTION_SINCE},
    {"until", required_argument, NULL, OPTION_UNTIL},
    {"sensor", required_argument, NULL, OPTION_SENSOR},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"sql", required_argument, NULL, OPTION_SQL},
    {"limit", required_argument, NULL, OPTION_ROWS},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "Usage: mailtap query [--store-file FILE] [VIEW] [options]\n"
    "\n"
    "Asks a database that mailtap wrote with --store sqlite, which is only read; a run may write "
    "to it\n"
    "meanwhile. Without a VIEW, tells which there are and what they count; each table is one as "
    "well.\n"
    "\n"
    "      --store-file FILE     the database\n"
    "      --since TIME          only sessions, alerts and intervals that began at this time or "
    "later, in\n"
    "                            UTC: as 2026-11-27 or 2026-11-27T03:00:00Z\n"
    "      --until TIME          only those that began before this time\n"
    "      --sensor NAME         only sessions and intervals of this tap, and alerts of its "
    "sessions\n"
    "      --format table|csv|json\n"
    "                            a table for people (which is usual), RFC 4180, or an object a line\n"
    "      --sql STATEMENT       one SELECT instead of a view; quote \"end\", which is a word of "
    "SQL\n"
    "      --limit ROWS          print at most these; 0: all (1000 of a table, all as csv or "
    "json)\n"
    "      --timeout SECONDS     give up after these; 0: never (300)\n"
    "  -h, --help                print this and exit\n"
    "\n"
    "What was not seen is a dash, an empty cell or null, and in no share.\n"
    "Exit code: 0 all was read and printed, 1 something could not be, 2 wrong usage.\n";

/* ---- the command line ---- */

// A day, or any time that is written as in the records; seconds and what follows them may be left out.
static bool read_time(const char *value, char time[STORE_TIME_LENGTH + 1])
{
	static const char rest[] = "0000-00-00T00:00:00Z";
	char text[STORE_TIME_LENGTH + 1];
	size_t length = strlen(value);
	if (length < strlen("2026-11-27") || length > STORE_TIME_LENGTH)
		return false;
	snprintf(text, sizeof text, "%s", value);
	if (text[length - 1] != 'Z' && length < sizeof rest - 1)
		snprintf(text + length, sizeof text - length, "%s", rest + length);
	time[STORE_TIME_LENGTH] = '\0';
	return store_time_read(text, strlen(text), time);
}

static bool read_number(const char *value, uint64_t most, uint64_t *number)
{
	char *end;
	*number = strtoull(value, &end, 10);
	return value[0] >= '0' && value[0] <= '9' && *end == '\0' && *number <= most;
}

static bool read_format(const char *value, enum query_format *format)
{
	static const char *const names[] = {
	    [QUERY_TABLE] = "table", [QUERY_CSV] = "csv", [QUERY_JSON] = "json"};
	for (enum query_format i = QUERY_TABLE; i <= QUERY_JSON; i++)
		if (strcmp(names[i], value) == 0) {
			*format = i;
			return true;
		}
	return false;
}

static bool take(void *context, int option, const char *value, struct error *error)
{
	struct query_options *options = context;
	struct query_request *request = &options->request;
	uint64_t seconds = 0;
	error_set(
	    error, "query: %.80s: is no value for this option; see mailtap query --help", value);
	switch (option) {
	case COMMAND_WORD:
		error_set(error, "query: name one view; see mailtap query --help");
		bool first = request->view == NULL;
		request->view = value;
		return first;
	case OPTION_FILE:
		request->file = value;
		return value[0] != '\0';
	case OPTION_SQL:
		request->sql = value;
		return value[0] != '\0';
	case OPTION_SINCE:
		request->since = options->since;
		return read_time(value, options->since);
	case OPTION_UNTIL:
		request->until = options->until;
		return read_time(value, options->until);
	case OPTION_SENSOR:
		request->sensor = value;
		return value[0] != '\0';
	case OPTION_FORMAT:
		return read_format(value, &request->format);
	case OPTION_ROWS:
		options->limit_given = true;
		return read_number(value, UINT64_MAX, &request->limit);
	default: {
		bool good = read_number(value, UINT32_MAX, &seconds);
		request->seconds = (unsigned)seconds;
		return good;
	}
	}
}

static bool check(struct query_options *options, struct error *error)
{
	struct query_request *request = &options->request;
	bool asks = request->view != NULL || request->sql != NULL;
	if (request->view != NULL && request->sql != NULL)
		error_set(
		    error, "query: name one view, or give one --sql; see mailtap query --help");
	else if (asks && request->file == NULL)
		error_set(error,
		    "query: name the database with --store-file FILE; see mailtap query --help");
	else
		return true;
	return false;
}

static enum options_outcome read_options(
    int argc, char **argv, struct query_options *options, struct error *error)
{
	static const struct command_line line = {"query", help_text, long_options, take};
	*options = (struct query_options){.request = {.seconds = SECONDS_USUAL}};
	enum options_outcome outcome = command_line_read(&line, argc, argv, options, error);
	if (!options->limit_given && options->request.format == QUERY_TABLE)
		options->request.limit = ROWS_OF_TABLE;
	return outcome == OPTIONS_RUN && !check(options, error) ? OPTIONS_WRONG : outcome;
}

/* ---- the command ---- */

static int finish(bool good)
{
	struct error error;
	if (command_output_end(&error))
		return good ? 0 : COMMAND_FAILED;
	command_say(&error);
	return COMMAND_FAILED;
}

static int answer(const struct query_request *request)
{
	static const struct module module = {
	    SQLITE_MODULE_FILE, SQLITE_QUERY_SYMBOL, "cannot use SQLite", "libsqlite3-0"};
	struct error error;
	const struct sqlite_query_ops *query = module_load(&module, &error);
	if (query == NULL) {
		command_say(&error);
		return COMMAND_FAILED;
	}
	if (request->view == NULL && request->sql == NULL) {
		query->list(stdout);
		return finish(true);
	}
	if (request->view != NULL && !query->has_view(request->view)) {
		error_set(&error, "query: there is no view \"%.80s\"; mailtap query lists them",
		    request->view);
		command_say(&error);
		return COMMAND_WRONG;
	}
	bool good = query->ask(request, stdout, &error);
	(void)fflush(stdout); // what it says comes behind
	if (!good || error.text[0] != '\0')
		command_say(&error);
	return finish(good);
}

int command_query(int argc, char **argv)
{
	struct query_options options;
	struct error error;
	enum options_outcome outcome = read_options(argc, argv, &options, &error);
	return outcome == OPTIONS_RUN ? answer(&options.request)
	                              : command_line_end(outcome, &error);
}
