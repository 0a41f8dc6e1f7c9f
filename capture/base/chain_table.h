// SPDX-License-Identifier: Apache-2.0
// A hash table of chains that grows with what is in it, two buckets for each new entry, by linear hashing (Litwin
// 1980): what is looked at stays as small as what is there, and nothing ever waits for the table to grow. It keeps
// neither keys nor entries: an entry has a `struct chained` in it, and whoever looks for one walks the chain.
// Not thread safe: one owner, one table.
#ifndef MAILTAP_CAPTURE_BASE_CHAIN_TABLE_H
#define MAILTAP_CAPTURE_BASE_CHAIN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chained {
	struct chained *next; // in its bucket; newer ones come first
	uint64_t hash;
};

struct chain_table {
	struct chained **buckets; // room for the most there may be; pages nobody uses are never made
	size_t level; // a power of two: the buckets there were before the current doubling
	size_t split; // of them, those that have shared their entries with the bucket `level` behind
	size_t most;
	size_t count; // entries
};

// `most`: buckets there may be in the end, a power of two. False: no memory.
bool chain_table_begin(struct chain_table *table, size_t most);

// Frees the buckets; the entries are their owner's. A table of zeros is allowed.
void chain_table_end(struct chain_table *table);

// Where the chain of this hash begins. Valid until an entry is added.
static inline struct chained **chain_table_bucket(const struct chain_table *table, uint64_t hash)
{
	size_t bucket = hash & (table->level - 1);
	if (bucket < table->split)
		bucket = hash & (2 * table->level - 1);
	return &table->buckets[bucket];
}

// The newest entry with this hash, or behind `chained` the next one in its chain. NULL: there is none.
static inline struct chained *chained_with(struct chained *chained, uint64_t hash)
{
	while (chained != NULL && chained->hash != hash)
		chained = chained->next;
	return chained;
}

// The hash of the entry is set.
void chain_table_add(struct chain_table *table, struct chained *entry);

// It is in the table.
void chain_table_remove(struct chain_table *table, struct chained *entry);

#endif
