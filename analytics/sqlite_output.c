// SPDX-License-Identifier: Apache-2.0
#include "analytics/sqlite_output.h"

#include "analytics/json.h"
#include "analytics/plain_text.h"
#include "capture/base/view.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	CELL_COLUMNS = 64, // of a cell of a table
	CELL_SIZE = 4 * CELL_COLUMNS + 1,
};

// A cell of a table, with how wide it is on a terminal.
struct cell_text {
	char *text;
	size_t width;
};

struct sqlite_output {
	enum query_format format;
	sqlite3_stmt *statement;
	FILE *out;
	int columns;
	struct json json;
	// Of a table, whose columns are as wide as their widest cell.
	struct cell_text *cells;
	size_t count, size;
	size_t *widths;
};

// What a column of a table of the store is declared to be.
static bool is_declared(sqlite3_stmt *statement, int column, const char *type)
{
	const char *declared = sqlite3_column_decltype(statement, column);
	return declared != NULL && strcmp(declared, type) == 0;
}

// Of null, no bytes. False: no memory.
static bool text_of(sqlite3_stmt *statement, int column, struct view *text)
{
	const uint8_t *bytes = sqlite3_column_text(statement, column);
	size_t length = bytes != NULL ? (size_t)sqlite3_column_bytes(statement, column) : 0;
	*text = view_of(bytes, length);
	return bytes != NULL || sqlite3_errcode(sqlite3_db_handle(statement)) != SQLITE_NOMEM;
}

/* ---- JSON ---- */

// What the store keeps as JSON is JSON again, in values that are checked when they are stored. Who wrote them, if they
// came from logs, nobody knows.
static void json_text(struct sqlite_output *output, int column)
{
	struct json *json = &output->json;
	struct view text;
	if (!text_of(output->statement, column, &text))
		json->failed = true;
	else if (is_declared(output->statement, column, "JSON"))
		json_foreign(json, text.data, text.length);
	else
		json_bytes(json, text.data, text.length);
}

static void json_number(struct json *json, const char *text)
{
	size_t length = strlen(text);
	json_begin_value(json);
	if (json_reserve(json, length)) {
		memcpy(json->text + json->length, text, length);
		json->length += length;
	}
}

static void json_fraction(struct json *json)
{
	static const char zero[] = ".0";
	if (json_reserve(json, sizeof zero - 1)) {
		memcpy(json->text + json->length, zero, sizeof zero - 1);
		json->length += sizeof zero - 1;
	}
}

static void json_value(struct sqlite_output *output, int column)
{
	char number[40];
	struct json *json = &output->json;
	switch (sqlite3_column_type(output->statement, column)) {
	case SQLITE_NULL:
		json_null(json);
		break;
	case SQLITE_INTEGER:
		snprintf(number, sizeof number, "%" PRId64,
		    (int64_t)sqlite3_column_int64(output->statement, column));
		if (is_declared(output->statement, column, "BOOLEAN"))
			json_bool(json, strcmp(number, "0") != 0);
		else
			json_number(json, number);
		break;
	case SQLITE_FLOAT:
		snprintf(number, sizeof number, "%.15g",
		    sqlite3_column_double(output->statement, column));
		json_number(json, number);
		if (strpbrk(number, ".e") == NULL)
			json_fraction(json); // so that it is one in all rows
		break;
	default:
		json_text(output, column);
		break;
	}
}

// A name is the asker's: it may have quotes in it.
static void json_name_of_column(struct json *json, const char *name)
{
	json_bytes(json, (const uint8_t *)name, strlen(name));
	if (json_reserve(json, 1))
		json->text[json->length++] = ':';
	json->needs_comma = false;
}

static bool json_row(struct sqlite_output *output)
{
	struct json *json = &output->json;
	json_clear(json);
	json_object_begin(json);
	for (int column = 0; column < output->columns; column++) {
		json_name_of_column(json, sqlite3_column_name(output->statement, column));
		json_value(output, column);
	}
	json_object_end(json);
	json_line_end(json);
	if (!json->failed)
		fwrite(json->text, 1, json->length, output->out);
	return !json->failed;
}

/* ---- CSV ---- */

// What spreadsheets compute instead of showing it.
static bool is_formula(const uint8_t *text, size_t length)
{
	return length > 0 && text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
}

// Controls as \xNN, since programs that read line by line take a quoted line end for one. False: no memory.
static bool csv_text(FILE *out, const uint8_t *text, size_t length)
{
	enum { LONGER = 4 }; // each byte as \xNN
	char *room = malloc(LONGER * LONGER * length + 1);
	if (room == NULL)
		return false;
	plain_text(room, LONGER * length, text, length);
	bool quotes = strpbrk(room, ",\"") != NULL;
	fputs(quotes ? "\"" : "", out);
	fputs(is_formula(text, length) ? "'" : "", out);
	for (const char *at = room; *at != '\0'; at++) {
		if (*at == '"')
			fputc('"', out);
		fputc(*at, out);
	}
	fputs(quotes ? "\"" : "", out);
	free(room);
	return true;
}

