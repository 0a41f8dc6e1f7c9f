// SPDX-License-Identifier: Apache-2.0
// The statements that make up a store's schema in SQLite, from store_columns.h. Names are in quotes: "end" is a word of
// SQL. Part of the module for SQLite.
#ifndef MAILTAP_ANALYTICS_SQLITE_SCHEMA_H
#define MAILTAP_ANALYTICS_SQLITE_SCHEMA_H

#include "analytics/store_columns.h"

// What tables have besides the columns of their records.
#define SQLITE_COLUMN_RUN "stored_by" // number of a row of `runs`
#define SQLITE_COLUMN_DIGEST "digest" // of the whole line, where a table has no identity

// The table of those who stored.
extern const char sqlite_schema_runs[];

// A column as a table's definition has it, without its name.
const char *sqlite_column_type(enum store_type type);

// All are to be freed; NULL: no memory.
char *sqlite_schema_table(const struct store_table *table);
char *sqlite_schema_indexes(const struct store_table *table);
// Parameters: 1 for SQLITE_COLUMN_RUN, then one for each column, then the digest where there is one.
// Nothing happens to a record that is there.
char *sqlite_insert(const struct store_table *table);
// Likewise; takes the place of a record that is there, where it is to. NULL also if that never is.
char *sqlite_replace(const struct store_table *table);

#endif
