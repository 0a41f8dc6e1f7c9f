// SPDX-License-Identifier: Apache-2.0
#include "analytics/sqlite_database.h"

#include "analytics/sqlite_schema.h"
#include "analytics/sqlite_views.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum database_state sqlite_database_state(int answer)
{
	switch (answer & 0xff) { // without SQLite's details
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return DATABASE_GOOD;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DATABASE_DAMAGED;
	default:
		return DATABASE_AWAY;
	}
}

int sqlite_do(sqlite3 *database, const char *statements)
{
	return sqlite3_exec(database, statements, NULL, NULL, NULL);
}

static int read_number(sqlite3 *database, const char *query, int64_t *number)
{
	sqlite3_stmt *statement;
	int answer = sqlite3_prepare_v2(database, query, -1, &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	return sqlite3_finalize(statement);
}

bool sqlite_number(sqlite3 *database, const char *query, int64_t *number)
{
	return read_number(database, query, number) == SQLITE_OK;
}

/* ---- whose it is ---- */

static enum database_state check_owner(sqlite3 *database, const char *path, struct error *error)
{
	int64_t objects = 0, application = 0, version = 0;
	int answer = read_number(database, "SELECT count(*) FROM sqlite_schema", &objects);
	if (answer == SQLITE_OK)
		answer = read_number(database, "PRAGMA application_id", &application);
	if (answer == SQLITE_OK)
		answer = read_number(database, "PRAGMA user_version", &version);
	if ((answer & 0xff) == SQLITE_NOTADB) {
		error_set(error, "%s: is no database; move it away, or name another file", path);
		return DATABASE_REFUSED;
	}
	error_set(error, "%s: cannot be read: %s", path, sqlite3_errmsg(database));
	if (answer != SQLITE_OK)
		return sqlite_database_state(answer);
	if (objects == 0 && application == 0)
		return DATABASE_GOOD; // new
	error_set(error, "%s: is a database of another program; name another file", path);
	if (application != SQLITE_APPLICATION)
		return DATABASE_REFUSED;
	error_set(error,
	    "%s: is of a newer mailtap (schema %lld, this one knows %d); use that, or name another "
	    "file",
	    path, (long long)version, SQLITE_SCHEMA_VERSION);
	return version > SQLITE_SCHEMA_VERSION ? DATABASE_REFUSED : DATABASE_GOOD;
}

/* ---- the schema ---- */

static int do_and_free(sqlite3 *database, char *statements)
{
	int answer = statements != NULL ? sqlite_do(database, statements) : SQLITE_NOMEM;
	free(statements);
	return answer;
}

static bool has_column(sqlite3 *database, const char *table, const char *column)
{
	return sqlite3_table_column_metadata(
	           database, "main", table, column, NULL, NULL, NULL, NULL, NULL) == SQLITE_OK;
}

// Those that came after the database was made. They are null in what is there: not seen.
static int add_columns(sqlite3 *database, const struct store_table *table)
{
	int answer = SQLITE_OK;
	for (size_t i = 0; answer == SQLITE_OK && i < table->column_count; i++) {
		const struct store_column *column = &table->columns[i];
		char statement[256];
		if (has_column(database, table->name, column->name))
			continue;
		snprintf(statement, sizeof statement, "ALTER TABLE %s ADD COLUMN \"%s\" %s",
		    table->name, column->name, sqlite_column_type(column->type));
		answer = sqlite_do(database, statement);
	}
	return answer;
}

static int make_tables(sqlite3 *database)
{
	int answer = sqlite_do(database, sqlite_schema_runs);
	for (size_t i = 0; answer == SQLITE_OK && i < STORE_TABLES; i++) {
		const struct store_table *table = &store_tables[i];
		answer = do_and_free(database, sqlite_schema_table(table));
		if (answer == SQLITE_OK)
			answer = add_columns(database, table);
		if (answer == SQLITE_OK)
			answer = do_and_free(database, sqlite_schema_indexes(table));
	}
	return answer;
}

static int mark(sqlite3 *database)
{
	char statements[128];
	snprintf(statements, sizeof statements,
	    "PRAGMA main.application_id = %d; PRAGMA main.user_version = %d", SQLITE_APPLICATION,
	    SQLITE_SCHEMA_VERSION);
	return sqlite_do(database, statements);
}

// In one transaction: who comes at the same time finds all or nothing.
static enum database_state make_schema(sqlite3 *database, const char *path, struct error *error)
{
	int answer = sqlite_do(database, "BEGIN IMMEDIATE");
	if (answer == SQLITE_OK) {
		enum database_state state = check_owner(database, path, error);
		if (state != DATABASE_GOOD)
			return state;
		answer = make_tables(database);
	}
	if (answer == SQLITE_OK)
		answer = sqlite_views_make(database);
	if (answer == SQLITE_OK)
		answer = mark(database);
	if (answer == SQLITE_OK)
		answer = sqlite_do(database, "COMMIT");
	error_set(error, "%s: cannot be written: %s", path, sqlite3_errmsg(database));
	return sqlite_database_state(answer);
}

/* ---- opening ---- */

static bool make_file(const char *path, struct error *error)
{
	int made = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (made >= 0)
		close(made);
	if (made >= 0 || errno == EEXIST)
		return true;
	error_set(error, "%s: cannot be made: %s", path, strerror(errno));
	return false;
}

// To change to WAL takes a moment without anybody else in the database, which SQLite does not wait for.
static int use_log(sqlite3 *database)
{
	enum { TRIES = 100, PAUSE = 50 };
	int answer;
	for (int i = 0; i < TRIES; i++) {
		answer = sqlite_do(database, "PRAGMA journal_mode = WAL");
		if ((answer & 0xff) != SQLITE_BUSY)
			break;
		sqlite3_sleep(PAUSE);
	}
	return answer;
}

// auto_vacuum comes first: it is for ever what it is when the first page is written.
static int set_up(sqlite3 *database)
{
	sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	int answer = sqlite_do(database, "PRAGMA auto_vacuum = INCREMENTAL");
	if (answer == SQLITE_OK)
		answer = use_log(database);
	if (answer == SQLITE_OK)
		answer = sqlite_do(database,
		    "PRAGMA synchronous = NORMAL; PRAGMA cache_size = -8192;"
		    "PRAGMA journal_size_limit = 8388608; PRAGMA temp_store = MEMORY");
	return answer;
}

static enum database_state open_file(sqlite3 *database, const char *path, struct error *error)
{
	sqlite3_extended_result_codes(database, 1);
	sqlite3_busy_timeout(database, SQLITE_LOCK_WAIT);
	enum database_state state = check_owner(database, path, error);
	if (state != DATABASE_GOOD)
		return state;
	int answer = set_up(database);
	error_set(error, "%s: cannot be written: %s", path, sqlite3_errmsg(database));
	if (answer != SQLITE_OK)
		return sqlite_database_state(answer);
	return make_schema(database, path, error);
}

enum database_state sqlite_database_open(const char *path, sqlite3 **database, struct error *error)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	*database = NULL;
	if (!make_file(path, error))
		return DATABASE_AWAY;
	enum database_state state = DATABASE_AWAY;
	if (sqlite3_open_v2(path, database, flags, NULL) == SQLITE_OK)
		state = open_file(*database, path, error);
	else
		error_set(error, "%s: cannot be opened: %s", path,
		    *database != NULL ? sqlite3_errmsg(*database) : "no memory");
	if (state == DATABASE_GOOD)
		return state;
	if (state == DATABASE_DAMAGED)
		sqlite_database_abandon(*database);
	else
		sqlite3_close(*database);
	*database = NULL;
	return state;
}

/* ---- damage ---- */

void sqlite_database_abandon(sqlite3 *database)
{
	sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(database);
}

// Never in the place of another file.
static bool move(const char *path, const char *aside, const char *end)
{
	char from[PATH_MAX + 8], to[PATH_MAX + 8];
	snprintf(from, sizeof from, "%s%s", path, end);
	snprintf(to, sizeof to, "%s%s", aside, end);
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 || errno == ENOENT;
}

bool sqlite_database_put_aside(const char *path, struct error *told, struct error *error)
{
	char aside[PATH_MAX], when[24];
	time_t now = time(NULL);
	struct tm parts;
	gmtime_r(&now, &parts);
	strftime(when, sizeof when, "%Y-%m-%dT%H-%M-%SZ", &parts);
	bool good =
	    (size_t)snprintf(aside, sizeof aside, "%s.damaged-%s", path, when) < sizeof aside &&
	    move(path, aside, "") && move(path, aside, "-wal") && move(path, aside, "-shm");
	if (good)
		error_set(
		    told, "%s: is damaged, was put aside as %s, and is begun anew", path, aside);
	else
		error_set(
		    error, "%s: is damaged, and cannot be put aside: %s", path, strerror(errno));
	return good;
}
