// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NUMBER_MAX = 32, SECOND_LENGTH = 19 };
static const int64_t nanoseconds = 1000000000;
static const int64_t datetime_most = 4291747199; // the end of 2105: old versions know no day beyond

/* ---- text ---- */

static void add(struct row_text *row, const char *bytes, size_t length)
{
	if (row->length + length > row->room) {
		size_t room = (row->length + length) * 2;
		char *more = realloc(row->bytes, room);
		if (more == NULL) {
			row->failed = true;
			return;
		}
		row->bytes = more;
		row->room = room;
	}
	memcpy(row->bytes + row->length, bytes, length);
	row->length += length;
}

static void add_text(struct row_text *row, const char *text)
{
	add(row, text, strlen(text));
}

static bool is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte != '"' && byte != '\\';
}

static void add_escaped(struct row_text *row, unsigned char byte)
{
	char escaped[8];
	if (byte >= 0x20)
		snprintf(escaped, sizeof escaped, "\\%c", byte);
	else
		snprintf(escaped, sizeof escaped, "\\u%04x", byte);
	add_text(row, escaped);
}

static void add_string(struct row_text *row, const char *bytes, size_t length)
{
	add_text(row, "\"");
	for (size_t i = 0; i < length;) {
		size_t plain = i;
		while (plain < length && is_plain((unsigned char)bytes[plain]))
			plain++;
		add(row, bytes + i, plain - i);
		if (plain < length)
			add_escaped(row, (unsigned char)bytes[plain++]);
		i = plain;
	}
	add_text(row, "\"");
}

static void begin_column(struct row_text *row, const char *name, const char *end)
{
	add_text(row, row->length == 0 ? "{\"" : ",\"");
	add_text(row, name);
	add_text(row, end);
	add_text(row, "\":");
}

static void add_integer(struct row_text *row, int64_t value)
{
	char number[NUMBER_MAX];
	snprintf(number, sizeof number, "%" PRId64, value);
	add_text(row, number);
}

static void add_fraction(struct row_text *row, double value)
{
	char number[NUMBER_MAX];
	snprintf(number, sizeof number, "%.15g", value);
	if (strtod(number, NULL) < value || strtod(number, NULL) > value)
		snprintf(number, sizeof number, "%.17g", value);
	add_text(row, number);
}

/* ---- times ---- */

// Seconds since 1970 and what is beyond them, of a text as in STORE_TIME_LENGTH.
static void read_time(const struct store_value *value, int64_t *seconds, int64_t *rest)
{
	char text[STORE_TIME_LENGTH + 1];
	struct tm day = {0};
	*rest = 0;
	snprintf(text, sizeof text, "%.*s", (int)value->length, value->bytes);
	(void)sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%9" SCNd64, &day.tm_year, &day.tm_mon,
	    &day.tm_mday, &day.tm_hour, &day.tm_min, &day.tm_sec, rest);
	day.tm_year -= 1900;
	day.tm_mon -= 1;
	*seconds = timegm(&day);
}

static int64_t limited(int64_t value, int64_t least, int64_t most)
{
	return value < least ? least : value > most ? most : value;
}

static void add_seconds(struct row_text *row, int64_t value)
{
	char text[SECOND_LENGTH + 1];
	struct tm day;
	time_t seconds = (time_t)limited(value, 0, datetime_most);
	gmtime_r(&seconds, &day);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &day);
	add_string(row, text, strlen(text));
}

static void add_time(
    struct row_text *row, const char *name, const struct store_value *value, bool key)
{
	int64_t seconds = 0, rest = 0;
	bool seen = value->form == STORE_BYTES;
	if (seen)
		read_time(value, &seconds, &rest);
	begin_column(row, name, "");
	if (seen || key)
		add_seconds(row, seconds);
	else
		add_text(row, "null");
	begin_column(row, name, "_ns");
	const int64_t most = INT64_MAX / nanoseconds - 1;
	if (seen && seconds > most)
		add_integer(row, INT64_MAX);
	else if (seen)
		add_integer(row, limited(seconds, -most, most) * nanoseconds + rest);
	else
		add_text(row, "null");
}

