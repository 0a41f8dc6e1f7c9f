// SPDX-License-Identifier: Apache-2.0
#include "analytics/json.h"

#include "analytics/plain_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NANOSECONDS = 1000000000, FIRST_SIZE = 4096 };

void json_release(struct json *json)
{
	free(json->text);
	*json = (struct json){0};
}

void json_clear(struct json *json)
{
	json->length = 0;
	json->needs_comma = false;
}

bool json_grow(struct json *json, size_t more)
{
	if (json->failed)
		return false;
	size_t size = json->size != 0 ? json->size : FIRST_SIZE;
	while (size - json->length < more)
		size *= 2;
	char *text = realloc(json->text, size);
	if (text == NULL) {
		json->failed = true;
		return false;
	}
	json->text = text;
	json->size = size;
	return true;
}

static void put(struct json *json, const char *text, size_t length)
{
	if (!json_reserve(json, length))
		return;
	memcpy(json->text + json->length, text, length);
	json->length += length;
}

static void put_char(struct json *json, char c)
{
	if (json_reserve(json, 1))
		json->text[json->length++] = c;
}

static void open_with(struct json *json, char c)
{
	json_begin_value(json);
	put_char(json, c);
	json->needs_comma = false;
}

static void close_with(struct json *json, char c)
{
	put_char(json, c);
	json->needs_comma = true;
}

void json_object_begin(struct json *json)
{
	open_with(json, '{');
}

void json_object_end(struct json *json)
{
	close_with(json, '}');
}

void json_array_begin(struct json *json)
{
	open_with(json, '[');
}

void json_array_end(struct json *json)
{
	close_with(json, ']');
}

// Writes the decimal digits of value to the end of a buffer of 20; returns where they start.
static char *digits(char *end, uint64_t value)
{
	do {
		*--end = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	return end;
}

void json_unsigned(struct json *json, uint64_t value)
{
	char buffer[20], *end = buffer + sizeof buffer, *start = digits(end, value);
	json_begin_value(json);
	put(json, start, (size_t)(end - start));
}

void json_whole(struct json *json, const uint8_t *text, size_t length)
{
	json_begin_value(json);
	put(json, (const char *)text, length);
}

void json_ratio(struct json *json, double value)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%.6f", value < 0 ? 0 : value > 1 ? 1 : value);
	json_begin_value(json);
	put(json, text, (size_t)length);
}

void json_quoted(struct json *json, const char *text, size_t length)
{
	json_begin_value(json);
	if (!json_reserve(json, length + 2))
		return;
	char *to = json->text + json->length;
	*to++ = '"';
	memcpy(to, text, length);
	to[length] = '"';
	json->length += length + 2;
}

static void put_escape(struct json *json, unsigned code)
{
	static const char hex[] = "0123456789abcdef";
	char escape[6] = {'\\', 'u', hex[code >> 12 & 15], hex[code >> 8 & 15], hex[code >> 4 & 15],
	    hex[code & 15]};
	put(json, escape, sizeof escape);
}

// What could end a script or open an element where a record is pasted into a page.
static bool is_markup(uint8_t c)
{
	return c == '<' || c == '>' || c == '&';
}

static void put_ascii(struct json *json, uint8_t c)
{
	switch (c) {
	case '"':
		put(json, "\\\"", 2);
		break;
	case '\\':
		put(json, "\\\\", 2);
		break;
	case '\n':
		put(json, "\\n", 2);
		break;
	case '\r':
		put(json, "\\r", 2);
		break;
	case '\t':
		put(json, "\\t", 2);
		break;
	default:
		if (code_point_is_unsafe(c) || is_markup(c))
			put_escape(json, c);
		else
			put_char(json, (char)c);
	}
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\' && !is_markup(c);
}

enum { BLOCK = 16 };

typedef int8_t block __attribute__((vector_size(BLOCK)));

