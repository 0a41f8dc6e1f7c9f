// SPDX-License-Identifier: Apache-2.0
// Saves what is known of servers while a run goes on, so that one that is killed after months loses minutes. The
// rhythm is fixed: nobody needs another, and what it costs is bounded besides. In the analytics thread, off the
// packets' path; the file is replaced as a whole.
#ifndef MAILTAP_ANALYTICS_SERVER_MEMORY_SAVER_H
#define MAILTAP_ANALYTICS_SERVER_MEMORY_SAVER_H

#include "analytics/server_memory.h"

#include <time.h>

enum {
	MEMORY_SAVED_EVERY = 300, // seconds
	MEMORY_SAVING_SHARE = 100, // saving takes at most one part in this many of the time
};

struct server_memory_saver {
	struct server_memory *servers; // borrowed
	const char *path; // borrowed; NULL: nothing is saved
	time_t last, pause; // when it was saved, and until when at least it is not again: seconds
	bool failed; // the last time
};

struct server_memory_saver server_memory_saver_begin(
    struct server_memory *servers, const char *path, time_t now);

// True if it is time to save. A clock that is put back begins a new pause.
bool server_memory_saver_is_due(struct server_memory_saver *saver, time_t now);

// To be called about once a second, `now` by the clock. False: it is told for the first time that it could not be
// saved; *error. It is tried again later.
bool server_memory_saver_turn(struct server_memory_saver *saver, time_t now, struct error *error);

#endif
