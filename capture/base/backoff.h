// SPDX-License-Identifier: Apache-2.0
// Waiting for another thread without a lock and without burning a core: a few looks at once, then sleeps
// that grow from 20 microseconds to a millisecond. One per waiting thread.
// Whoever can let work pile up is patient: it sleeps four milliseconds at once, and wakes for all there is then.
#ifndef MAILTAP_CAPTURE_BASE_BACKOFF_H
#define MAILTAP_CAPTURE_BASE_BACKOFF_H

#include <stdbool.h>

struct backoff {
	unsigned looks; // without a result, in a row
	long pause; // of the next sleep, nanoseconds; 0: the shortest
	bool busy; // never sleep
	bool patient; // nothing is lost by a late look
};

// There was nothing. Returns when it is time to look again.
void backoff_wait(struct backoff *backoff);

// There was something.
static inline void backoff_reset(struct backoff *backoff)
{
	backoff->looks = 0;
	backoff->pause = 0;
}

#endif
