// SPDX-License-Identifier: Apache-2.0
// Writes JSON Lines into one reused buffer. The record contract asks for more than JSON libraries give:
// bytes that are not UTF-8 become \u00XX one by one, and nothing that could move a terminal's cursor or
// turn its text around goes out raw. One thread.
#ifndef MAILTAP_ANALYTICS_JSON_H
#define MAILTAP_ANALYTICS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
void json_key(struct json *json, const char *key); // plain ASCII
// libjansson has a json_null of its own, and would call this one if their symbols were the same.
void json_null(struct json *json) __asm__("mailtap_json_null");
void json_bool(struct json *json, bool value);
void json_unsigned(struct json *json, uint64_t value);

// A value between 0 and 1, with six digits behind the point.
void json_ratio(struct json *json, double value);

// Text of this program, ASCII without anything to escape; NULL: null.
void json_name(struct json *json, const char *name);

// Bytes from the wire. UTF-8 where all of it is valid, otherwise each byte above 0x7f as \u00XX.
void json_bytes(struct json *json, const uint8_t *bytes, size_t length);

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

#endif
