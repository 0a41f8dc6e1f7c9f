// SPDX-License-Identifier: Apache-2.0
#include "analytics/sqlite_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char sqlite_schema_runs[] =
    "CREATE TABLE IF NOT EXISTS runs(id INTEGER PRIMARY KEY, begun TEXT NOT NULL, ended TEXT,"
    " sensor TEXT, version TEXT NOT NULL, imports BOOLEAN NOT NULL);";

const char *sqlite_column_type(enum store_type type)
{
	static const char *const types[] = {
	    [STORE_TEXT] = "TEXT",
	    [STORE_INTEGER] = "INTEGER",
	    [STORE_REAL] = "REAL",
	    [STORE_BOOLEAN] = "BOOLEAN",
	    [STORE_TIME] = "TEXT",
	    [STORE_TEXT_LIST] = "JSON",
	    [STORE_INTEGER_LIST] = "JSON",
	    [STORE_JSON] = "JSON",
	    [STORE_REST] = "JSON",
	};
	return types[type];
}

// What a function writes, as a text to be freed.
static char *written(
    void (*write)(FILE *out, const struct store_table *table), const struct store_table *table)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	write(out, table);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static bool by_line(const struct store_table *table)
{
	return table->identity[0] == NULL;
}

static void write_table(FILE *out, const struct store_table *table)
{
	fprintf(out, "CREATE TABLE IF NOT EXISTS %s(" SQLITE_COLUMN_RUN " INTEGER NOT NULL",
	    table->name);
	for (size_t i = 0; i < table->column_count; i++)
		fprintf(out, ", \"%s\" %s", table->columns[i].name,
		    sqlite_column_type(table->columns[i].type));
	if (by_line(table))
		fputs(", " SQLITE_COLUMN_DIGEST " INTEGER NOT NULL", out);
	fputs(");", out);
}

// Null is a value like any other here: two records without a sensor may be the same.
static void write_indexes(FILE *out, const struct store_table *table)
{
	fprintf(
	    out, "CREATE UNIQUE INDEX IF NOT EXISTS %s_identity ON %s(", table->name, table->name);
	if (by_line(table))
		fputs(SQLITE_COLUMN_DIGEST, out);
	for (size_t i = 0; table->identity[i] != NULL; i++)
		fprintf(out, i == 0 ? "\"%s\"" : ", ifnull(\"%s\", '')", table->identity[i]);
	fputs(");", out);
	if (by_line(table) || table->earliest)
		fprintf(out, "CREATE INDEX IF NOT EXISTS %s_time ON %s(\"%s\");", table->name,
		    table->name, table->time);
}

static void write_names(FILE *out, const struct store_table *table)
{
	fprintf(out, " INTO %s(" SQLITE_COLUMN_RUN, table->name);
	for (size_t i = 0; i < table->column_count; i++)
		fprintf(out, ", \"%s\"", table->columns[i].name);
	fputs(by_line(table) ? ", " SQLITE_COLUMN_DIGEST ")" : ")", out);
}

static void write_parameters(FILE *out, const struct store_table *table)
{
	size_t count = 1 + table->column_count + by_line(table);
	for (size_t i = 1; i <= count; i++)
		fprintf(out, "%s?%zu", i > 1 ? ", " : "", i);
}

static void write_insert(FILE *out, const struct store_table *table)
{
	fputs("INSERT OR IGNORE", out);
	write_names(out, table);
	fputs(" VALUES(", out);
	write_parameters(out, table);
	fputs(")", out);
}

static size_t parameter_of(const struct store_table *table, const char *name)
{
	size_t column = 0;
	while (strcmp(table->columns[column].name, name) != 0)
		column++;
	return column + 2;
}

static void write_replace(FILE *out, const struct store_table *table)
{
	fputs("INSERT OR REPLACE", out);
	write_names(out, table);
	fputs(" SELECT ", out);
	write_parameters(out, table);
	if (table->earliest)
		fprintf(out,
		    " WHERE NOT EXISTS(SELECT 1 FROM %s WHERE \"%s\" = ?%zu AND \"%s\" <= ?%zu)",
		    table->name, table->identity[0], parameter_of(table, table->identity[0]),
		    table->time, parameter_of(table, table->time));
}

char *sqlite_schema_table(const struct store_table *table)
{
	return written(write_table, table);
}

char *sqlite_schema_indexes(const struct store_table *table)
{
	return written(write_indexes, table);
}

char *sqlite_insert(const struct store_table *table)
{
	return written(write_insert, table);
}

char *sqlite_replace(const struct store_table *table)
{
	return by_line(table) ? NULL : written(write_replace, table);
}
