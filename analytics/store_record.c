// SPDX-License-Identifier: Apache-2.0
#include "analytics/store_record.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct store_record {
	struct store_value values[STORE_COLUMNS_MAX];
	const struct store_table *table;
	size_t next; // the column that the next key probably is: lines have them in one order
	size_t rest; // number of the column of the rest, or none
	size_t rest_length;
	size_t used; // of room
	bool in_part;
	char rest_text[STORE_LINE_MAX + 2]; // an object that is not closed yet
	char room[STORE_LINE_MAX +
	          STORE_COLUMNS_MAX * STORE_TIME_LENGTH]; // texts without escapes, times
};

struct store_record *store_record_create(void)
{
	return calloc(
	    1, sizeof(struct store_record)); // the pages that no line needs are never there
}

void store_record_destroy(struct store_record *record)
{
	free(record);
}

const struct store_value *store_record_values(const struct store_record *record)
{
	return record->values;
}

/* ---- JSON (RFC 8259) ---- */

struct cursor {
	const char *at, *end;
};

static bool is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_space(struct cursor *cursor)
{
	while (cursor->at < cursor->end && is_space(*cursor->at))
		cursor->at++;
}

static bool skip_byte(struct cursor *cursor, char byte)
{
	skip_space(cursor);
	if (cursor->at == cursor->end || *cursor->at != byte)
		return false;
	cursor->at++;
	return true;
}

