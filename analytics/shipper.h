// SPDX-License-Identifier: Apache-2.0
// The process that sends what is in a spool (spool.h) to a ClickHouse server. A tap that reads hostile bytes makes no
// connection: so another process does, forked before a source is open, a secret is read or a thread has begun. It
// sees no packet, has its own sandbox (it reads and writes the spool alone, and connects to the server's port), and is
// told of new files by a byte in a pipe; when that pipe ends, so does it, after a last flush bounded in time. What
// remains stays in the spool for the next run.
//
//   the tap  --fork-->  keeper  --fork-->  sender (clickhouse_sender.h, a module: libcurl is in no other process)
//
// The keeper does nothing but wait for the sender, and begins it anew where it was killed.
#ifndef MAILTAP_ANALYTICS_SHIPPER_H
#define MAILTAP_ANALYTICS_SHIPPER_H

#include "analytics/clickhouse_url.h"
#include "analytics/store_columns.h"
#include "capture/base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	SHIPPER_FLUSH = 10, // seconds that the last flush may take
	SHIPPER_TIMEOUT = 30, // seconds for a request, where nothing else is said
};

// It and its strings live as long as the shipper.
struct shipper_plan {
	struct clickhouse_url url;
	const char *spool; // a directory
	const char *
	    login; // a file with a user and a password; NULL: the server's user `default`, without one
	const char *ca_file; // whom to trust with https; NULL: whom the system trusts
	unsigned timeout; // seconds for a request
	const char *user; // to become; NULL: nobody else
	bool without_sandbox;
};

// What the sender did: in memory that both processes have.
struct shipper_status {
	_Atomic uint64_t stored[STORE_TABLES]; // rows that the server has
	_Atomic uint64_t refused[STORE_TABLES]; // rows that it does not take
	_Atomic uint64_t damaged[STORE_TABLES]; // lines that are no record
	_Atomic uint64_t in_part[STORE_TABLES]; // rows with keys or values that no column is for
	_Atomic uint64_t batches; // sent
	_Atomic uint64_t retries; // requests that did not go well
	_Atomic uint64_t settled; // batches of which the server had to be asked whether it has them
	_Atomic uint64_t restarts; // of the sender
	_Atomic uint64_t sent_last; // Unix time; 0: never
	atomic_bool away; // the last request did not go well
	atomic_bool works; // there is a sender
};

struct shipper;

// Begins the processes; to be called before threads begin. Waits until the sender is ready. NULL: *error.
struct shipper *shipper_start(const struct shipper_plan *plan, struct error *error);

// There is a new file in the spool. False: nobody is there any more to send it.
bool shipper_wake(struct shipper *shipper);

const struct shipper_status *shipper_status(const struct shipper *shipper);

// Nothing new will come: waits until the last flush is over.
void shipper_finish(struct shipper *shipper);

// As shipper_finish, and frees. NULL is allowed.
void shipper_end(struct shipper *shipper);

#endif
