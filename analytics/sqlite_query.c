// SPDX-License-Identifier: Apache-2.0
// `mailtap query`: asks a store, and only reads it: the file is opened so, the connection too, and an authorizer lets
// nothing through but SELECT. Bounds of time, and of whose records, are laid between the tables and the views, by views of
// the connection's own.
// Part of the module for SQLite.
#include "analytics/sqlite.h"
#include "analytics/sqlite_database.h"
#include "analytics/sqlite_output.h"
#include "analytics/sqlite_views.h"
#include "analytics/store_columns.h"
#include "capture/base/monotonic.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct asking {
	const struct query_request *request;
	sqlite3 *database;
	int64_t until; // of the clock; 0: for ever
	struct error *error;
};

// A table or a column that came later; what is asked for may need it.
static bool is_older(sqlite3 *database)
{
	for (size_t i = 0; i < STORE_TABLES; i++) {
		const struct store_table *table = &store_tables[i];
		for (size_t column = 0; column < table->column_count; column++)
			if (sqlite3_table_column_metadata(database, "main", table->name,
			        table->columns[column].name, NULL, NULL, NULL, NULL,
			        NULL) != SQLITE_OK)
				return true;
	}
	return false;
}

static void tell_why(const struct asking *asking)
{
	struct error why;
	error_set(&why, "%.300s", sqlite3_errmsg(asking->database));
	bool lacks = strncmp(why.text, "no such ", strlen("no such ")) == 0;
	const char *more = lacks && is_older(asking->database)
	                       ? "; it is of an older mailtap: what adds to it makes what it lacks"
	                       : "";
	error_set(asking->error, "%s: %s%s", asking->request->file, why.text, more);
}

static bool fail(const struct asking *asking)
{
	int answer = sqlite3_errcode(asking->database);
	if ((answer & 0xff) == SQLITE_INTERRUPT)
		error_set(asking->error, "query: given up after %u seconds; --timeout allows more",
		    asking->request->seconds);
	else if ((answer & 0xff) == SQLITE_AUTH)
		error_set(asking->error, "query: only SELECT is allowed: %s",
		    sqlite3_errmsg(asking->database));
	else
		tell_why(asking);
	return false;
}

/* ---- opening ---- */

static bool is_readable(const struct asking *asking)
{
	int64_t application = 0, version = 0;
	const char *file = asking->request->file;
	if (!sqlite_number(asking->database, "PRAGMA application_id", &application) ||
	    !sqlite_number(asking->database, "PRAGMA user_version", &version))
		return fail(asking);
	error_set(asking->error, "%s: is no database of mailtap", file);
	if (application != SQLITE_APPLICATION)
		return false;
	error_set(asking->error, "%s: is of a newer mailtap (schema %lld, this one knows %d)", file,
	    (long long)version, SQLITE_SCHEMA_VERSION);
	return version <= SQLITE_SCHEMA_VERSION;
}

