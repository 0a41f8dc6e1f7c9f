// SPDX-License-Identifier: Apache-2.0
// A table by hash of what was used last, of a size that is fixed when it is made: each key belongs to one
// place of four, and where a fifth comes, the one of them that was not used for longest gives way. The four keys
// of a place share one cache line, in the order of their use; values lie elsewhere, in the order in which
// they came, so that memory is touched only for what is there.
// Used by leaf_memory.c and path_view.c. Owned by one thread.
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

// `entries`: how many at most, rounded up to a power of two. NULL: no memory.
struct recent_table *recent_table_create(size_t entries, size_t value_size);

// `release`: for each value; NULL: there is nothing to release. NULL for the table is allowed.
void recent_table_destroy(struct recent_table *table, void (*release)(void *value));

// `key`: a keyed hash, so that nobody can bring it about that two share one; never 0. NULL: not there.
// Values do not move.
void *recent_table_find(const struct recent_table *table, uint64_t key);

// As the key's next use. *value: NULL without memory.
enum recent_taken recent_table_take(struct recent_table *table, uint64_t key, void **value);

// What was found was used.
void recent_table_use(struct recent_table *table, uint64_t key);

#endif