// All of a block at once, as is_plain.
static bool block_is_plain(block one)
{
	block wrong = one < 0x20; // and those from 0x80 on, which are negative
	wrong |= one == 0x7f;
	wrong |= one == '\\';
	// They differ in one bit: " and &, < and >.
	wrong |= (one | 0x04) == '&';
	wrong |= (one | 0x02) == '>';
	uint64_t halves[2];
	memcpy(halves, &wrong, sizeof halves);
	return (halves[0] | halves[1]) == 0;
}

static bool are_plain(const uint8_t *bytes)
{
	block one;
	memcpy(&one, bytes, sizeof one);
	return block_is_plain(one);
}

// Of texts shorter than a block: from 4 bytes on, of which some stand in it twice.
static bool is_short_and_plain(const uint8_t *bytes, size_t length)
{
	uint64_t halves[2];
	uint32_t ends[2];
	block one;
	if (length < sizeof ends[0] || length >= BLOCK)
		return false;
	if (length >= sizeof halves[0]) {
		memcpy(&halves[0], bytes, sizeof halves[0]);
		memcpy(&halves[1], bytes + length - sizeof halves[1], sizeof halves[1]);
	} else {
		memcpy(&ends[0], bytes, sizeof ends[0]);
		memcpy(&ends[1], bytes + length - sizeof ends[1], sizeof ends[1]);
		halves[0] = halves[1] = (uint64_t)ends[1] << 32 | ends[0];
	}
	memcpy(&one, halves, sizeof one);
	return block_is_plain(one);
}

// How many of the bytes, from the first on, stand for themselves.
static size_t plain_length(const uint8_t *bytes, size_t length)
{
	size_t plain = 0;
	if (is_short_and_plain(bytes, length))
		return length;
	while (length - plain >= BLOCK && are_plain(bytes + plain))
		plain += BLOCK;
	if (plain > 0 && length - plain < BLOCK && are_plain(bytes + length - BLOCK))
		return length;
	while (plain < length && is_plain(bytes[plain]))
		plain++;
	return plain;
}

static void put_escaped(struct json *json, const uint8_t *bytes, size_t length)
{
	bool utf8 = utf8_is_valid(bytes, length);
	for (size_t i = 0, count; i < length; i += count) {
		uint32_t code = bytes[i];
		count = plain_length(bytes + i, length - i);
		if (count > 0) {
			put(json, (const char *)bytes + i, count);
			continue;
		}
		count = utf8 ? utf8_code_point(bytes + i, length - i, &code) : 1;
		if (code < 0x80)
			put_ascii(json, (uint8_t)code);
		else if (!utf8 || code_point_is_unsafe(code))
			put_escape(json, code);
		else
			put(json, (const char *)bytes + i, count);
	}
}

void json_bytes(struct json *json, const uint8_t *bytes, size_t length)
{
	if (plain_length(bytes, length) == length) {
		json_quoted(json, (const char *)bytes, length);
		return;
	}
	json_begin_value(json);
	put_char(json, '"');
	put_escaped(json, bytes, length);
	put_char(json, '"');
}

// Only in texts there are bytes beyond ASCII and marks of HTML, and controls nowhere but as white space.
void json_foreign(struct json *json, const uint8_t *text, size_t length)
{
	json_begin_value(json);
	for (size_t i = 0, count; i < length; i += count) {
		uint32_t code = text[i];
		count = utf8_code_point(text + i, length - i, &code);
		if (code < 0x20)
			put_char(json, ' ');
		else if (count == 0 || code_point_is_unsafe(code) ||
		         (code < 0x80 && is_markup((uint8_t)code)))
			put_escape(json, count == 0 ? text[i] : code);
		else
			put(json, (const char *)text + i, count);
		count += count == 0;
	}
}

