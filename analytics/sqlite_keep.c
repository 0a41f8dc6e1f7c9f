// SPDX-License-Identifier: Apache-2.0
#include "analytics/sqlite_keep.h"

#include "analytics/sqlite_database.h"
#include "analytics/store_record.h"

#include <stdlib.h>
#include <string.h>

enum {
	LOOK_EVERY = 60, // seconds
	LOOK_AT_CERTIFICATES_EVERY = 3600, // seconds: all records are read for it
	AT_ONCE = 5000, // records, in a transaction
	ROUNDS = 20, // of these, until it is time for records that come
	PAGES_AT_ONCE = 2000, // given back to the file system
	FULL_PERCENT = 95, // of the size, down to which room is made
};

static const enum store_table_id with_time[] = {STORE_SESSIONS, STORE_ALERTS, STORE_STATISTICS,
    STORE_DOMAINS, STORE_LOOKUPS, STORE_MESSAGES};
enum { WITH_TIME = sizeof with_time / sizeof with_time[0] };

// Removes the oldest of a table from before `until`, at most AT_ONCE. An answer of SQLite.
static int remove_older(sqlite3 *database, enum store_table_id id, const char *until, int *removed)
{
	const struct store_table *table = &store_tables[id];
	sqlite3_stmt *statement;
	char text[256];
	snprintf(text, sizeof text,
	    "DELETE FROM %s WHERE rowid IN (SELECT rowid FROM %s WHERE \"%s\" < ?1 ORDER BY \"%s\" "
	    "LIMIT %d)",
	    table->name, table->name, table->time, table->time, AT_ONCE);
	int answer = sqlite3_prepare_v2(database, text, -1, &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	sqlite3_bind_text(statement, 1, until, -1, SQLITE_STATIC);
	(void)sqlite3_step(statement);
	*removed = sqlite3_changes(database);
	return sqlite3_finalize(statement);
}

// Of all tables.
static int remove_before(
    struct sqlite_keep *keep, sqlite3 *database, const char *until, struct store_counters *counters)
{
	int answer = SQLITE_OK;
	for (size_t i = 0; answer == SQLITE_OK && i < WITH_TIME; i++) {
		int removed = 0;
		answer = remove_older(database, with_time[i], until, &removed);
		counters->removed[with_time[i]] += (uint64_t)removed;
		keep->more |= removed == AT_ONCE;
		keep->certificates |= removed > 0;
	}
	return answer;
}

static int remove_old(struct sqlite_keep *keep, sqlite3 *database,
    const struct store_settings *settings, struct store_counters *counters)
{
	enum { DAY = 24 * 60 * 60 };
	char until[STORE_TIME_LENGTH + 1];
	time_t time_of = time(NULL) - (time_t)settings->keep * DAY;
	struct tm parts;
	if (settings->keep == 0 || gmtime_r(&time_of, &parts) == NULL || time_of < 0)
		return SQLITE_OK;
	strftime(until, sizeof until, "%Y-%m-%dT%H:%M:%S.000000000Z", &parts);
	return remove_before(keep, database, until, counters);
}

/* ---- size ---- */

static int64_t pages(sqlite3 *database)
{
	int64_t all = 0, unused = 0;
	(void)sqlite_number(database, "PRAGMA page_count", &all);
	(void)sqlite_number(database, "PRAGMA freelist_count", &unused);
	return all - unused;
}

// Of a table: the time up to which there are a thousand records, or 60 of statistics, or an eighth of them where they
// are few, which may be large. Nothing: it has none.
static bool oldest_end_of(
    sqlite3 *database, enum store_table_id id, char until[STORE_TIME_LENGTH + 1])
{
	enum { PARTS = 8, MANY = 1000, MANY_STATISTICS = 60 };
	const struct store_table *table = &store_tables[id];
	sqlite3_stmt *statement;
	char query[512];
	snprintf(query, sizeof query,
	    "SELECT \"%s\" FROM %s WHERE \"%s\" IS NOT NULL ORDER BY \"%s\" LIMIT 1 OFFSET"
	    " (SELECT max(1, count(*) / %d) FROM (SELECT 1 FROM %s WHERE \"%s\" IS NOT NULL LIMIT "
	    "%d))",
	    table->time, table->name, table->time, table->time, PARTS, table->name, table->time,
	    PARTS * (id == STORE_STATISTICS ? MANY_STATISTICS : MANY));
	if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK)
		return false;
	bool found = sqlite3_step(statement) == SQLITE_ROW &&
	             sqlite3_column_bytes(statement, 0) == STORE_TIME_LENGTH;
	if (found)
		snprintf(until, STORE_TIME_LENGTH + 1, "%s", sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return found;
}

// The time before which to remove: the earliest of these. False: there is nothing to remove.
static bool oldest_end(sqlite3 *database, char until[STORE_TIME_LENGTH + 1])
{
	char end[STORE_TIME_LENGTH + 1];
	bool found = false;
	for (size_t i = 0; i < WITH_TIME; i++) {
		if (!oldest_end_of(database, with_time[i], end))
			continue;
		if (!found || strcmp(end, until) < 0)
			memcpy(until, end, sizeof end);
		found = true;
	}
	return found;
}

static int make_room(struct sqlite_keep *keep, sqlite3 *database,
    const struct store_settings *settings, struct store_counters *counters)
{
	char until[STORE_TIME_LENGTH + 1];
	int64_t page = 0;
	(void)sqlite_number(database, "PRAGMA page_size", &page);
	int64_t most = page > 0 ? (int64_t)(settings->size / (uint64_t)page) : 0;
	int answer = SQLITE_OK;
	if (settings->size == 0 || pages(database) <= most)
		return SQLITE_OK;
	int64_t wanted = most * FULL_PERCENT / 100;
	uint64_t before = UINT64_MAX;
	while (answer == SQLITE_OK && pages(database) > wanted &&
	       store_sum(counters->removed) != before && oldest_end(database, until)) {
		before = store_sum(counters->removed);
		answer = remove_before(keep, database, until, counters);
	}
	return answer;
}

/* ---- certificates ---- */

// Only those from before the oldest session: a run writes each once, and later sessions may name it.
static int remove_certificates(sqlite3 *database, struct store_counters *counters)
{
	static const char statement[] =
	    "DELETE FROM certificates WHERE first_seen < ifnull((SELECT min(\"start\") FROM "
	    "sessions),"
	    " '9999') AND sha256 NOT IN (SELECT value FROM sessions, json_each(server_chain)"
	    " UNION SELECT value FROM sessions, json_each(client_chain))";
	int answer = sqlite_do(database, statement);
	if (answer == SQLITE_OK)
		counters->removed[STORE_CERTIFICATES] += (uint64_t)sqlite3_changes(database);
	return answer;
}

static int look_at_certificates(
    struct sqlite_keep *keep, sqlite3 *database, struct store_counters *counters)
{
	time_t now = time(NULL);
	if (!keep->certificates ||
	    llabs(now - keep->looked_at_certificates) < LOOK_AT_CERTIFICATES_EVERY)
		return SQLITE_OK;
	keep->certificates = false;
	keep->looked_at_certificates = now;
	return remove_certificates(database, counters);
}

/* ---- from outside ---- */

static int look(struct sqlite_keep *keep, sqlite3 *database, const struct store_settings *settings,
    struct store_counters *counters)
{
	keep->more = false;
	int answer = remove_old(keep, database, settings, counters);
	if (answer == SQLITE_OK)
		answer = make_room(keep, database, settings, counters);
	if (answer == SQLITE_OK)
		answer = look_at_certificates(keep, database, counters);
	return answer;
}

// Room that nothing is in, a part of it at a time.
static int give_back(struct sqlite_keep *keep, sqlite3 *database)
{
	char text[64];
	int64_t unused = 0;
	snprintf(text, sizeof text, "PRAGMA incremental_vacuum(%d)", PAGES_AT_ONCE);
	int answer = sqlite_do(database, text);
	(void)sqlite_number(database, "PRAGMA freelist_count", &unused);
	keep->more |= unused > 0;
	return answer;
}

bool sqlite_keep(struct sqlite_keep *keep, sqlite3 *database, const struct store_settings *settings,
    struct store_counters *counters, struct error *error)
{
	time_t now = time(NULL);
	bool due = keep->more || llabs(now - keep->looked) >= LOOK_EVERY;
	if (!due || (settings->keep == 0 && settings->size == 0))
		return true;
	keep->looked = now;
	keep->more = true;
	int answer = SQLITE_OK;
	for (int i = 0; answer == SQLITE_OK && keep->more && i < ROUNDS; i++) {
		answer = look(keep, database, settings, counters);
		if (answer == SQLITE_OK)
			answer = give_back(keep, database);
	}
	if (answer == SQLITE_OK)
		return true;
	error_set(error, "%s: old records cannot be removed: %s", settings->file,
	    sqlite3_errmsg(database));
	return false;
}
