// SPDX-License-Identifier: Apache-2.0
// Where records go that are to be asked for by SQL: the very lines that the logs get, so that a store and the logs
// never differ. The thread that judges gives lines (store_queue.h); a thread of the store's own takes them in batches
// and gives them to one kind of store. One const store_ops per kind in its own file, one row in the table of store.c.
//
// A store that cannot be written is as a log that cannot: it does not end a run that is to stay up. A batch is kept
// and tried again; what has no room meanwhile is lost, counted by table, and told once.
#ifndef MAILTAP_ANALYTICS_STORE_H
#define MAILTAP_ANALYTICS_STORE_H

#include "analytics/store_queue.h"
#include "capture/base/error.h"

#include <stdint.h>
#include <stdio.h>

// It and its strings live as long as the store.
struct store_settings {
	const char *kind; // name of a row; NULL: no store
	const char *file; // of sqlite; NULL: none named
	uint64_t keep; // days after which a record is removed; 0: never
	uint64_t
	    size; // bytes that it may take before the oldest records are removed; 0: as many as it likes
	const char *spool; // of clickhouse: a directory
	uint64_t spool_size; // bytes that it may take
	uint64_t flush; // seconds after which what is there is sent
	struct shipper *shipper; // of clickhouse: sends what is in the spool; borrowed
	const char *sensor; // NULL: not named
	bool imports; // lines of logs that were written before, not of this run
	bool
	    waits; // who gives lines waits for room, unless the store cannot be written: a run over files
	bool stay_up; // a store that cannot be written does not end the run
	void (*tell)(const struct error *what); // says what goes wrong meanwhile; from any thread
};

// Records by table, and the state it is in.
struct store_counters {
	uint64_t stored[STORE_TABLES]; // are there now
	uint64_t known[STORE_TABLES]; // of those: were there already, and were replaced
	uint64_t in_part[STORE_TABLES]; // of those: with keys or values that no column is for
	uint64_t refused[STORE_TABLES]; // are no records
	uint64_t lost
	    [STORE_TABLES]; // had no room while the store could not be written, or could not be written at all
	uint64_t removed[STORE_TABLES]; // again, for their age or for room
	// How it stands now.
	const char *kind; // name of a row; NULL: there is no store
	uint64_t away; // 1: what was tried last did not go well, and records wait
	uint64_t spool_bytes, spool_files; // of clickhouse: what is in the spool, refused batches too
	uint64_t spool_limit; // bytes that may be
};

// Of all tables.
uint64_t store_sum(const uint64_t counts[STORE_TABLES]);

enum store_answer {
	STORE_TAKEN,
	STORE_LATER, // nothing of it was stored; *error. It may be tried again: a full disk, a server that is away
	STORE_FAILED, // likewise, and it need not be tried again
};

struct store_ops {
	const char *name;
	// What messages call it: a file, an address.
	const char *(*place)(const struct store_settings *settings);
	// Before the sandbox closes. NULL: *error.
	void *(*open)(const struct store_settings *settings, struct error *error);
	// Stores all lines of all blocks, or none; in the store's thread, as the next two. Adds to the counters what became
	// of them if it was taken.
	enum store_answer (*put)(void *store, const struct store_block *blocks,
	    struct store_counters *counters, struct error *error);
	// Behind each batch, and about once a second: removes what is too old or too much, and so on. False: *error,
	// which is told once until it goes well again. NULL: there is nothing to do.
	bool (*upkeep)(void *store, struct store_counters *counters, struct error *error);
	// In the thread that closes, when that of the store has ended. As put, counts what became of the last records. False:
	// something is lost; *error.
	bool (*close)(void *store, struct store_counters *counters, struct error *error);
};

struct store;

// Opens what the settings ask for and starts the thread. NULL: *error.
struct store *store_open(const struct store_settings *settings, struct error *error);

/* ---- the thread that gives lines ---- */

// One line, its end included. False: the store failed and the run is not to stay up; *error.
bool store_add(struct store *store, enum store_table_id table, const char *line, size_t length,
    struct error *error);

// To be called about once a second, and when no record is at hand. NULL is allowed. False: as store_add.
bool store_flush(struct store *store, struct error *error);

// Up to the last batch. NULL is allowed: nothing.
struct store_counters store_counters(const struct store *store);

// Waits until all is stored that can be, and frees. NULL is allowed. False: some was lost; *error.
bool store_close(struct store *store, struct error *error);

// Likewise, and says what became of all.
bool store_finish(struct store *store, struct store_counters *counters, struct error *error);

#endif
