// SPDX-License-Identifier: Apache-2.0
// The directory that a run writes its logs to: one run at a time. Opens the logs for the exporters, puts them
// aside all together or each when it is its time, and has old ones looked after (log_keeper). Owns the
// directory's lock and the keeper; the logs are the exporters'. Used by the analytics thread alone.
#ifndef MAILTAP_ANALYTICS_LOG_DIRECTORY_H
#define MAILTAP_ANALYTICS_LOG_DIRECTORY_H

#include "analytics/log_file.h"

struct log_directory;

// Makes it if it is missing. NULL: *error; also if another run writes there.
struct log_directory *log_directory_open(
    const char *path, const struct log_policy *policy, struct error *error);

// Opens the log of that name, one of log_names. NULL: *error. log_directory_close_log closes it.
struct log_file *log_directory_log(
    struct log_directory *directory, const char *name, struct error *error);
bool log_directory_close_log(
    struct log_directory *directory, struct log_file *file, struct error *error);

// To be called about once a second, with the time of day: log_file_tick of all. False: a log failed; *error.
bool log_directory_tick(struct log_directory *directory, time_t now, struct error *error);

// Puts all logs aside. False: a log failed; *error.
bool log_directory_rotate(struct log_directory *directory, struct error *error);

// Waits until the old logs are looked after, and frees. All logs are closed. NULL is allowed.
void log_directory_close(struct log_directory *directory);

#endif
