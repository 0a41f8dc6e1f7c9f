// SPDX-License-Identifier: Apache-2.0
// How the memory of servers stands in its file: JSON Lines, the first of which says what it is,
//
//     {"mailtap_server_memory":1,"servers":2}
//
// and each other is a server. `check` is the beginning of the SHA-256 of the rest of its line, behind the
// comma. Times are in seconds since 1970; networks are hashes, and how often each took part. The oldest
// come first, so that a smaller memory keeps the newest. server_line_read.c and server_line_write.c;
// used by server_memory_file.c.
#ifndef MAILTAP_ANALYTICS_SERVER_LINE_H
#define MAILTAP_ANALYTICS_SERVER_LINE_H

#include "analytics/server_entry.h"

struct json;

enum {
	SERVER_LINES_VERSION = 1,
	SERVER_LINE_MAX = 64 * 1024,
	SERVER_CHECK_DIGITS = 16,
};

// What stands before the digits of a line's check, and between them and the rest.
#define SERVER_CHECK_BEFORE "{\"check\":\""
#define SERVER_CHECK_AFTER "\","

// The check of the rest of a line.
void server_line_check(const uint8_t *rest, size_t length, char digits[SERVER_CHECK_DIGITS]);

// Writes the first line, or that of a server, line end included, to an empty buffer.
void server_line_write_head(struct json *json, uint64_t servers);
void server_line_write(struct json *json, const struct server_entry *entry);

// Reads the first line: how many servers are to follow. NULL, or why it is none.
const char *server_line_read_head(const uint8_t *line, size_t length, uint64_t *servers);

// Reads the line of a server into a new entry, the caller's. NULL, or what is wrong with it: then
// *entry is NULL.
const char *server_line_read(const uint8_t *line, size_t length, struct server_entry **entry);

#endif
