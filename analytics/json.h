// SPDX-License-Identifier: Apache-2.0
// Writes JSON Lines into one reused buffer. The record contract asks for more than JSON libraries give:
// bytes that are not UTF-8 become \u00XX one by one, and nothing that could move a terminal's cursor or
// turn its text around goes out raw. One thread.
#ifndef MAILTAP_ANALYTICS_JSON_H
#define MAILTAP_ANALYTICS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct json {
	char *text;      // not terminated
	size_t length, size;
	bool failed;     // no memory: the text is incomplete and must not be written
	bool needs_comma;
};

void json_release(struct json *json);

// Empties the buffer.
void json_clear(struct json *json);

void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);
void json_unsigned(struct json *json, uint64_t value);

// A value between 0 and 1, with six digits behind the point.
void json_ratio(struct json *json, double value);

// Text of this program, ASCII without anything to escape.
void json_quoted(struct json *json, const char *text, size_t length);

// Bytes from the wire. UTF-8 where all of it is valid, otherwise each byte above 0x7f as \u00XX.
void json_bytes(struct json *json, const uint8_t *bytes, size_t length);

// A value that is JSON already, as it is.
void json_whole(struct json *json, const uint8_t *text, size_t length);

// A value that is JSON already, and not this program's: what is unsafe in its texts is escaped, as in those of json_bytes.
void json_foreign(struct json *json, const uint8_t *text, size_t length);

// Lower-case hexadecimal digits of these bytes, as a string.
void json_hex(struct json *json, const uint8_t *bytes, size_t length);

// Nanoseconds since 1970 as an RFC 3339 string, UTC, with as many digits as there are.
void json_time(struct json *json, int64_t nanoseconds);

// Seconds since 1970, likewise; any value: years beyond 9999 and before 0 are null.
void json_seconds(struct json *json, int64_t seconds);

// Nanoseconds as seconds.
void json_duration(struct json *json, int64_t nanoseconds);

// Ends the line.
void json_line_end(struct json *json);

/* ---- what each record has a hundred times: inline, so that lengths are known when it is compiled ---- */

#define JSON_INLINE static inline __attribute__((always_inline))

// Room for `more` bytes, which is not there. False: failed.
bool json_grow(struct json *json, size_t more);

JSON_INLINE bool json_reserve(struct json *json, size_t more)
{
	return json->size - json->length >= more || json_grow(json, more);
}

JSON_INLINE void json_begin_value(struct json *json)
{
	if (json->needs_comma && json_reserve(json, 1))
		json->text[json->length++] = ',';
	json->needs_comma = true;
}

// `key`: plain ASCII.
JSON_INLINE void json_key(struct json *json, const char *key)
{
	size_t length = strlen(key);
	if (!json_reserve(json, length + 4)) // ,"":
		return;
	char *to = json->text + json->length;
	*to = ',';
	to += json->needs_comma;
	*to++ = '"';
	memcpy(to, key, length);
	to += length;
	*to++ = '"';
	*to++ = ':';
	json->length = (size_t)(to - json->text);
	json->needs_comma = false;
}

// One of JSON's three words.
struct json_word {
	char text[8]; // copied as a whole
	size_t length;
};

#define JSON_NULL ((struct json_word){"null", 4})
#define JSON_TRUE ((struct json_word){"true", 4})
#define JSON_FALSE ((struct json_word){"false", 5})

JSON_INLINE void json_word(struct json *json, struct json_word word)
{
	json_begin_value(json);
	if (!json_reserve(json, sizeof word.text))
		return;
	memcpy(json->text + json->length, word.text, sizeof word.text);
	json->length += word.length;
}

// libjansson's header has a json_null of its own.
JSON_INLINE void json_null(struct json *json)
{
	json_word(json, JSON_NULL);
}

JSON_INLINE void json_bool(struct json *json, bool value)
{
	json_word(json, value ? JSON_TRUE : JSON_FALSE);
}

// Text of this program, as json_quoted; NULL: null.
JSON_INLINE void json_name(struct json *json, const char *name)
{
	if (name == NULL)
		json_null(json);
	else
		json_quoted(json, name, strlen(name));
}

#endif
