// SPDX-License-Identifier: Apache-2.0
#include "analytics/recent_table.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
	ALIGNMENT = 16,
	CHUNK = 256, // entries that are allocated at a time
	NONE = 0, // number of no entry: they begin with 1
};

// An entry; its value lies behind it.
struct recent {
	uint64_t key;
	uint32_t next; // in its bucket
	uint32_t newer, older; // by use
};

enum { HEAD = (sizeof(struct recent) + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1) };

struct recent_table {
	size_t most, bucket_count; // of a power of two
	size_t entry_size;
	uint32_t count;
	uint32_t newest, oldest;
	uint32_t *buckets;
	uint8_t **chunks; // of entries; one is there if an entry in it is
};

struct recent_table *recent_table_create(size_t entries, size_t value_size)
{
	struct recent_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->most = entries;
	table->bucket_count = 1;
	while (table->bucket_count < entries)
		table->bucket_count *= 2;
	table->entry_size = HEAD + ((value_size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
	table->buckets = calloc(table->bucket_count, sizeof *table->buckets);
	table->chunks = calloc(entries / CHUNK + 1, sizeof *table->chunks);
	if (table->buckets != NULL && table->chunks != NULL)
		return table;
	recent_table_destroy(table, NULL);
	return NULL;
}

static struct recent *entry_of(const struct recent_table *table, uint32_t number)
{
	uint32_t index = number - 1;
	void *entry = table->chunks[index / CHUNK] + index % CHUNK * table->entry_size;
	return entry;
}

static void *value_of(struct recent *entry)
{
	return (uint8_t *)entry + HEAD;
}

void *recent_table_value(const struct recent_table *table, size_t number)
{
	return number < table->count ? value_of(entry_of(table, (uint32_t)number + 1)) : NULL;
}

void recent_table_destroy(struct recent_table *table, void (*release)(void *value))
{
	if (table == NULL)
		return;
	for (size_t i = 0; release != NULL && i < table->count; i++)
		release(recent_table_value(table, i));
	for (size_t i = 0; i < table->count; i += CHUNK)
		free(table->chunks[i / CHUNK]);
	free(table->chunks);
	free(table->buckets);
	free(table);
}

/* ---- buckets ---- */

static uint32_t *bucket_of(const struct recent_table *table, uint64_t key)
{
	return &table->buckets[(key >> 1) & (table->bucket_count - 1)];
}

static uint32_t number_of(const struct recent_table *table, uint64_t key)
{
	uint32_t number = *bucket_of(table, key);
	while (number != NONE && entry_of(table, number)->key != key)
		number = entry_of(table, number)->next;
	return number;
}

static void put_into_bucket(struct recent_table *table, uint32_t number, uint64_t key)
{
	struct recent *entry = entry_of(table, number);
	uint32_t *bucket = bucket_of(table, key);
	entry->key = key;
	entry->next = *bucket;
	*bucket = number;
}

static void take_from_bucket(struct recent_table *table, uint32_t number)
{
	uint32_t *link = bucket_of(table, entry_of(table, number)->key);
	while (*link != number)
		link = &entry_of(table, *link)->next;
	*link = entry_of(table, number)->next;
}

/* ---- the order of use ---- */

static void make_newest(struct recent_table *table, uint32_t number)
{
	struct recent *entry = entry_of(table, number);
	entry->newer = NONE;
	entry->older = table->newest;
	if (table->newest != NONE)
		entry_of(table, table->newest)->newer = number;
	else
		table->oldest = number;
	table->newest = number;
}

static void use(struct recent_table *table, uint32_t number)
{
	const struct recent *entry = entry_of(table, number);
	if (table->newest == number)
		return;
	entry_of(table, entry->newer)->older = entry->older;
	if (entry->older != NONE)
		entry_of(table, entry->older)->newer = entry->newer;
	else
		table->oldest = entry->newer;
	make_newest(table, number);
}

/* ---- from outside ---- */

void *recent_table_find(const struct recent_table *table, uint64_t key)
{
	uint32_t number = number_of(table, key);
	return number != NONE ? value_of(entry_of(table, number)) : NULL;
}

void recent_table_use(struct recent_table *table, uint64_t key)
{
	uint32_t number = number_of(table, key);
	if (number != NONE)
		use(table, number);
}

// An entry that was never used. NONE: no memory.
static uint32_t add_entry(struct recent_table *table)
{
	uint8_t **chunk = &table->chunks[table->count / CHUNK];
	if (table->count % CHUNK == 0) {
		*chunk = calloc(CHUNK, table->entry_size);
		if (*chunk == NULL)
			return NONE;
	}
	uint32_t number = ++table->count;
	make_newest(table, number);
	return number;
}

enum recent_taken recent_table_take(struct recent_table *table, uint64_t key, void **value)
{
	uint32_t number = number_of(table, key);
	enum recent_taken taken = RECENT_KNOWN;
	*value = NULL;
	if (number == NONE) {
		bool full = table->count == table->most;
		taken = full ? RECENT_REPLACED : RECENT_NEW;
		number = full ? table->oldest : add_entry(table);
		if (number == NONE)
			return RECENT_NO_MEMORY;
		if (full)
			take_from_bucket(table, number);
		put_into_bucket(table, number, key);
	}
	use(table, number);
	*value = value_of(entry_of(table, number));
	return taken;
}
