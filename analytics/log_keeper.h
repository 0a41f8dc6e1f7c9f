// SPDX-License-Identifier: Apache-2.0
// Looks after the logs that were put aside: compresses them, and removes those that are more than are to be
// kept. In a thread of its own with the lowest priority, so that the thread that writes the logs waits for
// neither. It remembers nothing: what is to be done is seen in the directory, also after a crash. Owned by
// log_directory.
#ifndef MAILTAP_ANALYTICS_LOG_KEEPER_H
#define MAILTAP_ANALYTICS_LOG_KEEPER_H

#include "analytics/log_file.h"

struct log_keeper;

// Starts the thread, which looks at the directory at once. Signals are left to others. Both must outlive it.
// NULL: *error.
struct log_keeper *log_keeper_start(
    const char *directory, const struct log_policy *policy, struct error *error);

// There is something new. Never waits for long.
void log_keeper_wake(struct log_keeper *keeper);

// Waits until everything is done, and frees. NULL is allowed.
void log_keeper_finish(struct log_keeper *keeper);

#endif
