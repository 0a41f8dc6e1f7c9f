// SPDX-License-Identifier: Apache-2.0
// A store in a database file of SQLite: one transaction a batch, with write-ahead logging, so that others read
// meanwhile. Whatever happens to the file (a full disk, somebody who removes it, damage), the store goes on when it is
// well again. Part of the module for SQLite.
#include "analytics/sqlite.h"
#include "analytics/sqlite_database.h"
#include "analytics/sqlite_keep.h"
#include "analytics/sqlite_schema.h"
#include "analytics/store_record.h"
#include "capture/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct sqlite_store_file {
	const struct store_settings *settings;
	sqlite3 *database; // NULL: it has to be opened again
	dev_t device; // the file
	ino_t inode;
	sqlite3_stmt *insert[STORE_TABLES],
	    *replace[STORE_TABLES]; // replace: NULL where there is none
	char begun[STORE_TIME_LENGTH + 1];
	int64_t run; // its number in the database
	struct sqlite_keep keep;
	struct store_record *record;
};

/* ---- opening ---- */

static void now_text(char text[STORE_TIME_LENGTH + 1])
{
	struct timespec now;
	struct tm parts;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	size_t length = strftime(text, STORE_TIME_LENGTH + 1, "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(text + length, STORE_TIME_LENGTH + 1 - length, ".%09ldZ", now.tv_nsec);
}

static void close_database(struct sqlite_store_file *store, bool damaged)
{
	for (size_t i = 0; i < STORE_TABLES; i++) {
		sqlite3_finalize(store->insert[i]);
		sqlite3_finalize(store->replace[i]);
		store->insert[i] = store->replace[i] = NULL;
	}
	if (damaged)
		sqlite_database_abandon(store->database);
	else
		sqlite3_close(store->database);
	store->database = NULL;
}

static int prepare(sqlite3 *database, char *statement, sqlite3_stmt **prepared)
{
	int answer = statement != NULL ? sqlite3_prepare_v3(database, statement, -1,
	                                     SQLITE_PREPARE_PERSISTENT, prepared, NULL)
	                               : SQLITE_NOMEM;
	free(statement);
	return answer;
}

static int prepare_all(struct sqlite_store_file *store)
{
	int answer = SQLITE_OK;
	for (size_t i = 0; answer == SQLITE_OK && i < STORE_TABLES; i++) {
		const struct store_table *table = &store_tables[i];
		answer = prepare(store->database, sqlite_insert(table), &store->insert[i]);
		if (answer == SQLITE_OK && table->identity[0] != NULL)
			answer =
			    prepare(store->database, sqlite_replace(table), &store->replace[i]);
	}
	return answer;
}

static int add_run(struct sqlite_store_file *store)
{
	static const char insert[] =
	    "INSERT INTO runs(begun, sensor, version, imports) VALUES(?1, ?2, ?3, ?4)";
	sqlite3_stmt *statement;
	int answer = sqlite3_prepare_v2(store->database, insert, -1, &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	sqlite3_bind_text(statement, 1, store->begun, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, store->settings->sensor, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 3, MAILTAP_VERSION, -1, SQLITE_STATIC);
	sqlite3_bind_int(statement, 4, store->settings->imports);
	(void)sqlite3_step(statement);
	store->run = sqlite3_last_insert_rowid(store->database);
	return sqlite3_finalize(statement);
}

// In a database that was opened again it stands already, unless that is another one.
static int find_run(struct sqlite_store_file *store)
{
	sqlite3_stmt *statement;
	int answer = sqlite3_prepare_v2(store->database,
	    "SELECT 1 FROM runs WHERE id = ?1 AND begun = ?2", -1, &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	sqlite3_bind_int64(statement, 1, store->run);
	sqlite3_bind_text(statement, 2, store->begun, -1, SQLITE_STATIC);
	bool found = sqlite3_step(statement) == SQLITE_ROW;
	answer = sqlite3_finalize(statement);
	return found || answer != SQLITE_OK ? answer : add_run(store);
}

static enum database_state open_database(struct sqlite_store_file *store, struct error *error)
{
	const char *path = store->settings->file;
	struct stat status;
	enum database_state state = sqlite_database_open(path, &store->database, error);
	if (state != DATABASE_GOOD)
		return state;
	int answer = prepare_all(store);
	if (answer == SQLITE_OK)
		answer = find_run(store);
	if (answer == SQLITE_OK && stat(path, &status) == 0) {
		store->device = status.st_dev;
		store->inode = status.st_ino;
		return DATABASE_GOOD;
	}
	error_set(error, "%s: cannot be written: %s", path,
	    answer == SQLITE_OK ? strerror(errno) : sqlite3_errmsg(store->database));
	state = answer == SQLITE_OK ? DATABASE_AWAY : sqlite_database_state(answer);
	close_database(store, state == DATABASE_DAMAGED);
	return state;
}

// False: it cannot be; *error.
static bool put_aside(const struct store_settings *settings, struct error *error)
{
	struct error told;
	if (!sqlite_database_put_aside(settings->file, &told, error))
		return false;
	if (settings->tell != NULL)
		settings->tell(&told);
	return true;
}

// A damaged one is put aside.
static enum database_state open_good_database(struct sqlite_store_file *store, struct error *error)
{
	enum database_state state = open_database(store, error);
	if (state != DATABASE_DAMAGED)
		return state;
	return put_aside(store->settings, error) ? open_database(store, error) : DATABASE_AWAY;
}

static void *store_file_open(const struct store_settings *settings, struct error *error)
{
	error_set(error, "--store sqlite: name the file with --store-file");
	if (settings->file == NULL)
		return NULL;
	struct sqlite_store_file *store = calloc(1, sizeof *store);
	struct store_record *record = store_record_create();
	error_set(error, "no memory for the store");
	if (store != NULL && record != NULL) {
		store->settings = settings;
		store->record = record;
		now_text(store->begun);
		if (open_good_database(store, error) == DATABASE_GOOD)
			return store;
	}
	store_record_destroy(record);
	free(store);
	return NULL;
}

/* ---- storing ---- */

static int bind(sqlite3_stmt *statement, int parameter, const struct store_value *value)
{
	switch (value->form) {
	case STORE_BYTES:
		return sqlite3_bind_text(
		    statement, parameter, value->bytes, (int)value->length, SQLITE_STATIC);
	case STORE_NUMBER:
		return sqlite3_bind_int64(statement, parameter, value->number);
	case STORE_FRACTION:
		return sqlite3_bind_double(statement, parameter, value->fraction);
	case STORE_NULL:
		break;
	}
	return sqlite3_bind_null(statement, parameter);
}

// Of a line without identity: the same in every run.
static int64_t digest_of(const char *line, size_t length)
{
	static const struct hash_key fixed;
	return (int64_t)hash_bytes(&fixed, line, length);
}

static int run_statement(struct sqlite_store_file *store, sqlite3_stmt *statement,
    const struct store_table *table, const char *line, size_t length)
{
	const struct store_value *values = store_record_values(store->record);
	int parameter = 1;
	int answer = sqlite3_bind_int64(statement, parameter++, store->run);
	for (size_t i = 0; answer == SQLITE_OK && i < table->column_count; i++)
		answer = bind(statement, parameter++, &values[i]);
	if (answer == SQLITE_OK && table->identity[0] == NULL)
		answer = sqlite3_bind_int64(statement, parameter, digest_of(line, length));
	if (answer != SQLITE_OK)
		return answer;
	(void)sqlite3_step(statement);
	return sqlite3_reset(statement); // the answer of the step
}

static int put_line(struct sqlite_store_file *store, enum store_table_id id, const char *line,
    size_t length, struct store_counters *counters)
{
	const struct store_table *table = &store_tables[id];
	enum store_reading reading = store_record_read(store->record, table, line, length);
	if (reading == STORE_LINE_DAMAGED) {
		counters->refused[id]++;
		return SQLITE_OK;
	}
	int answer = run_statement(store, store->insert[id], table, line, length);
	if (answer != SQLITE_OK)
		return answer;
	counters->stored[id]++;
	counters->in_part[id] += reading == STORE_LINE_IN_PART;
	if (sqlite3_changes(store->database) > 0)
		return SQLITE_OK;
	counters->known[id]++;
	return store->replace[id] == NULL
	           ? SQLITE_OK
	           : run_statement(store, store->replace[id], table, line, length);
}

static int put_block(struct sqlite_store_file *store, const struct store_block *block,
    struct store_counters *counters)
{
	const char *line = block->text, *end = block->text + block->length;
	int answer = SQLITE_OK;
	while (answer == SQLITE_OK && line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		if (next == NULL)
			next = end;
		answer = put_line(store, block->table, line, (size_t)(next - line), counters);
		line = next + 1;
	}
	return answer;
}

static int put_blocks(struct sqlite_store_file *store, const struct store_block *blocks,
    struct store_counters *counters)
{
	int answer = sqlite_do(store->database, "BEGIN IMMEDIATE");
	for (; answer == SQLITE_OK && blocks != NULL; blocks = blocks->next)
		answer = put_block(store, blocks, counters);
	return answer == SQLITE_OK ? sqlite_do(store->database, "COMMIT") : answer;
}

// Somebody removed the file, moved it away, or put another one in its place: nobody would find what is stored.
static bool is_gone(const struct sqlite_store_file *store)
{
	struct stat status;
	if (stat(store->settings->file, &status) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return status.st_ino != store->inode || status.st_dev != store->device;
}

static void tell_gone(const struct store_settings *settings)
{
	struct error what;
	error_set(&what, "%s: it was removed or moved away, and is begun anew", settings->file);
	if (settings->tell != NULL)
		settings->tell(&what);
}

static enum database_state be_open(struct sqlite_store_file *store, struct error *error)
{
	bool gone = store->database != NULL && is_gone(store);
	if (gone)
		close_database(store, false);
	if (store->database != NULL)
		return DATABASE_GOOD;
	enum database_state state = open_good_database(store, error);
	if (gone && state == DATABASE_GOOD)
		tell_gone(store->settings);
	return state;
}

// True: it was damaged, was put aside, and can be begun anew.
static bool give_up(struct sqlite_store_file *store, int answer, struct error *error)
{
	bool damaged = sqlite_database_state(answer) == DATABASE_DAMAGED;
	error_set(error, "%s: %s", store->settings->file, sqlite3_errmsg(store->database));
	(void)sqlite_do(store->database, "ROLLBACK");
	close_database(store, damaged);
	return damaged && put_aside(store->settings, error);
}

static enum store_answer store_file_put(void *opened, const struct store_block *blocks,
    struct store_counters *counters, struct error *error)
{
	struct sqlite_store_file *store = opened;
	struct store_counters before = *counters;
	bool begins_anew = true;
	while (begins_anew) {
		enum database_state state = be_open(store, error);
		if (state != DATABASE_GOOD)
			return state == DATABASE_REFUSED ? STORE_FAILED : STORE_LATER;
		int answer = put_blocks(store, blocks, counters);
		if (answer == SQLITE_OK)
			return STORE_TAKEN;
		*counters = before;
		begins_anew = give_up(store, answer, error);
	}
	return STORE_LATER;
}

static bool store_file_upkeep(void *opened, struct store_counters *counters, struct error *error)
{
	struct sqlite_store_file *store = opened;
	if (store->database == NULL)
		return true;
	return sqlite_keep(&store->keep, store->database, store->settings, counters, error);
}

/* ---- closing ---- */

static int end_run(struct sqlite_store_file *store)
{
	char now[STORE_TIME_LENGTH + 1];
	sqlite3_stmt *statement;
	int answer = sqlite3_prepare_v2(
	    store->database, "UPDATE runs SET ended = ?1 WHERE id = ?2", -1, &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	now_text(now);
	sqlite3_bind_text(statement, 1, now, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 2, store->run);
	(void)sqlite3_step(statement);
	return sqlite3_finalize(statement);
}

static bool store_file_close(void *opened, struct store_counters *counters, struct error *error)
{
	struct sqlite_store_file *store = opened;
	(void)counters;
	bool good = true;
	if (store->database != NULL) {
		good = end_run(store) == SQLITE_OK;
		if (!good)
			error_set(error, "%s: %s", store->settings->file,
			    sqlite3_errmsg(store->database));
		close_database(store, false);
	}
	store_record_destroy(store->record);
	free(store);
	return good;
}

static const char *store_file_place(const struct store_settings *settings)
{
	return settings->file;
}

const struct store_ops sqlite_store = {
    .name = "sqlite",
    .place = store_file_place,
    .open = store_file_open,
    .put = store_file_put,
    .upkeep = store_file_upkeep,
    .close = store_file_close,
};
