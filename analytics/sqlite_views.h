// SPDX-License-Identifier: Apache-2.0
// The views of a store, one for each file of configs/sql/, as they were when the program was built: they stand in the
// database for whoever opens it with another program, and `mailtap query` asks them. Each begins with comments that say
// what it counts, of what, and what a tap cannot see. The table is made by configs/sql/embed.py. Part of the module
// for SQLite.
#ifndef MAILTAP_ANALYTICS_SQLITE_VIEWS_H
#define MAILTAP_ANALYTICS_SQLITE_VIEWS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct sqlite_view {
	const char *name;
	const char *text; // comments and one SELECT
};

extern const struct sqlite_view sqlite_views[]; // in the order of their names
extern const size_t sqlite_view_count;

// Makes those that are missing or are of another version. An answer of SQLite.
int sqlite_views_make(sqlite3 *database);

// The definition of a view; `temporary`: of this connection alone. To be freed; NULL: no memory.
char *sqlite_view_definition(const struct sqlite_view *view, bool temporary);

#endif