static int hex_digit(char byte)
{
	if (byte >= '0' && byte <= '9')
		return byte - '0';
	byte |= 0x20;
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// The four digits of \uXXXX; -1: they are none, or not there.
static int code_unit(const char *digits, const char *end)
{
	int unit = 0;
	if (end - digits < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(digits[i]);
		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

static bool skip_escape(struct cursor *cursor)
{
	if (cursor->at == cursor->end)
		return false;
	char kind = *cursor->at++;
	if (kind != 'u')
		return kind != '\0' && strchr("\"\\/bfnrt", kind) != NULL;
	if (code_unit(cursor->at, cursor->end) < 0)
		return false;
	cursor->at += 4;
	return true;
}

// Behind its opening quote, up to behind the closing one.
static bool skip_string(struct cursor *cursor, bool *escaped)
{
	*escaped = false;
	while (cursor->at < cursor->end) {
		unsigned char byte = (unsigned char)*cursor->at++;
		if (byte == '"')
			return true;
		if (byte < 0x20)
			return false;
		if (byte != '\\')
			continue;
		*escaped = true;
		if (!skip_escape(cursor))
			return false;
	}
	return false;
}

static bool is_digit(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool skip_digits(struct cursor *cursor)
{
	if (!is_digit(cursor))
		return false;
	while (is_digit(cursor))
		cursor->at++;
	return true;
}

static bool skip_one_of(struct cursor *cursor, char one, char other)
{
	if (cursor->at == cursor->end || (*cursor->at != one && *cursor->at != other))
		return false;
	cursor->at++;
	return true;
}

static bool skip_number(struct cursor *cursor)
{
	(void)skip_one_of(cursor, '-', '-');
	if (!skip_one_of(cursor, '0', '0') && !skip_digits(cursor))
		return false;
	if (skip_one_of(cursor, '.', '.') && !skip_digits(cursor))
		return false;
	if (!skip_one_of(cursor, 'e', 'E'))
		return true;
	(void)skip_one_of(cursor, '+', '-');
	return skip_digits(cursor);
}

static bool skip_word(struct cursor *cursor, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0)
		return false;
	cursor->at += length;
	return true;
}

// Anything but a list or an object.
static bool skip_scalar(struct cursor *cursor)
{
	bool escaped;
	if (cursor->at == cursor->end)
		return false;
	switch (*cursor->at) {
	case '"':
		cursor->at++;
		return skip_string(cursor, &escaped);
	case 'n':
		return skip_word(cursor, "null");
	case 't':
		return skip_word(cursor, "true");
	case 'f':
		return skip_word(cursor, "false");
	default:
		return skip_number(cursor);
	}
}

static bool skip_key(struct cursor *cursor)
{
	bool escaped;
	return skip_byte(cursor, '"') && skip_string(cursor, &escaped) && skip_byte(cursor, ':');
}

// What a list or an object may go on with behind a value: ends all that end here. False: it is none.
static bool skip_ends(struct cursor *cursor, const char *open, size_t *depth)
{
	for (;;) {
		if (*depth == 0)
			return true;
		if (skip_byte(cursor, ','))
			return open[*depth - 1] == '[' || skip_key(cursor);
		if (!skip_byte(cursor, open[*depth - 1] == '[' ? ']' : '}'))
			return false;
		--*depth;
	}
}

// True: a list or an object begins here. It is empty: it ended as well, and nothing was opened.
static bool skip_begin(
    struct cursor *cursor, char open[STORE_DEPTH_MAX], size_t *depth, bool *empty)
{
	if (cursor->at == cursor->end || *depth == STORE_DEPTH_MAX)
		return false;
	char kind = *cursor->at;
	if (kind != '[' && kind != '{')
		return false;
	cursor->at++;
	*empty = skip_byte(cursor, kind == '[' ? ']' : '}');
	if (!*empty)
		open[(*depth)++] = kind;
	return true;
}

// Any value, whatever is in it.
static bool skip_value(struct cursor *cursor)
{
	char open[STORE_DEPTH_MAX];
	size_t depth = 0;
	do {
		bool empty = false;
		skip_space(cursor);
		if (!skip_begin(cursor, open, &depth, &empty)) {
			if (!skip_scalar(cursor))
				return false;
			empty = true;
		}
		if (!empty) {
			if (open[depth - 1] == '{' && !skip_key(cursor))
				return false;
			continue;
		}
		if (!skip_ends(cursor, open, &depth))
			return false;
	} while (depth > 0);
	return true;
}

/* ---- texts ---- */

// As UTF-8. Half of a pair is no character. Zero is a sign for it: SQL ends a text there.
static size_t put_character(char *to, uint32_t code)
{
	enum { ZERO = 0x2400, NO_CHARACTER = 0xfffd };
	if (code == 0)
		code = ZERO;
	if (code >= 0xd800 && code < 0xe000)
		code = NO_CHARACTER;
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	for (size_t i = length - 1; i > 0; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)((0xf00u >> length) | code);
	return length;
}

// Behind \u. A pair of surrogates is one character.
static const char *take_unit(const char *at, const char *end, char **to)
{
	uint32_t code = (uint32_t)code_unit(at, end);
	at += 4;
	if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
		uint32_t low = (uint32_t)code_unit(at + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			at += 6;
		}
	}
	*to += put_character(*to, code);
	return at;
}

// A text that was checked, without its quotes. It never becomes longer.
static size_t without_escapes(const char *at, const char *end, char *room)
{
	static const char letters[] = "bfnrt", means[] = "\b\f\n\r\t";
	char *to = room;
	while (at < end) {
		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		char kind = at[1];
		at += 2;
		if (kind == 'u') {
			at = take_unit(at, end, &to);
			continue;
		}
		const char *letter = strchr(letters, kind);
		*to++ = (char)(letter != NULL ? means[letter - letters] : kind);
	}
	return (size_t)(to - room);
}

static bool take_text(struct store_record *record, const char *from, const char *end, bool escaped,
    struct store_value *value)
{
	*value = (struct store_value){
	    .form = STORE_BYTES, .bytes = from, .length = (size_t)(end - from)};
	if (!escaped)
		return true;
	char *room = record->room + record->used;
	if (value->length > sizeof record->room - record->used)
		return false;
	value->bytes = room;
	value->length = without_escapes(from, end, room);
	record->used += value->length;
	return true;
}

/* ---- times ---- */

static bool looks_like(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++) {
		bool digit = *text >= '0' && *text <= '9';
		if (*pattern == '0' ? !digit : *text != *pattern)
			return false;
	}
	return true;
}

bool store_time_read(const char *text, size_t length, char time[STORE_TIME_LENGTH])
{
	static const char pattern[] = "0000-00-00T00:00:00", none[] = ".000000000Z";
	enum { SECONDS_LENGTH = sizeof pattern - 1, FRACTION_DIGITS = 9 };
	if (length <= SECONDS_LENGTH || !looks_like(text, pattern) || text[length - 1] != 'Z')
		return false;
	size_t digits = length - SECONDS_LENGTH - 1; // with the point
	if (digits == 1 || digits > 1 + FRACTION_DIGITS)
		return false;
	for (size_t i = 0; i < digits; i++) {
		char byte = text[SECONDS_LENGTH + i];
		if (i == 0 ? byte != '.' : byte < '0' || byte > '9')
			return false;
	}
	memcpy(time, text, SECONDS_LENGTH);
	memcpy(time + SECONDS_LENGTH, none, sizeof none - 1);
	memcpy(time + SECONDS_LENGTH, text + SECONDS_LENGTH, digits);
	return true;
}

static bool take_time(
    struct store_record *record, const char *from, const char *end, struct store_value *value)
{
	char *room = record->room + record->used;
	if (sizeof record->room - record->used < STORE_TIME_LENGTH || // a key comes again and again
	    !store_time_read(from, (size_t)(end - from), room))
		return false;
	*value =
	    (struct store_value){.form = STORE_BYTES, .bytes = room, .length = STORE_TIME_LENGTH};
	record->used += STORE_TIME_LENGTH;
	return true;
}

/* ---- values ---- */

static bool take_number(const char *from, const char *end, struct store_value *value)
{
	int64_t number = 0;
	for (; from < end; from++)
		if (*from < '0' || *from > '9' || __builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, *from - '0', &number))
			return false;
	*value = (struct store_value){.form = STORE_NUMBER, .number = number};
	return true;
}

