// SPDX-License-Identifier: Apache-2.0
// A table by hash of what was used last, of a size that is fixed when it is made: where it is full, what was not used for
// longest gives way to what comes, whatever the hashes are. So what is remembered depends on what was seen alone, and
// two runs over the same packets come to the same, although each has hash keys of its own. A value lies behind its key,
// in the order in which it came, so that memory is touched only for what is there.
// Used by leaf_memory.c, path_view.c, alert_limit.c and dns_transactions.c. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_RECENT_TABLE_H
#define MAILTAP_ANALYTICS_RECENT_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct recent_table;

enum recent_taken {
	RECENT_KNOWN,
	RECENT_NEW, // all zero
	RECENT_REPLACED, // the value is that of another key, which is gone
	RECENT_NO_MEMORY,
};

// `entries`: how many at most, at least 1. NULL: no memory.
struct recent_table *recent_table_create(size_t entries, size_t value_size);

// `release`: for each value; NULL: there is nothing to release. NULL for the table is allowed.
void recent_table_destroy(struct recent_table *table, void (*release)(void *value));

// `key`: a keyed hash, so that nobody can bring it about that two share one. NULL: not there. Values do not move.
void *recent_table_find(const struct recent_table *table, uint64_t key);

// As the key's next use. *value: NULL without memory.
enum recent_taken recent_table_take(struct recent_table *table, uint64_t key, void **value);

// What was found was used.
void recent_table_use(struct recent_table *table, uint64_t key);

// The values, in the order in which their places were first taken. NULL: no more than `number`.
void *recent_table_value(const struct recent_table *table, size_t number);

#endif
