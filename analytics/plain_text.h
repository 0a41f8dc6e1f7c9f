// SPDX-License-Identifier: Apache-2.0
// Text from the wire made harmless for whoever reads it: nothing that could move a terminal's cursor, turn
// its text around or break a line goes out raw. The rule is the same for JSON (json.c) and for tables
// that people read. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_PLAIN_TEXT_H
#define MAILTAP_ANALYTICS_PLAIN_TEXT_H

#include "capture/base/utf8.h"

// Writes text from the wire for a column of a table: what is unsafe, and what is no UTF-8, as \xNN or
// \u{NNNN}; a backslash as two. What has no room within `columns` is left out whole, and three dots stand
// for it. `room`: at least 4 * columns + 1 bytes, terminated at the end. Returns the columns used (one
// for a character).
size_t plain_text(char *room, size_t columns, const uint8_t *bytes, size_t length);

#endif
