// SPDX-License-Identifier: Apache-2.0
// Whether a run gets on: each thread that must come round again and again counts its turns, and one looks
// whether all have. The basis of the sign of life that a service manager gets.
#ifndef MAILTAP_CAPTURE_BASE_PROGRESS_WATCH_H
#define MAILTAP_CAPTURE_BASE_PROGRESS_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WATCHED_LOOPS_MAX = 128 };

// One thread's loop. On a cache line of its own.
struct watched_loop {
	_Alignas(64) atomic_uint_fast32_t turns; // counted by its thread alone
	atomic_bool waits; // for what may never come: it need not come round
};

// Zeroed memory is one without loops.
struct progress_watch {
	struct watched_loop loops[WATCHED_LOOPS_MAX];
	atomic_uint loop_count;
	uint_fast32_t turns[WATCHED_LOOPS_MAX]; // as of the last sign
};

// For a thread that begins. NULL: there are too many, or no watch; it is not watched.
struct watched_loop *progress_watch_add(struct progress_watch *watch);

// It waits for what may never come, or its thread ends: it need not come round; or it goes on.
static inline void watched_waits(struct watched_loop *loop, bool waits)
{
	if (loop != NULL)
		atomic_store_explicit(&loop->waits, waits, memory_order_relaxed);
}

static inline void watched_turn(struct watched_loop *loop)
{
	if (loop == NULL)
		return;
	uint_fast32_t turns = atomic_load_explicit(&loop->turns, memory_order_relaxed);
	atomic_store_explicit(&loop->turns, turns + 1, memory_order_relaxed);
}

// True if every loop has come round, or waits, since this was true the last time. For one thread.
bool progress_watch_all(struct progress_watch *watch);

#endif
