// SPDX-License-Identifier: Apache-2.0
#include "capture/base/progress_watch.h"

struct watched_loop *progress_watch_add(struct progress_watch *watch)
{
	if (watch == NULL)
		return NULL;
	unsigned place = atomic_fetch_add(&watch->loop_count, 1);
	return place < WATCHED_LOOPS_MAX ? &watch->loops[place] : NULL;
}

static unsigned loops_of(struct progress_watch *watch)
{
	unsigned count = atomic_load(&watch->loop_count);
	return count < WATCHED_LOOPS_MAX ? count : WATCHED_LOOPS_MAX;
}

bool progress_watch_all(struct progress_watch *watch)
{
	unsigned count = loops_of(watch);
	for (unsigned i = 0; i < count; i++) {
		struct watched_loop *loop = &watch->loops[i];
		if (!atomic_load_explicit(&loop->waits, memory_order_relaxed) &&
		    atomic_load_explicit(&loop->turns, memory_order_relaxed) == watch->turns[i])
			return false;
	}
	for (unsigned i = 0; i < count; i++)
		watch->turns[i] =
		    atomic_load_explicit(&watch->loops[i].turns, memory_order_relaxed);
	return true;
}
