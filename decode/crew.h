// SPDX-License-Identifier: Apache-2.0
// The workers of a run, and what stands in front of them: packets go in, the segments that are followed
// are shared out by connection, and each worker finds what it finds. With no threads asked for there is
// one worker, in the caller's thread; with N there are N, each with a thread and a ring of its own, and the
// same records come out: every segment has a position in the traffic, by which they can be put in
// order again (worker_order). Live, a full ring drops and counts; from a file it is waited for.
// Used by one thread; sinks are called in the workers'.
#ifndef MAILTAP_DECODE_CREW_H
#define MAILTAP_DECODE_CREW_H

#include "capture/base/error.h"
#include "capture/base/progress_watch.h"
#include "decode/segment_reader.h"
#include "decode/worker.h"

enum { CREW_WORKERS_MAX = 64 };

struct crew_options {
	struct worker_options
	    worker; // of each; `memory` is for all and the fragments; without context
	unsigned threads; // 0: one worker in the caller's thread
	void *const *contexts; // of the sinks, one for each worker; borrowed for the call
	const int
	    *cpus; // where the threads are to run, one for each, or NULL; borrowed for the call
	bool live; // what there is no room for is dropped
	bool busy_poll; // threads do not sleep
	bool by_time; // positions follow the clock, so that those of several crews can be compared
	struct progress_watch *watch; // over the threads; or NULL
	// Something sent by crew_control has come to a worker, in order with its segments. NULL: nothing is.
	void (*on_control)(
	    void *context, struct worker *worker, const void *control, size_t length);
	// Everything that this worker finds before this position was handed on. NULL: nobody wants to know.
	void (*on_progress)(void *context, uint64_t position);
};

// What did not reach a worker, in segments. With those that did they add up to what was read.
struct crew_losses {
	uint64_t shed; // of connections that have said what matters, so that others could be read
	uint64_t refused; // of connections that began when there was too much to do
	uint64_t refused_connections; // how many these were, SYNs that were sent again included
	uint64_t dropped; // there was no room for them
	uint64_t dropped_openings; // of these: SYNs, so that their connections are not known of
};

void crew_losses_add(struct crew_losses *sum, const struct crew_losses *one);

struct crew;

// NULL: *error.
struct crew *crew_create(const struct crew_options *options, struct error *error);

// For whoever orders what the workers hand on. Good until crew_destroy.
const struct worker *crew_worker(const struct crew *crew, unsigned number);

// The packets' bytes are borrowed for the call.
void crew_batch(struct crew *crew, const struct packet_batch *batch);

// No packet came, and it is this time by the wall clock.
void crew_idle(struct crew *crew, nanoseconds now);

// Sends the same to all workers; waits for room.
void crew_control(struct crew *crew, const void *control, size_t length);

// Ends all sessions, as at the end of the capture, and the threads.
void crew_finish(struct crew *crew);

// As of now.
struct segment_reader_counters crew_reader_counters(const struct crew *crew);
struct crew_losses crew_losses(const struct crew *crew);

// Of all workers, once finished; before that only without threads (each worker has its own: on_control).
struct worker_counters crew_worker_counters(const struct crew *crew);

// NULL is allowed. One that is not finished is.
void crew_destroy(struct crew *crew);

#endif
