// SPDX-License-Identifier: Apache-2.0
// A log that grows by whole lines: collected in a block, written with few system calls, put aside under
// another name when it is its time (log_name.h). No line is split between two files. Owns its descriptor
// (standard output is not closed). One thread.
#ifndef MAILTAP_ANALYTICS_LOG_FILE_H
#define MAILTAP_ANALYTICS_LOG_FILE_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct log_file;

// How logs are written; all zero: as those of a run over captures.
struct log_policy {
	// What is there is added to. Default: it is replaced.
	bool keep;
	// A log that cannot be written does not end the run: its lines are counted as lost, and it is tried
	// again now and then. Default: log_file_add fails from then on.
	bool stay_up;
	uint64_t
	    rotate_size; // bytes at which a log is put aside, but for a single longer line; 0: never
	// Whole multiples of this since 1970 (UTC) at which a log is put aside, in seconds; 0: never.
	time_t rotate_interval;
	size_t rotate_keep; // how many of those put aside are kept, of each log; 0: all
	bool compress; // those put aside, by zstd
	// Says what goes wrong, or is worth to be known, where nobody can be returned it. NULL: nobody hears it.
	void (*tell)(const struct error *what);
};

// Makes a directory for logs and those above it. False: *error.
bool log_directory_make(const char *directory, struct error *error);

// Opens the log `name` ("sessions", for sessions.jsonl) in a directory that is there. A last line that was
// not written whole is cut off where the rest is kept. The policy must outlive it. NULL: *error.
struct log_file *log_file_create(
    const char *directory, const char *name, const struct log_policy *policy, struct error *error);

// Writes to this path, from its beginning; "-" is standard output. Never put aside. NULL: *error.
struct log_file *log_file_at(const char *path, struct error *error);

// Where it could not be written before and is not tried again, *error of the following functions is empty: it has been
// told.

// Adds a line (or several), line end included. Where somebody removed or moved away the file, it is begun anew. False: could not be written; *error.
bool log_file_add(struct log_file *file, const char *text, size_t length, struct error *error);

// Writes what was added so far. False: could not be written; *error.
bool log_file_flush(struct log_file *file, struct error *error);

// Puts the log aside and begins anew; what is empty stays. One that cannot be put aside grows on, and that is
// told. False: as log_file_flush.
bool log_file_rotate(struct log_file *file, struct error *error);

// To be called about once a second, with the time of day: flushes, puts aside by time, tries again. False:
// as log_file_flush.
bool log_file_tick(struct log_file *file, time_t now, struct error *error);

// True once after each time that the log was put aside, by itself or when asked.
bool log_file_was_rotated(struct log_file *file);

// Lines lost so far.
uint64_t log_file_lost(const struct log_file *file);

// Writes what is left and closes. False: some of it could not be written; *error. NULL is allowed.
bool log_file_close(struct log_file *file, struct error *error);

#endif
