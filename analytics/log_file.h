// SPDX-License-Identifier: Apache-2.0
// A log that grows by whole lines: collected in a block, written with few system calls. Owns its
// descriptor (standard output is not closed). One thread.
#ifndef MAILTAP_ANALYTICS_LOG_FILE_H
#define MAILTAP_ANALYTICS_LOG_FILE_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct log_file;

// Makes a directory for logs and those above it. False: *error.
bool log_directory_make(const char *directory, struct error *error);

// Creates or empties the file `name` in `directory`, made if it is missing. NULL: *error.
struct log_file *log_file_create(const char *directory, const char *name, struct error *error);

// Writes to this path; "-" is standard output. NULL: *error.
struct log_file *log_file_at(const char *path, struct error *error);

// Adds a line (or several), line end included. False: could not be written; *error.
bool log_file_add(
    struct log_file *file, const char *text, size_t length, struct error *error);

// Writes what was added so far. False: could not be written; *error.
bool log_file_flush(struct log_file *file, struct error *error);

// Writes what is left and closes. False: some of it could not be written; *error. NULL is allowed.
bool log_file_close(struct log_file *file, struct error *error);

#endif
