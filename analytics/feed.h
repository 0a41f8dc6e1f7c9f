// SPDX-License-Identifier: Apache-2.0
// From a source to the workers: takes batches of packets, cuts them where an interval of packet time ends,
// gives them to a crew, lets time go on where none come, and tells what was counted. A source with
// several lanes has a thread and a crew of one worker for each; one with a single lane has one crew of as
// many workers as were asked for. Owns the crews; called by the run in one thread.
#ifndef MAILTAP_ANALYTICS_FEED_H
#define MAILTAP_ANALYTICS_FEED_H

#include "analytics/intake.h"
#include "capture/source.h"
#include "decode/crew.h"

#include <stdatomic.h>

struct feed_options {
	struct crew_options
	    crew; // `threads`: workers in all; without contexts, sinks' functions and position
	unsigned lanes; // of the source
	nanoseconds interval; // of statistics, in packet time; 0: none
	struct intake *intake; // with feed_workers lanes
	bool quiet; // no progress is shown
	bool watched; // somebody looks at how it goes: files, too, are told of while they are read
	const atomic_bool *stop; // set by a signal
	const atomic_bool *wanted; // likewise: what was counted is wanted now, also of a source that is not live
	const atomic_bool *broken; // an output has failed: nothing more is worth reading
};

// How many workers there will be: lanes of an intake.
unsigned feed_workers(unsigned lanes, unsigned threads);

struct feed;

// NULL: *error.
struct feed *feed_create(const struct feed_options *options, struct error *error);

// Reads a source to its end, or until it is to stop. `name`: what is shown of it. False: it ended in an
// error, which is *error.
bool feed_read(struct feed *feed, const struct source_ops *ops, struct source *source,
    const char *name, struct error *error);

// Of the packet that was read last (enum link_type, or one that nothing here reads).
unsigned feed_link_type(const struct feed *feed);

// Ends all sessions, and the workers' threads. Whatever they found was handed to the intake.
void feed_finish(struct feed *feed);

// Adds what all sources together said, and what became of their packets. The workers' figures: once
// finished.
void feed_account(const struct feed *feed, struct run_accounting *accounting);

// The interval that is open, at the end of the run. False: there was no packet at all.
bool feed_last_interval(const struct feed *feed, struct ended_interval *interval);

// NULL is allowed.
void feed_destroy(struct feed *feed);

#endif
