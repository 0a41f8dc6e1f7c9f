// SPDX-License-Identifier: Apache-2.0
// Does something in every thread of the process, for what the kernel keeps by thread: capabilities and
// Landlock. A library may have begun threads before privileges are given up (DPDK does); those that begin
// later inherit. Used by privileges.c and sandbox_files.c, before the sandbox: it signals the others.
#ifndef MAILTAP_ANALYTICS_EVERY_THREAD_H
#define MAILTAP_ANALYTICS_EVERY_THREAD_H

#include "capture/base/error.h"

#include <stdbool.h>

// Runs in a signal handler: system calls only. 0, or an error number.
typedef int thread_work(const void *context);

// In the other threads first, in the calling one last. False: it failed in one of them, or one did not
// answer; *error.
bool every_thread_do(thread_work *work, const void *context, struct error *error);

#endif
