// SPDX-License-Identifier: Apache-2.0
// Another time of day for a program that is under test: preloaded (LD_PRELOAD), this adds to the clock what stands in
// the file that the environment variable CLOCK_FILE names, seconds as a 64-bit number. The file is mapped before
// main(), so that who writes to it puts the clock while the program runs, whatever it may open then.
// tests/faults/clock.py uses it.
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef int clock_function(clockid_t clock, struct timespec *now);

static const volatile int64_t *offset;
static clock_function *real_clock;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CLOCK_FILE");
	int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *mapped =
	    file >= 0 ? mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0) : MAP_FAILED;
	if (mapped == MAP_FAILED)
		abort();
	(void)close(file);
	real_clock = (clock_function *)(uintptr_t)dlsym(RTLD_NEXT, "clock_gettime");
	offset = mapped;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = real_clock(clock, now);
	if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		now->tv_sec += *offset;
	return result;
}

time_t time(time_t *seconds)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (seconds != NULL)
		*seconds = now.tv_sec;
	return now.tv_sec;
}
