// SPDX-License-Identifier: Apache-2.0
// What signals have asked for and nobody has done yet. Set by the handlers of main; taken by the run, from
// any of its threads.
#ifndef MAILTAP_ANALYTICS_SIGNALS_H
#define MAILTAP_ANALYTICS_SIGNALS_H

#include <stdatomic.h>
#include <stdbool.h>

struct signals {
	atomic_bool stop; // SIGINT, SIGTERM: end in order; stays set
	atomic_bool reload; // SIGHUP: put the logs aside, read again what is read from files
	atomic_bool statistics; // SIGUSR1: write them now
};
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "a handler may set it");

// True once after each time that it was asked for.
static inline bool signals_take(atomic_bool *what)
{
	return atomic_load_explicit(what, memory_order_relaxed) && atomic_exchange(what, false);
}

static inline bool signals_stop(const struct signals *signals)
{
	return atomic_load_explicit(&signals->stop, memory_order_relaxed);
}

#endif