void json_hex(struct json *json, const uint8_t *bytes, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	json_begin_value(json);
	if (!json_reserve(json, 2 * length + 2))
		return;
	char *to = json->text + json->length;
	*to++ = '"';
	for (size_t i = 0; i < length; i++) {
		*to++ = hex[bytes[i] >> 4];
		*to++ = hex[bytes[i] & 15];
	}
	*to = '"';
	json->length += 2 * length + 2;
}

// ".123456789" without trailing zeros; nothing if there is no fraction. Returns its length.
static size_t fraction(char *out, uint32_t nanoseconds)
{
	size_t length = 10;
	if (nanoseconds == 0)
		return 0;
	out[0] = '.';
	for (size_t i = 9; i > 0; i--, nanoseconds /= 10)
		out[i] = (char)('0' + nanoseconds % 10);
	while (out[length - 1] == '0')
		length--;
	return length;
}

// A day of the Gregorian calendar.
struct date {
	int64_t year;
	unsigned month, day;
};

// Of the days since 1970: years begin in March here, so that the odd day is their last one.
static struct date date_of(int64_t days)
{
	enum { DAYS_OF_400_YEARS = 146097, DAYS_TO_1970 = 719468 }; // from March of year 0 on
	days += DAYS_TO_1970;
	int64_t era = (days >= 0 ? days : days - (DAYS_OF_400_YEARS - 1)) / DAYS_OF_400_YEARS;
	unsigned day = (unsigned)(days - era * DAYS_OF_400_YEARS);
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	unsigned month = (5 * day + 2) / 153; // from March on
	struct date date = {.year = era * 400 + year,
	    .month = month < 10 ? month + 3 : month - 9,
	    .day = day - (153 * month + 2) / 5 + 1};
	date.year += date.month <= 2;
	return date;
}

static char *put_two(char *to, unsigned value, char end)
{
	*to++ = (char)('0' + value / 10);
	*to++ = (char)('0' + value % 10);
	*to++ = end;
	return to;
}

static void put_time(struct json *json, int64_t seconds, uint32_t rest)
{
	enum { DAY = 24 * 3600, YEAR_LAST = 9999 };
	char text[64], year[20], *to = text;
	int64_t days = seconds / DAY, of_day = seconds % DAY;
	if (of_day < 0) {
		of_day += DAY;
		days--;
	}
	unsigned second = (unsigned)of_day;
	struct date date = date_of(days);
	if (date.year < 0 || date.year > YEAR_LAST) {
		json_null(json);
		return;
	}
	const char *start = digits(year + sizeof year, (uint64_t)date.year);
	size_t length = (size_t)(year + sizeof year - start);
	memcpy(to, start, length);
	to += length;
	*to++ = '-';
	to = put_two(to, date.month, '-');
	to = put_two(to, date.day, 'T');
	to = put_two(to, second / 3600, ':');
	to = put_two(to, second / 60 % 60, ':');
	to = put_two(to, second % 60, 'Z') - 1; // over what follows where there is a fraction
	to += fraction(to, rest);
	*to++ = 'Z';
	json_quoted(json, text, (size_t)(to - text));
}

void json_time(struct json *json, int64_t nanoseconds)
{
	int64_t seconds = nanoseconds / NANOSECONDS, rest = nanoseconds % NANOSECONDS;
	if (rest < 0) {
		rest += NANOSECONDS;
		seconds--;
	}
	put_time(json, seconds, (uint32_t)rest);
}

void json_seconds(struct json *json, int64_t seconds)
{
	put_time(json, seconds, 0);
}

void json_duration(struct json *json, int64_t nanoseconds)
{
	uint64_t value = nanoseconds > 0 ? (uint64_t)nanoseconds : 0;
	char text[32], *end = text + 20, *start = digits(end, value / NANOSECONDS);
	size_t length = (size_t)(end - start);
	length += fraction(end, (uint32_t)(value % NANOSECONDS));
	json_begin_value(json);
	put(json, start, length);
}

void json_line_end(struct json *json)
{
	put_char(json, '\n');
	json->needs_comma = false;
}
