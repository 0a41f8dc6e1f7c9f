// SPDX-License-Identifier: Apache-2.0
#include "analytics/sqlite_views.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *sqlite_view_definition(const struct sqlite_view *view, bool temporary)
{
	char *text;
	if (asprintf(&text, "CREATE %sVIEW %s AS\n%s", temporary ? "TEMP " : "", view->name,
	        view->text) < 0)
		return NULL;
	return text;
}

// Whether the database has just this. SQLite keeps the text of a definition as it was given.
static int is_there(sqlite3 *database, const char *name, const char *definition, bool *there)
{
	sqlite3_stmt *statement;
	int answer = sqlite3_prepare_v2(database,
	    "SELECT 1 FROM main.sqlite_schema WHERE type = 'view' AND name = ?1 AND sql = ?2", -1,
	    &statement, NULL);
	if (answer != SQLITE_OK)
		return answer;
	sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, definition, -1, SQLITE_STATIC);
	*there = sqlite3_step(statement) == SQLITE_ROW;
	return sqlite3_finalize(statement);
}

static int make(sqlite3 *database, const char *name, const char *definition)
{
	char drop[128];
	bool there = false;
	int answer = is_there(database, name, definition, &there);
	if (answer != SQLITE_OK || there)
		return answer;
	snprintf(drop, sizeof drop, "DROP VIEW IF EXISTS %s", name);
	answer = sqlite3_exec(database, drop, NULL, NULL, NULL);
	return answer == SQLITE_OK ? sqlite3_exec(database, definition, NULL, NULL, NULL) : answer;
}

int sqlite_views_make(sqlite3 *database)
{
	int answer = SQLITE_OK;
	for (size_t i = 0; answer == SQLITE_OK && i < sqlite_view_count; i++) {
		char *definition = sqlite_view_definition(&sqlite_views[i], false);
		answer = definition != NULL ? make(database, sqlite_views[i].name, definition)
		                            : SQLITE_NOMEM;
		free(definition);
	}
	return answer;
}