// It was found to be a value of JSON, which is followed by a byte that is none of a number.
static bool take_fraction(const char *from, struct store_value *value)
{
	if (*from != '-' && (*from < '0' || *from > '9'))
		return false;
	*value = (struct store_value){.form = STORE_FRACTION, .fraction = strtod(from, NULL)};
	return isfinite(value->fraction);
}

static bool take_boolean(const char *from, struct store_value *value)
{
	*value = (struct store_value){.form = STORE_NUMBER, .number = *from == 't'};
	return *from == 't' || *from == 'f';
}

static bool take_json(const char *from, const char *end, bool list, struct store_value *value)
{
	*value = (struct store_value){
	    .form = STORE_BYTES, .bytes = from, .length = (size_t)(end - from)};
	return *from == '[' || (!list && *from == '{');
}

// From `from` to `end` is a whole value that is not null. False: of another type.
static bool take_value(struct store_record *record, enum store_type type, const char *from,
    const char *end, bool escaped, struct store_value *value)
{
	switch (type) {
	case STORE_TEXT:
		return *from == '"' && take_text(record, from + 1, end - 1, escaped, value);
	case STORE_TIME:
		return *from == '"' && take_time(record, from + 1, end - 1, value);
	case STORE_INTEGER:
		return take_number(from, end, value);
	case STORE_REAL:
		return take_fraction(from, value);
	case STORE_BOOLEAN:
		return take_boolean(from, value);
	case STORE_TEXT_LIST:
	case STORE_INTEGER_LIST:
		return take_json(from, end, true, value);
	case STORE_JSON:
		return take_json(from, end, false, value);
	case STORE_REST:
		break;
	}
	return false;
}

// A key with its value, both as they stand in the line. Together they are never longer than the line.
static void add_to_rest(struct store_record *record, const char *from, const char *end)
{
	size_t length = (size_t)(end - from);
	if (record->rest == record->table->column_count) {
		record->in_part = true;
		return;
	}
	record->rest_text[record->rest_length] = record->rest_length == 0 ? '{' : ',';
	memcpy(record->rest_text + record->rest_length + 1, from, length);
	record->rest_length += length + 1;
}

static size_t column_of(struct store_record *record, const char *key, size_t length)
{
	const struct store_table *table = record->table;
	size_t next = record->next;
	if (next < table->column_count && strncmp(table->columns[next].name, key, length) == 0 &&
	    table->columns[next].name[length] == '\0')
		return next;
	return store_column_find(table, key, length);
}

// One key and its value. False: the line is damaged.
static bool take_member(struct store_record *record, struct cursor *cursor)
{
	bool escaped = false;
	const char *begin, *from;
	skip_space(cursor);
	begin = cursor->at;
	if (!skip_byte(cursor, '"') || !skip_string(cursor, &escaped))
		return false;
	size_t column = column_of(record, begin + 1, (size_t)(cursor->at - begin) - 2);
	if (!skip_byte(cursor, ':'))
		return false;
	skip_space(cursor);
	from = cursor->at;
	bool good = cursor->at < cursor->end && *from == '"'
	                ? (cursor->at++, skip_string(cursor, &escaped))
	                : skip_value(cursor);
	if (!good)
		return false;
	if (column >= record->table->column_count || column == record->rest) {
		add_to_rest(record, begin, cursor->at);
		return true;
	}
	record->next = column + 1;
	struct store_value *value = &record->values[column];
	if (*from != 'n' && !take_value(record, record->table->columns[column].type, from,
	                        cursor->at, escaped, value)) {
		value->form = STORE_NULL;
		record->in_part = true;
	}
	return true;
}

static bool take_members(struct store_record *record, struct cursor *cursor)
{
	if (!skip_byte(cursor, '{'))
		return false;
	if (skip_byte(cursor, '}'))
		return true;
	do {
		if (!take_member(record, cursor))
			return false;
	} while (skip_byte(cursor, ','));
	return skip_byte(cursor, '}');
}

static void begin(struct store_record *record, const struct store_table *table)
{
	memset(record->values, 0, table->column_count * sizeof record->values[0]);
	record->table = table;
	record->next = record->rest_length = record->used = 0;
	record->in_part = false;
	record->rest = table->column_count;
	if (table->columns[table->column_count - 1].type == STORE_REST)
		record->rest = table->column_count - 1;
}

enum store_reading store_record_read(
    struct store_record *record, const struct store_table *table, const char *line, size_t length)
{
	struct cursor cursor = {line, line + length};
	begin(record, table);
	if (length > STORE_LINE_MAX || !take_members(record, &cursor))
		return STORE_LINE_DAMAGED;
	skip_space(&cursor);
	if (cursor.at != cursor.end)
		return STORE_LINE_DAMAGED;
	if (record->rest < table->column_count && record->rest_length > 0) {
		record->rest_text[record->rest_length++] = '}';
		record->values[record->rest] = (struct store_value){
		    .form = STORE_BYTES, .bytes = record->rest_text, .length = record->rest_length};
	}
	return record->in_part ? STORE_LINE_IN_PART : STORE_LINE_WHOLE;
}
