// SPDX-License-Identifier: Apache-2.0
// The database file of a store: opening it, its schema (of store_columns.h) and views (configs/sql/), whether it is
// mailtap's at all, and what is done with a damaged one. Several processes may write to one. Part of the module for
// SQLite; one thread at a time.
#ifndef MAILTAP_ANALYTICS_SQLITE_DATABASE_H
#define MAILTAP_ANALYTICS_SQLITE_DATABASE_H

#include "capture/base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	// Of the schema: grows when what stands in a column means something else than before. Columns that are missing are
	// added, and those that are not known are left alone, whatever the version.
	SQLITE_SCHEMA_VERSION = 1,
	SQLITE_APPLICATION = 0x4d544150, // "MTAP" in the header of the file
	SQLITE_LOCK_WAIT = 10000, // milliseconds that another writer is waited for
};

enum database_state {
	DATABASE_GOOD,
	DATABASE_AWAY, // cannot be opened or written now
	DATABASE_REFUSED, // of another program, or of a newer mailtap
	DATABASE_DAMAGED,
};

// What an answer of SQLite says of the database.
enum database_state sqlite_database_state(int answer);

// Opens it to be written, and makes what is missing: the file (0640), tables, columns, views. *database is closed by
// sqlite3_close. Anything but DATABASE_GOOD: *error.
enum database_state sqlite_database_open(const char *path, sqlite3 **database, struct error *error);

// Moves a damaged one away, which is closed, to a new name beside it, with what belongs to it. `told` says where. False:
// *error.
bool sqlite_database_put_aside(const char *path, struct error *told, struct error *error);

// Closes one that is damaged, changing nothing of it.
void sqlite_database_abandon(sqlite3 *database);

// Runs statements that return nothing. The answer of SQLite.
int sqlite_do(sqlite3 *database, const char *statements);

// The first column of the first row, as a number. False: there is none.
bool sqlite_number(sqlite3 *database, const char *query, int64_t *number);

#endif
