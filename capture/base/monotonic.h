// SPDX-License-Identifier: Apache-2.0
// The clock that nobody sets: for how long something takes. Packets have their own time (packet.h).
#ifndef MAILTAP_CAPTURE_BASE_MONOTONIC_H
#define MAILTAP_CAPTURE_BASE_MONOTONIC_H

#include <stdint.h>
#include <time.h>

// Nanoseconds since some point in the past.
static inline int64_t monotonic_now(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#endif
