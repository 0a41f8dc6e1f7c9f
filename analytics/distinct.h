// SPDX-License-Identifier: Apache-2.0
// How many different things there were: exact up to a bound, beyond it estimated by HyperLogLog
// (Flajolet and others 2007, with the linear counting of small ranges), which needs 16 KiB for any
// number and errs by 0.8 % (standard error). Owned by one thread.
#ifndef MAILTAP_ANALYTICS_DISTINCT_H
#define MAILTAP_ANALYTICS_DISTINCT_H

#include "capture/base/hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct distinct;

struct distinct_count {
	uint64_t count;
	bool exact;
	double error; // standard error, relative; 0 where exact
};

// `key`: those that are united have the same. `exact`: how many are counted exactly. NULL: no memory.
struct distinct *distinct_create(const struct hash_key *key, size_t exact);
void distinct_destroy(struct distinct *distinct); // NULL is allowed

// The thing by its hash: distinct_expect has it fetched from memory, so that several of them, of several
// counts, are waited for together, and distinct_note counts it.
uint64_t distinct_expect(const struct distinct *distinct, const void *bytes, size_t length);
void distinct_note(struct distinct *distinct, uint64_t hash);

// Both.
void distinct_add(struct distinct *distinct, const void *bytes, size_t length);

// Counts the things that `part` has counted.
void distinct_unite(struct distinct *sum, const struct distinct *part);

struct distinct_count distinct_count(const struct distinct *distinct);

#endif
