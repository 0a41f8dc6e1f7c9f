// SPDX-License-Identifier: Apache-2.0
// The line that tells how far a long replay has come: bytes, rate, time left; or what a live capture has had
// so far. On standard error, only where that is a terminal. Looks at the clock now and then, not at every batch.
#ifndef MAILTAP_ANALYTICS_PROGRESS_H
#define MAILTAP_ANALYTICS_PROGRESS_H

#include "capture/source.h"

#include <stdbool.h>

struct progress {
	bool shown;         // a line stands on the terminal
	bool wanted, live;
	unsigned calls;
	int64_t began, last; // nanoseconds of the monotonic clock
	uint64_t packets;    // shown last
};

// `wanted`: the user did not ask for quiet. Nothing is shown unless standard error is a terminal. `live`: there
// is no end to come to.
void progress_begin(struct progress *progress, bool wanted, bool live);

// Once per batch. `name`: the input being read.
void progress_step(
    struct progress *progress, const char *name, const struct source_counters *counters);

// True if the next progress_step will look at the clock: the counters need to be right only then.
bool progress_due(struct progress *progress);

// Takes the line away.
void progress_end(struct progress *progress);

#endif
