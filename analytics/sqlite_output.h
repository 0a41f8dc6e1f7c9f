// SPDX-License-Identifier: Apache-2.0
// The rows of an answer as a table for people, as CSV or as JSON Lines. Null is a dash, an empty cell or null. Texts may
// come from the wire: a table has nothing in it that a terminal obeys, CSV nothing that a spreadsheet computes. Part of
// the module for SQLite.
#ifndef MAILTAP_ANALYTICS_SQLITE_OUTPUT_H
#define MAILTAP_ANALYTICS_SQLITE_OUTPUT_H

#include "analytics/sqlite.h"

#include <sqlite3.h>

struct sqlite_output;

// NULL: no memory.
struct sqlite_output *sqlite_output_begin(
    enum query_format format, sqlite3_stmt *statement, FILE *out);
// The row that the statement stands at. False: no memory.
bool sqlite_output_row(struct sqlite_output *output);
// Prints what is left, and frees. NULL is allowed.
void sqlite_output_end(struct sqlite_output *output);

#endif