uint32_t clickhouse_row_day(const struct store_table *table, const struct store_value *values)
{
	enum { YEAR = 10000, MONTH = 100 };
	struct tm day;
	int64_t seconds = 0, rest;
	const struct store_value *value =
	    &values[store_column_find(table, table->time, strlen(table->time))];
	if (value->form == STORE_BYTES)
		read_time(value, &seconds, &rest);
	time_t shown = (time_t)limited(seconds, 0, datetime_most);
	gmtime_r(&shown, &day);
	return (uint32_t)((day.tm_year + 1900) * YEAR + (day.tm_mon + 1) * MONTH + day.tm_mday);
}

/* ---- rows ---- */

static void add_list(struct row_text *row, const char *name, const struct store_value *value)
{
	bool seen = value->form == STORE_BYTES;
	begin_column(row, name, "");
	if (seen)
		add(row, value->bytes, value->length);
	else
		add_text(row, "[]");
	begin_column(row, name, "_seen");
	add_text(row, seen ? "1" : "0");
}

static void add_value(struct row_text *row, const struct store_value *value)
{
	switch (value->form) {
	case STORE_NULL:
		add_text(row, "null");
		break;
	case STORE_BYTES:
		add_string(row, value->bytes, value->length);
		break;
	case STORE_NUMBER:
		add_integer(row, value->number);
		break;
	case STORE_FRACTION:
		add_fraction(row, value->fraction);
		break;
	}
}

static bool is_list(enum store_type type)
{
	return type == STORE_TEXT_LIST || type == STORE_INTEGER_LIST;
}

static void add_column(struct row_text *row, const struct store_table *table,
    const struct store_column *column, const struct store_value *value)
{
	if (column->type == STORE_TIME) {
		add_time(row, column->name, value, strcmp(column->name, table->time) == 0);
	} else if (is_list(column->type)) {
		add_list(row, column->name, value);
	} else {
		begin_column(row, column->name, "");
		add_value(row, value);
	}
}

void clickhouse_row(struct row_text *row, const struct store_table *table,
    const struct store_value *values, const char *batch, const char *sensor)
{
	row->length = 0;
	const struct store_value *named = NULL;
	for (size_t i = 0; i < table->column_count; i++) {
		if (strcmp(table->columns[i].name, "sensor") == 0)
			named = &values[i];
		else
			add_column(row, table, &table->columns[i], &values[i]);
	}
	begin_column(row, "sensor", "");
	if (named != NULL && named->form == STORE_BYTES)
		add_value(row, named);
	else
		add_string(row, sensor, strlen(sensor));
	begin_column(row, "batch", "");
	add_string(row, batch, strlen(batch));
	add_text(row, "}\n");
}

/* ---- types ---- */

// Behind what wraps a type, and does not change what it takes.
static const char *bare(const char *type)
{
	static const char *const wraps[] = {"LowCardinality(", "Nullable("};
	for (size_t i = 0; i < sizeof wraps / sizeof wraps[0]; i++)
		if (strncmp(type, wraps[i], strlen(wraps[i])) == 0)
			type += strlen(wraps[i]);
	return type;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

bool clickhouse_type_fits(enum store_type type, const char *clickhouse)
{
	const char *found = bare(clickhouse);
	switch (type) {
	case STORE_INTEGER:
		return begins(found, "UInt") || begins(found, "Int");
	case STORE_REAL:
		return begins(found, "Float") || begins(found, "Decimal");
	case STORE_BOOLEAN:
		return begins(found, "UInt") || begins(found, "Int") || begins(found, "Bool");
	case STORE_TIME:
		return begins(found, "DateTime");
	case STORE_TEXT_LIST:
		return begins(found, "Array(") && begins(bare(found + 6), "String");
	case STORE_INTEGER_LIST:
		return begins(found, "Array(") && clickhouse_type_fits(STORE_INTEGER, found + 6);
	case STORE_TEXT:
	case STORE_JSON:
	case STORE_REST:
		break;
	}
	return begins(found, "String") || begins(found, "Enum");
}

const char *clickhouse_type_name(enum store_type type)
{
	switch (type) {
	case STORE_INTEGER:
		return "Nullable(UInt64)";
	case STORE_REAL:
		return "Nullable(Float64)";
	case STORE_BOOLEAN:
		return "Nullable(UInt8)";
	case STORE_TIME:
		return "Nullable(DateTime('UTC'))";
	case STORE_TEXT_LIST:
		return "Array(String)";
	case STORE_INTEGER_LIST:
		return "Array(UInt64)";
	case STORE_TEXT:
	case STORE_JSON:
	case STORE_REST:
		break;
	}
	return "Nullable(String)";
}
