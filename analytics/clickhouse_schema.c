// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_schema.h"

#include "analytics/clickhouse_rows.h"

#include <stdio.h>
#include <string.h>

enum { QUERY_MAX = 512, KEY_MAX = 80 };

static const char remedy[] = "configs/clickhouse/README.md says how to make the tables";

// The type of a column in "NAME\tTYPE\n…", up to the end of its line; NULL: there is none of this name.
static const char *find(const char *answer, const char *name)
{
	size_t length = strlen(name);
	for (const char *line = answer; *line != '\0';) {
		if (strncmp(line, name, length) == 0 && line[length] == '\t')
			return line + length + 1;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

static bool is_wrong(struct error *why, const char *answer, const char *name, enum store_type type)
{
	const char *found = find(answer, name);
	if (found == NULL)
		error_set(why, "has no column %s %s", name, clickhouse_type_name(type));
	else if (!clickhouse_type_fits(type, found))
		error_set(why, "column %s is %.*s, and should be %s", name,
		    (int)strcspn(found, "\n"), found, clickhouse_type_name(type));
	else
		return false;
	return true;
}

// With what stands beside it: nanoseconds, whether a list was seen.
static bool column_is_wrong(
    struct error *why, const char *answer, const struct store_column *column)
{
	char beside[KEY_MAX];
	bool list = column->type == STORE_TEXT_LIST || column->type == STORE_INTEGER_LIST;
	if (is_wrong(why, answer, column->name, column->type))
		return true;
	if (!list && column->type != STORE_TIME)
		return false;
	snprintf(beside, sizeof beside, "%s%s", column->name, list ? "_seen" : "_ns");
	return is_wrong(why, answer, beside, list ? STORE_BOOLEAN : STORE_INTEGER);
}

static bool table_is_wrong(struct error *why, const char *answer, const struct store_table *table)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (column_is_wrong(why, answer, &table->columns[i]))
			return true;
	return is_wrong(why, answer, "sensor", STORE_TEXT) ||
	       is_wrong(why, answer, "batch", STORE_TEXT);
}

void clickhouse_schema_check(struct clickhouse_client *client, const char *database,
    const struct store_table *table, struct reply *reply)
{
	char query[QUERY_MAX];
	struct error why;
	snprintf(query, sizeof query,
	    "SELECT name, type FROM system.columns WHERE database = '%s' AND table = '%s' "
	    "FORMAT TabSeparatedRaw",
	    database, table->name);
	clickhouse_client_ask(client, query, reply);
	if (reply->kind != REPLY_GOOD)
		return;
	if (reply->length == 0)
		error_set(&why, "is not there");
	else if (!table_is_wrong(&why, reply->text, table))
		return;
	reply->kind = REPLY_ERROR;
	reply->code = CLICKHOUSE_SCHEMA_WRONG;
	reply->length = (size_t)snprintf(reply->text, sizeof reply->text, "table %s.%s %s; %s",
	    database, table->name, why.text, remedy);
}