// Without a log beside it, and where none can be made, nobody writes to it now.
static int open_unchanging(struct asking *asking)
{
	char *beside = sqlite3_mprintf("%s-wal", asking->request->file);
	char *name = sqlite3_mprintf("file:%s?immutable=1", asking->request->file);
	bool usable = beside != NULL && name != NULL && access(beside, F_OK) != 0 &&
	              strpbrk(asking->request->file, "?#%") == NULL;
	int answer = SQLITE_CANTOPEN;
	if (usable) {
		sqlite3_close(asking->database);
		answer = sqlite3_open_v2(name, &asking->database,
		    SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	}
	sqlite3_free(beside);
	sqlite3_free(name);
	return answer;
}

static bool open_database(struct asking *asking)
{
	int64_t ignored;
	const char *file = asking->request->file;
	struct stat status;
	error_set(asking->error, "%s: there is no such file", file);
	if (stat(file, &status) != 0)
		return false;
	error_set(asking->error, "%s: is no database of mailtap", file);
	if (!S_ISREG(status.st_mode))
		return false;
	int answer = sqlite3_open_v2(
	    file, &asking->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_busy_timeout(asking->database, SQLITE_LOCK_WAIT);
	(void)sqlite_do(asking->database, "PRAGMA temp_store = MEMORY"); // it empties what is there
	if (answer == SQLITE_OK &&
	    !sqlite_number(asking->database, "PRAGMA schema_version", &ignored) &&
	    sqlite3_errcode(asking->database) == SQLITE_CANTOPEN)
		answer = open_unchanging(asking);
	return answer == SQLITE_OK ? is_readable(asking) : fail(asking);
}

/* ---- bounds of time, and of whose records ---- */

// A table as the asker sees it. Lines of whole runs say nothing of a part of them; a row without a time is in no span.
static char *bounded_table(const struct store_table *table, const struct query_request *request)
{
	sqlite3_str *text = sqlite3_str_new(NULL);
	sqlite3_str_appendf(text, "CREATE TEMP VIEW %s AS SELECT rowid, * FROM main.%s WHERE true",
	    table->name, table->name);
	if (request->since != NULL)
		sqlite3_str_appendf(text, " AND \"%s\" >= %Q", table->time, request->since);
	if (request->until != NULL)
		sqlite3_str_appendf(text, " AND \"%s\" < %Q", table->time, request->until);
	if ((request->since != NULL || request->until != NULL) &&
	    table == &store_tables[STORE_STATISTICS])
		sqlite3_str_appendall(text, " AND kind = 'interval'");
	if (request->sensor != NULL && table == &store_tables[STORE_ALERTS]) // which have no sensor
		sqlite3_str_appendf(text,
		    " AND session_id IN (SELECT session_id FROM main.sessions WHERE sensor = %Q)",
		    request->sensor);
	else if (request->sensor != NULL)
		sqlite3_str_appendf(text, " AND sensor = %Q", request->sensor);
	return sqlite3_str_finish(text);
}

static bool make_temporary(struct asking *asking, char *definition)
{
	bool good = definition != NULL && sqlite_do(asking->database, definition) == SQLITE_OK;
	return good || fail(asking);
}

// Certificates stay: they were seen before sessions that name them, and are everybody's.
static bool bound_tables(struct asking *asking)
{
	const struct query_request *request = asking->request;
	bool good = true;
	if (request->since == NULL && request->until == NULL && request->sensor == NULL)
		return true;
	for (size_t i = 0; good && i < STORE_TABLES; i++) {
		if (i == STORE_CERTIFICATES)
			continue;
		char *definition = bounded_table(&store_tables[i], request);
		good = make_temporary(asking, definition);
		sqlite3_free(definition);
	}
	return good;
}

// Those of this program, whatever the database has.
static bool make_views(struct asking *asking)
{
	bool good = true;
	for (size_t i = 0; good && i < sqlite_view_count; i++) {
		char *definition = sqlite_view_definition(&sqlite_views[i], true);
		good = make_temporary(asking, definition);
		free(definition);
	}
	return good;
}

/* ---- asking ---- */

static int authorize(void *context, int action, const char *one, const char *two,
    const char *database, const char *from)
{
	(void)context;
	(void)one;
	(void)database;
	(void)from;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return two != NULL && strcasecmp(two, "load_extension") == 0 ? SQLITE_DENY
		                                                             : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

static int look_at_clock(void *context)
{
	const struct asking *asking = context;
	return asking->until > 0 && monotonic_now() > asking->until;
}

static void lock_down(struct asking *asking)
{
	enum { STEPS = 10000, SECOND = 1000000000 };
	if (asking->request->seconds > 0)
		asking->until = monotonic_now() + (int64_t)asking->request->seconds * SECOND;
	// SQLite declares a table function as a table when it is first used, which the authorizer would refuse.
	(void)sqlite_do(asking->database, "SELECT 1 FROM json_each('[]'), json_tree('[]')");
	(void)sqlite_do(asking->database, "PRAGMA query_only = 1");
	sqlite3_db_config(asking->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	// Views and the like of a file that somebody else made call what does no harm, and nothing else.
	sqlite3_db_config(asking->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(asking->database, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_progress_handler(asking->database, STEPS, look_at_clock, asking);
	sqlite3_set_authorizer(asking->database, authorize, NULL);
}

static sqlite3_stmt *prepare(const struct asking *asking)
{
	char view[128];
	const char *sql = asking->request->sql, *rest;
	sqlite3_stmt *statement = NULL;
	if (sql == NULL) {
		snprintf(view, sizeof view, "SELECT * FROM %s", asking->request->view);
		sql = view;
	}
	if (sqlite3_prepare_v2(asking->database, sql, -1, &statement, &rest) != SQLITE_OK) {
		(void)fail(asking);
		return NULL;
	}
	bool one = rest[strspn(rest, " \t\r\n;")] == '\0';
	if (statement != NULL && one && sqlite3_stmt_readonly(statement))
		return statement;
	error_set(asking->error, "query: expected one SELECT");
	sqlite3_finalize(statement);
	return NULL;
}

// A reader that has gone, or a full disk, ends it as the end of the rows does: the caller finds that out.
static bool print_rows(
    const struct asking *asking, sqlite3_stmt *statement, struct sqlite_output *output, FILE *out)
{
	const struct query_request *request = asking->request;
	int answer;
	uint64_t rows = 0;
	while ((answer = sqlite3_step(statement)) == SQLITE_ROW) {
		if (ferror(out))
			return true;
		if (request->limit > 0 && rows++ == request->limit) {
			error_set(asking->error,
			    "query: there are more than %llu rows; --limit 0 prints all",
			    (unsigned long long)request->limit);
			return true;
		}
		if (!sqlite_output_row(output)) {
			error_set(asking->error, "query: no memory for the answer");
			return false;
		}
	}
	return answer == SQLITE_DONE || fail(asking);
}

static bool print_answer(const struct asking *asking, FILE *out)
{
	sqlite3_stmt *statement = prepare(asking);
	if (statement == NULL)
		return false;
	struct sqlite_output *output = sqlite_output_begin(asking->request->format, statement, out);
	error_set(asking->error, output != NULL ? "%s" : "query: no memory for the answer%s", "");
	bool good = output != NULL && print_rows(asking, statement, output, out);
	sqlite_output_end(output);
	sqlite3_finalize(statement);
	return good;
}

static bool ask(const struct query_request *request, FILE *out, struct error *error)
{
	struct asking asking = {.request = request, .error = error};
	bool good = open_database(&asking) && bound_tables(&asking) && make_views(&asking);
	if (good) {
		lock_down(&asking);
		good = print_answer(&asking, out);
	}
	sqlite3_close(asking.database);
	return good;
}

/* ---- which views and tables there are ---- */

// The comments that it begins with, without their dashes.
static void print_comments(FILE *out, const char *text)
{
	while (strncmp(text, "--", 2) == 0) {
		const char *end = strchr(text, '\n');
		fprintf(out, "   %.*s\n", (int)(end - text) - 2, text + 2);
		text = end + 1;
	}
}

// A word of a text in lines, behind those that `width` is the end of.
static void print_word(FILE *out, const char *word, size_t *width)
{
	enum { INDENT = 4, WIDTH = 116 };
	size_t length = strlen(word) + 1;
	if (*width + length > WIDTH)
		*width = (size_t)fprintf(out, "\n%*s", INDENT - 1, "") - 1;
	fprintf(out, " %s", word);
	*width += length;
}

static void print_columns(FILE *out, const struct store_table *table)
{
	size_t width = (size_t)fprintf(out, "    A row for each record of %s.jsonl:", table->name);
	for (size_t i = 0; i < table->column_count; i++) {
		char word[96];
		snprintf(word, sizeof word, "%s (%s)%s", table->columns[i].name,
		    store_type_name(table->columns[i].type),
		    i + 1 < table->column_count ? "," : "");
		print_word(out, word, &width);
	}
	fputc('\n', out);
}

static void list(FILE *out)
{
	for (size_t i = 0; i < STORE_TABLES; i++) {
		fprintf(out, "%s\n", store_tables[i].name);
		print_columns(out, &store_tables[i]);
		fputc('\n', out);
	}
	for (size_t i = 0; i < sqlite_view_count; i++) {
		fprintf(out, "%s%s\n", i > 0 ? "\n" : "", sqlite_views[i].name);
		print_comments(out, sqlite_views[i].text);
	}
}

static bool has_view(const char *name)
{
	for (size_t i = 0; i < sqlite_view_count; i++)
		if (strcmp(sqlite_views[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < STORE_TABLES; i++)
		if (strcmp(store_tables[i].name, name) == 0)
			return true;
	return false;
}

const struct sqlite_query_ops sqlite_query = {ask, list, has_view};
