// SPDX-License-Identifier: Apache-2.0
// Names of logs that were put aside, and which of them a directory has: sessions-2026-11-27T03-00-00Z.jsonl
// is what sessions.jsonl was, begun at that time (UTC); -1, -2, ... follow the time where several began in
// the same second, .zst follows where it was compressed. Written by log_file, read by log_keeper and the
// report.
#ifndef MAILTAP_ANALYTICS_LOG_NAME_H
#define MAILTAP_ANALYTICS_LOG_NAME_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum {
	LOG_TIME_SIZE = sizeof "2026-11-27T03-00-00Z",
	LOG_NAME_SIZE = 96, // of a file's name, terminated
	LOG_NUMBER_MAX = 999999, // of logs that began in one second
};

// Everything a file's name says besides which log it is.
struct log_name {
	char time[LOG_TIME_SIZE];
	unsigned number; // 0: none is written
	bool packed; // compressed: .zst
};

// All logs that mailtap writes to a directory, NULL at the end: "sessions", ...
extern const char *const log_names[];

// The name of what was begun at a time (seconds since 1970).
struct log_name log_name_of(time_t begun, unsigned number, bool packed);

// As a file's name.
void log_name_text(char text[LOG_NAME_SIZE], const char *log, const struct log_name *name);

// Reads a file's name. False: it is none of a log of this kind that was put aside.
bool log_name_read(struct log_name *name, const char *log, const char *text);

// What was put aside, oldest first. A file that is there plain and compressed stands in it once, plain:
// whoever compressed it did not come to remove it.
struct log_listing {
	struct log_name *names; // log_listing_free
	size_t count;
};

// False: the directory cannot be read; *error.
bool log_listing_read(
    struct log_listing *listing, const char *directory, const char *log, struct error *error);
void log_listing_free(struct log_listing *listing);

#endif
