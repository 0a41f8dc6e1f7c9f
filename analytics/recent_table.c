// SPDX-License-Identifier: Apache-2.0
#include "analytics/recent_table.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 4, // entries whose keys share a place
	CACHE_LINE = 64,
	ALIGNMENT = 16,
	CHUNK = 256, // values that are allocated at a time
};

struct place {
	alignas(CACHE_LINE) uint64_t keys[WAYS]; // the one used last first; 0: free
	uint32_t values[WAYS]; // their numbers
};

struct recent_table {
	size_t place_count; // a power of two
	size_t value_size;
	uint32_t value_count;
	struct place *places;
	uint8_t **chunks; // of values; one is there if a value in it is
};

struct recent_table *recent_table_create(size_t entries, size_t value_size)
{
	struct recent_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->place_count = 1;
	while (table->place_count * WAYS < entries)
		table->place_count *= 2;
	table->value_size = (value_size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	table->places = aligned_alloc(CACHE_LINE, table->place_count * sizeof *table->places);
	table->chunks = calloc(table->place_count * WAYS / CHUNK + 1, sizeof *table->chunks);
	if (table->places == NULL || table->chunks == NULL) {
		recent_table_destroy(table, NULL);
		return NULL;
	}
	memset(table->places, 0, table->place_count * sizeof *table->places);
	return table;
}

static void *value_of(const struct recent_table *table, uint32_t number)
{
	return table->chunks[number / CHUNK] + number % CHUNK * table->value_size;
}

void recent_table_destroy(struct recent_table *table, void (*release)(void *value))
{
	if (table == NULL)
		return;
	for (uint32_t i = 0; release != NULL && i < table->value_count; i++)
		release(value_of(table, i));
	for (uint32_t i = 0; i < table->value_count; i += CHUNK)
		free(table->chunks[i / CHUNK]);
	free(table->chunks);
	free(table->places);
	free(table);
}

static struct place *place_of(const struct recent_table *table, uint64_t key)
{
	return &table->places[(key >> 1) & (table->place_count - 1)];
}

// Which of the four; WAYS: none.
static unsigned way_of(const struct place *place, uint64_t key)
{
	unsigned way = 0;
	while (way < WAYS && place->keys[way] != key)
		way++;
	return way;
}

static void move_to_front(struct place *place, unsigned way)
{
	uint64_t key = place->keys[way];
	uint32_t value = place->values[way];
	for (; way > 0; way--) {
		place->keys[way] = place->keys[way - 1];
		place->values[way] = place->values[way - 1];
	}
	place->keys[0] = key;
	place->values[0] = value;
}

void *recent_table_find(const struct recent_table *table, uint64_t key)
{
	const struct place *place = place_of(table, key);
	unsigned way = way_of(place, key);
	return way < WAYS ? value_of(table, place->values[way]) : NULL;
}

void recent_table_use(struct recent_table *table, uint64_t key)
{
	struct place *place = place_of(table, key);
	unsigned way = way_of(place, key);
	if (way < WAYS)
		move_to_front(place, way);
}

// A value that was never used. False: no memory.
static bool add_value(struct recent_table *table, uint32_t *number)
{
	uint8_t **chunk = &table->chunks[table->value_count / CHUNK];
	if (table->value_count % CHUNK == 0) {
		*chunk = calloc(CHUNK, table->value_size);
		if (*chunk == NULL)
			return false;
	}
	*number = table->value_count++;
	return true;
}

enum recent_taken recent_table_take(struct recent_table *table, uint64_t key, void **value)
{
	struct place *place = place_of(table, key);
	unsigned way = way_of(place, key);
	enum recent_taken taken = RECENT_KNOWN;
	*value = NULL;
	if (way == WAYS) {
		way = way_of(place, 0); // free ones are behind the others
		taken = way < WAYS ? RECENT_NEW : RECENT_REPLACED;
		if (way == WAYS)
			way = WAYS - 1;
		else if (!add_value(table, &place->values[way]))
			return RECENT_NO_MEMORY;
		place->keys[way] = key;
	}
	*value = value_of(table, place->values[way]);
	move_to_front(place, way);
	return taken;
}
