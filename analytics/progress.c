// SPDX-License-Identifier: Apache-2.0
#include "analytics/progress.h"

#include "capture/base/monotonic.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
	CALLS_PER_LOOK = 256,
	NANOSECONDS = 1000000000,
	SHOWN_EVERY = NANOSECONDS / 2,
	LIVE_SHOWN_EVERY = NANOSECONDS,
};

void progress_begin(struct progress *progress, bool wanted, bool live)
{
	*progress = (struct progress){.wanted = wanted && isatty(STDERR_FILENO), .live = live};
	progress->began = progress->last = monotonic_now();
}

bool progress_due(struct progress *progress)
{
	if (!progress->wanted)
		return false;
	// On a silent link a source is asked ten times a second, and not more often.
	if (progress->live)
		return monotonic_now() - progress->last >= LIVE_SHOWN_EVERY;
	return ++progress->calls % CALLS_PER_LOOK == 0;
}

// `seconds` since the last time.
static void show_live(struct progress *progress, const char *name,
    const struct source_counters *counters, double seconds)
{
	double rate = (double)(counters->packets - progress->packets) / seconds;
	progress->packets = counters->packets;
	fprintf(stderr, "\r\033[K%.60s: %" PRIu64 " packets, %.0f/s, %" PRIu64 " dropped", name,
	    counters->packets, rate, counters->capture_dropped);
	if (counters->interface_missed > 0)
		fprintf(stderr, ", %" PRIu64 " missed by the interface", counters->interface_missed);
	fflush(stderr);
}

void progress_step(
    struct progress *progress, const char *name, const struct source_counters *counters)
{
	int64_t now = monotonic_now();
	if (now - progress->last < SHOWN_EVERY)
		return;
	double since = (double)(now - progress->last) / NANOSECONDS;
	progress->last = now;
	progress->shown = true;
	if (progress->live) {
		show_live(progress, name, counters, since);
		return;
	}
	double seconds = (double)(now - progress->began) / NANOSECONDS;
	double read = (double)counters->input_read;
	fprintf(stderr, "\r\033[K%.60s: %.0f MB", name, read / 1e6);
	if (counters->input_size > 0)
		fprintf(stderr, " of %.0f MB (%.0f %%)", (double)counters->input_size / 1e6,
		    100 * read / (double)counters->input_size);
	fprintf(stderr, ", %.0f MB/s", read / 1e6 / seconds);
	if (counters->input_size > counters->input_read)
		fprintf(stderr, ", %.0f s left",
		    seconds * ((double)counters->input_size - read) / read);
	fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
