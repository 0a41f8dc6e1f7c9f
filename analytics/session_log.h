// SPDX-License-Identifier: Apache-2.0
// Reads logs line by line, plain or compressed, with a limit on what a line may take, and counts what could not be read: a
// log may be damaged, still be written to, or come from a newer mailtap. One thread.
#ifndef MAILTAP_ANALYTICS_SESSION_LOG_H
#define MAILTAP_ANALYTICS_SESSION_LOG_H

#include "analytics/session_facts.h"
#include "capture/base/error.h"

#include <stdbool.h>

enum log_line {
	LOG_LINE_TAKEN,
	LOG_LINE_IN_PART, // taken, but for keys or values that nothing here knows
	LOG_LINE_DAMAGED,
};

struct log_counters {
	uint64_t lines, taken, in_part; // in_part: of the taken ones
	uint64_t damaged, too_long;
	bool torn; // the last one has no end and is no record: it was not written whole
};

// `line` is without its end, and borrowed for the call.
typedef enum log_line log_line_sink(void *context, const char *line, size_t length);

// Reads a whole log ("-": standard input) and adds to the counters. False: it could not be read to its
// end; *error says why, and what came before stands.
bool log_read(const char *path, log_line_sink *sink, void *context, struct log_counters *counters,
    struct error *error);

// Called for each file of a series once it was read. `error`: it could not be read to its end; else NULL.
typedef void log_file_sink(void *context, const char *path, const struct log_counters *counters,
    const struct error *error);

// Reads all logs of a name ("sessions") in a directory: what was put aside, oldest first, and then what is
// written to now. Each line that was there when this began is read once, also if a log is put aside or
// compressed meanwhile. Returns how many files there are, read or not.
size_t log_read_series(const char *directory, const char *log, log_line_sink *sink,
    log_file_sink *file_sink, void *context);

#endif
