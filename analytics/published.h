// SPDX-License-Identifier: Apache-2.0
// What a run shows of itself while it goes on, between the thread that has the figures (analytics) and the
// one that is asked for them (HTTP): a page is made when somebody asks, so that it says how things are now
// and not how they were at the last interval; how far the run is; and whether the analytics thread still
// turns. Neither waits for the other: asking is a flag, and a lock is held only to swap a pointer.
//
// To make pages never takes more than a tenth of the analytics thread's time, however many ask.
#ifndef MAILTAP_ANALYTICS_PUBLISHED_H
#define MAILTAP_ANALYTICS_PUBLISHED_H

#include "analytics/live_window.h"
#include "capture/base/error.h"
#include "capture/packet.h"

#include <stdbool.h>
#include <stddef.h>

struct published;

// What can be asked for: the metrics; of each window (enum live_window) the page, and the same as JSON.
enum published_kind {
	PUBLISHED_METRICS,
	PUBLISHED_PAGE,
	PUBLISHED_JSON = PUBLISHED_PAGE + LIVE_WINDOWS,
	PUBLISHED_KINDS = PUBLISHED_JSON + LIVE_WINDOWS,
};

// How far the run is.
enum run_stage {
	STAGE_STARTING, // no source is open yet
	STAGE_READING,
	STAGE_DRAINING, // no more packets are read; what is under way is written
};

// NULL: *error.
struct published *published_create(struct error *error);
void published_destroy(struct published *published); // NULL is allowed; nobody else uses it by then

// By any thread.
void published_set_stage(struct published *published, enum run_stage stage);
enum run_stage published_stage(const struct published *published);

/* ---- the thread that has the figures ---- */

// Once per turn of its loop, at least every few milliseconds. True: a page of *kind is asked for; make it and hand
// it over by published_put.
bool published_turn(struct published *published, enum published_kind *kind);

// Takes the page over (malloc). NULL: it could not be made; those who wait get the last one.
void published_put(
    struct published *published, enum published_kind kind, char *text, size_t length);

// It will not turn any more, as it has done its work: that is no fault.
void published_rest(struct published *published);

/* ---- the thread that is asked ---- */

// A page. It stays as it is until it is released.
struct published_page {
	const char *text;
	size_t length;
	uint64_t number; // pages of a kind are numbered from 1
	nanoseconds made; // by the monotonic clock
};

// Asks for a page; gives the number that a page has to have at least to be made after this call.
uint64_t published_ask(struct published *published, enum published_kind kind);

// The newest page. NULL: there is none yet. Given back by published_release (NULL is
// allowed), by any thread.
const struct published_page *published_page(struct published *published, enum published_kind kind);
void published_release(const struct published_page *page);

// Readable when a page was put since the last published_clear.
int published_descriptor(const struct published *published);
void published_clear(struct published *published);

// For how long the thread that has the figures has not turned; 0 if it rests or has not begun.
nanoseconds published_silence(const struct published *published);

#endif
