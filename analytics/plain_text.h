// SPDX-License-Identifier: Apache-2.0
// Text from the wire made harmless for whoever reads it: nothing that could move a terminal's cursor, turn
// its text around or break a line goes out raw. The rule is the same for JSON (json.c) and for tables
// that people read. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_PLAIN_TEXT_H
#define MAILTAP_ANALYTICS_PLAIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The code point at `bytes`, and its length in bytes; 0: not valid UTF-8 (RFC 3629 4). `length` > 0.
size_t utf8_code_point(const uint8_t *bytes, size_t length, uint32_t *code);

// All of it is valid UTF-8.
bool utf8_is_valid(const uint8_t *bytes, size_t length);

// Controls of both kinds, line and paragraph separators, and what changes the direction of writing.
bool code_point_is_unsafe(uint32_t code);

// Writes text from the wire for a column of a table: what is unsafe, and what is no UTF-8, as \xNN or
// \u{NNNN}; a backslash as two. What has no room within `columns` is left out whole, and three dots stand
// for it. `room`: at least 4 * columns + 1 bytes, terminated at the end. Returns the columns used (one
// for a character).
size_t plain_text(char *room, size_t columns, const uint8_t *bytes, size_t length);

#endif