static bool csv_cell(const struct sqlite_output *output, int column)
{
	struct view text;
	int type = sqlite3_column_type(output->statement, column);
	if (!text_of(output->statement, column, &text))
		return false;
	if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
		return csv_text(output->out, text.data, text.length);
	fwrite(text.data, 1, text.length, output->out);
	return true;
}

static bool csv_row(const struct sqlite_output *output)
{
	bool good = true;
	for (int column = 0; good && column < output->columns; column++) {
		fputs(column > 0 ? "," : "", output->out);
		good = csv_cell(output, column);
	}
	fputs(good ? "\r\n" : "", output->out);
	return good;
}

static bool csv_head(const struct sqlite_output *output)
{
	bool good = true;
	for (int column = 0; good && column < output->columns; column++) {
		const char *name = sqlite3_column_name(output->statement, column);
		fputs(column > 0 ? "," : "", output->out);
		good = csv_text(output->out, (const uint8_t *)name, strlen(name));
	}
	fputs(good ? "\r\n" : "", output->out);
	return good;
}

/* ---- a table ---- */

static bool add_cell(struct sqlite_output *output, int column, struct view text)
{
	char room[CELL_SIZE];
	if (output->count == output->size) {
		size_t size = output->size > 0 ? 2 * output->size : 256;
		struct cell_text *more = realloc(output->cells, size * sizeof *more);
		if (more == NULL)
			return false;
		output->cells = more;
		output->size = size;
	}
	struct cell_text *cell = &output->cells[output->count];
	cell->width = plain_text(room, CELL_COLUMNS, text.data, text.length);
	cell->text = strdup(room);
	if (cell->text == NULL)
		return false;
	output->count++;
	if (cell->width > output->widths[column])
		output->widths[column] = cell->width;
	return true;
}

static bool table_cell(struct sqlite_output *output, int column)
{
	char number[40];
	struct view text = view_of((const uint8_t *)"-", 1);
	switch (sqlite3_column_type(output->statement, column)) {
	case SQLITE_NULL:
		break;
	case SQLITE_FLOAT:
		text.length = (size_t)snprintf(number, sizeof number, "%.4g",
		    sqlite3_column_double(output->statement, column));
		text.data = (const uint8_t *)number;
		break;
	default:
		if (!text_of(output->statement, column, &text))
			return false;
		break;
	}
	return add_cell(output, column, text);
}

static bool table_row(struct sqlite_output *output)
{
	bool good = true;
	for (int column = 0; good && column < output->columns; column++)
		good = table_cell(output, column);
	return good;
}

static void print_table(const struct sqlite_output *output)
{
	for (size_t i = 0; i < output->count; i++) {
		size_t column = i % (size_t)output->columns;
		const struct cell_text *cell = &output->cells[i];
		bool last = column + 1 == (size_t)output->columns;
		size_t padding = last ? 0 : output->widths[column] - cell->width + 2;
		fprintf(output->out, "%s%*s%s", cell->text, (int)padding, "", last ? "\n" : "");
	}
}

static bool table_head(struct sqlite_output *output)
{
	bool good = true;
	for (int column = 0; good && column < output->columns; column++) {
		const char *name = sqlite3_column_name(output->statement, column);
		good = add_cell(output, column, view_of((const uint8_t *)name, strlen(name)));
	}
	return good;
}

/* ---- all ---- */

struct sqlite_output *sqlite_output_begin(
    enum query_format format, sqlite3_stmt *statement, FILE *out)
{
	struct sqlite_output *output = calloc(1, sizeof *output);
	if (output == NULL)
		return NULL;
	output->format = format;
	output->statement = statement;
	output->out = out;
	output->columns = sqlite3_column_count(statement);
	output->widths = calloc((size_t)output->columns + 1, sizeof *output->widths);
	bool good = output->widths != NULL;
	if (good && format == QUERY_TABLE)
		good = table_head(output);
	if (good && format == QUERY_CSV)
		good = csv_head(output);
	if (good)
		return output;
	output->count = 0;
	sqlite_output_end(output);
	return NULL;
}

bool sqlite_output_row(struct sqlite_output *output)
{
	switch (output->format) {
	case QUERY_TABLE:
		return table_row(output);
	case QUERY_CSV:
		return csv_row(output);
	case QUERY_JSON:
		break;
	}
	return json_row(output);
}

void sqlite_output_end(struct sqlite_output *output)
{
	if (output == NULL)
		return;
	print_table(output);
	for (size_t i = 0; i < output->count; i++)
		free(output->cells[i].text);
	free(output->cells);
	free(output->widths);
	json_release(&output->json);
	free(output);
}
