// SPDX-License-Identifier: Apache-2.0
// Processors: how many this process may use, and on which one a thread runs.
#ifndef MAILTAP_CAPTURE_BASE_CPU_H
#define MAILTAP_CAPTURE_BASE_CPU_H

#include <pthread.h>
#include <stdbool.h>

// At least 1.
unsigned cpu_count(void);

// From now on the thread runs on this one only. False: there is none of that number, or it is not allowed.
bool cpu_pin(pthread_t thread, int cpu);

#endif
