// SPDX-License-Identifier: Apache-2.0
#include "capture/base/backoff.h"

#include <stddef.h>
#include <time.h>

enum {
	LOOKS_AT_ONCE = 64,
	PAUSE_FIRST = 20 * 1000, // nanoseconds
	PAUSE_LONGEST = 1000 * 1000,
	PAUSE_PATIENT = 4 * 1000 * 1000,
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

void backoff_wait(struct backoff *backoff)
{
	if (backoff->patient) {
		(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_PATIENT}, NULL);
		return;
	}
	if (backoff->busy || backoff->looks < LOOKS_AT_ONCE) {
		backoff->looks++;
		relax();
		return;
	}
	if (backoff->pause == 0)
		backoff->pause = PAUSE_FIRST;
	(void)nanosleep(&(struct timespec){.tv_nsec = backoff->pause}, NULL);
	if (backoff->pause < PAUSE_LONGEST)
		backoff->pause *= 2;
}
