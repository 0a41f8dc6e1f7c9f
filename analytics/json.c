// SPDX-License-Identifier: Apache-2.0
#include "analytics/json.h"

#include "analytics/plain_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static bool reserve(struct json *json, size_t more)
{
	if (json->failed)
		return false;
	if (json->size - json->length >= more)
		return true;
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
	if (!reserve(json, length))
		return;
	memcpy(json->text + json->length, text, length);
	json->length += length;
}

static void put_char(struct json *json, char c)
{
	put(json, &c, 1);
}

static void begin_value(struct json *json)
{
	if (json->needs_comma)
		put_char(json, ',');
	json->needs_comma = true;
}

static void open_with(struct json *json, char c)
{
	begin_value(json);
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

void json_key(struct json *json, const char *key)
{
	size_t length = strlen(key);
	if (!reserve(json, length + 4)) // ,"":
		return;
	char *to = json->text + json->length;
	if (json->needs_comma)
		*to++ = ',';
	*to++ = '"';
	memcpy(to, key, length);
	to += length;
	*to++ = '"';
	*to++ = ':';
	json->length = (size_t)(to - json->text);
	json->needs_comma = false;
}

static void put_word(struct json *json, const char *word)
{
	begin_value(json);
	put(json, word, strlen(word));
}

void json_null(struct json *json)
{
	put_word(json, "null");
}

void json_bool(struct json *json, bool value)
{
	put_word(json, value ? "true" : "false");
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
	begin_value(json);
	put(json, start, (size_t)(end - start));
}

void json_ratio(struct json *json, double value)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%.6f", value < 0 ? 0 : value > 1 ? 1 : value);
	begin_value(json);
	put(json, text, (size_t)length);
}

void json_name(struct json *json, const char *name)
{
	if (name == NULL) {
		json_null(json);
		return;
	}
	begin_value(json);
	put_char(json, '"');
	put(json, name, strlen(name));
	put_char(json, '"');
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

void json_bytes(struct json *json, const uint8_t *bytes, size_t length)
{
	bool utf8 = utf8_is_valid(bytes, length);
	begin_value(json);
	put_char(json, '"');
	for (size_t i = 0, count; i < length; i += count) {
		uint32_t code = bytes[i];
		size_t plain = 0;
		while (i + plain < length && is_plain(bytes[i + plain]))
			plain++;
		if (plain > 0) {
			put(json, (const char *)bytes + i, plain);
			count = plain;
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
	put_char(json, '"');
}

void json_hex(struct json *json, const uint8_t *bytes, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	begin_value(json);
	put_char(json, '"');
	if (reserve(json, 2 * length)) {
		for (size_t i = 0; i < length; i++) {
			json->text[json->length++] = hex[bytes[i] >> 4];
			json->text[json->length++] = hex[bytes[i] & 15];
		}
	}
	put_char(json, '"');
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

static void put_time(struct json *json, int64_t seconds, uint32_t rest)
{
	char text[64] = {'"'};
	struct tm parts;
	time_t clock = (time_t)seconds;
	size_t length = 1;
	enum { YEAR_ZERO = -1900, YEAR_LAST = 9999 - 1900 };
	if (gmtime_r(&clock, &parts) == NULL || parts.tm_year < YEAR_ZERO ||
	    parts.tm_year > YEAR_LAST) {
		json_null(json);
		return;
	}
	length += strftime(text + 1, sizeof text - 16, "%Y-%m-%dT%H:%M:%S", &parts);
	length += fraction(text + length, rest);
	text[length++] = 'Z';
	text[length++] = '"';
	begin_value(json);
	put(json, text, length);
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
	begin_value(json);
	put(json, start, length);
}

void json_line_end(struct json *json)
{
	put_char(json, '\n');
	json->needs_comma = false;
}
