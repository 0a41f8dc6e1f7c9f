// SPDX-License-Identifier: Apache-2.0
// What leaves a store again: records that are older than they are to be kept (by the clock), and the oldest where the
// database is larger than it may be. A little at a time, so that records that come do not wait. Certificates that
// records still name stay. Part of the module for SQLite, in the store's thread.
#ifndef MAILTAP_ANALYTICS_SQLITE_KEEP_H
#define MAILTAP_ANALYTICS_SQLITE_KEEP_H

#include "analytics/store.h"

#include <sqlite3.h>
#include <time.h>

struct sqlite_keep {
	time_t looked; // for what is too old or too much, last
	bool more; // there was more than is removed at once
	bool certificates; // some may be named by no record any more
	time_t looked_at_certificates;
};

// To be called now and then. False: *error.
bool sqlite_keep(struct sqlite_keep *keep, sqlite3 *database, const struct store_settings *settings,
    struct store_counters *counters, struct error *error);

#endif
