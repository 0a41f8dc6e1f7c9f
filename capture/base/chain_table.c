// SPDX-License-Identifier: Apache-2.0
#include "capture/base/chain_table.h"

#include <sys/mman.h>

enum {
	BUCKETS_FIRST = 1 << 10,
	BUCKETS_EACH = 2, // for an entry: so that the first one of a chain is mostly the one that is looked for
};

bool chain_table_begin(struct chain_table *table, size_t most)
{
	void *buckets = mmap(NULL, most * sizeof table->buckets[0], PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*table = (struct chain_table){.buckets = NULL};
	if (buckets == MAP_FAILED)
		return false;
	table->buckets = buckets;
	table->level = most < BUCKETS_FIRST ? most : BUCKETS_FIRST;
	table->most = most;
	return true;
}

void chain_table_end(struct chain_table *table)
{
	if (table->buckets != NULL)
		(void)munmap(table->buckets, table->most * sizeof table->buckets[0]);
	table->buckets = NULL;
}

// The next bucket in turn shares its entries with a new one. Both keep the order.
static void split_bucket(struct chain_table *table)
{
	struct chained **low = &table->buckets[table->split], **high = low + table->level;
	for (struct chained *entry = *low; entry != NULL; entry = entry->next) {
		struct chained ***end = entry->hash & table->level ? &high : &low;
		**end = entry;
		*end = &entry->next;
	}
	*low = *high = NULL;
	if (++table->split < table->level)
		return;
	table->level *= 2;
	table->split = 0;
}

void chain_table_add(struct chain_table *table, struct chained *entry)
{
	struct chained **bucket = chain_table_bucket(table, entry->hash);
	entry->next = *bucket;
	*bucket = entry;
	table->count++;
	for (int i = 0; i < BUCKETS_EACH; i++) {
		size_t buckets = table->level + table->split;
		if (buckets < BUCKETS_EACH * table->count && buckets < table->most)
			split_bucket(table);
	}
}

void chain_table_remove(struct chain_table *table, struct chained *entry)
{
	struct chained **link = chain_table_bucket(table, entry->hash);
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	table->count--;
}
