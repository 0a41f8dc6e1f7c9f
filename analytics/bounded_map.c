// SPDX-License-Identifier: Apache-2.0
#include "analytics/bounded_map.h"

#include "capture/base/quick_hash.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOTS_FIRST = 64, // a power of two; at most half of the slots are taken
	CHUNK_FIRST = 1024, // bytes of entries that are allocated at a time, doubled each time
	CHUNK_MOST = 256 * 1024,
	ALIGNMENT = 16,
};

struct entry {
	size_t key_length;
	alignas(ALIGNMENT) uint8_t bytes[]; // the value, then the key
};

// Entries are never given back one by one: they lie side by side, and need no malloc each.
struct chunk {
	struct chunk *next;
	alignas(ALIGNMENT) uint8_t bytes[];
};

// `hash` is the part of it that tells slots apart without a look at their entries.
struct slot {
	uint32_t hash;
	uint32_t entry; // its index plus one; 0: free
};

struct bounded_map {
	struct hash_key key;
	size_t value_size, most, count;
	struct entry **entries; // in the order in which they came; as many as half the slots
	struct slot *slots;
	size_t slot_count;
	struct chunk *chunks; // the newest first
	size_t chunk_used, chunk_size; // bytes of the newest
};

static bool allocate(struct bounded_map *map, size_t slots)
{
	struct entry **entries = realloc(map->entries, slots / 2 * sizeof(struct entry *));
	if (entries == NULL)
		return false;
	map->entries = entries;
	struct slot *fresh = calloc(slots, sizeof *fresh);
	if (fresh == NULL)
		return false;
	for (size_t i = 0; i < map->slot_count; i++) {
		if (map->slots[i].entry == 0)
			continue;
		size_t at = map->slots[i].hash & (slots - 1);
		while (fresh[at].entry != 0)
			at = (at + 1) & (slots - 1);
		fresh[at] = map->slots[i];
	}
	free(map->slots);
	map->slots = fresh;
	map->slot_count = slots;
	return true;
}

struct bounded_map *bounded_map_create(size_t value_size, size_t most)
{
	struct bounded_map *map = calloc(1, sizeof *map);
	if (map == NULL)
		return NULL;
	map->key = hash_key_random();
	map->value_size = value_size;
	map->most = most < UINT32_MAX ? most : UINT32_MAX - 1;
	if (allocate(map, SLOTS_FIRST))
		return map;
	bounded_map_destroy(map);
	return NULL;
}

void bounded_map_destroy(struct bounded_map *map)
{
	if (map == NULL)
		return;
	while (map->chunks != NULL) {
		struct chunk *chunk = map->chunks;
		map->chunks = chunk->next;
		free(chunk);
	}
	free(map->entries);
	free(map->slots);
	free(map);
}

static uint8_t *key_of(const struct bounded_map *map, struct entry *entry)
{
	return entry->bytes + map->value_size;
}

static uint32_t hash_of(const struct bounded_map *map, const void *key, size_t length)
{
	return (uint32_t)quick_hash(&map->key, key, length);
}

// The slot of this key, or the free one where it belongs.
static struct slot *slot_of(
    const struct bounded_map *map, uint32_t hash, const void *key, size_t length)
{
	size_t at = hash & (map->slot_count - 1);
	for (; map->slots[at].entry != 0; at = (at + 1) & (map->slot_count - 1)) {
		if (map->slots[at].hash != hash)
			continue;
		struct entry *entry = map->entries[map->slots[at].entry - 1];
		if (entry->key_length == length && memcmp(key_of(map, entry), key, length) == 0)
			break;
	}
	return &map->slots[at];
}

// Room for an entry of this size, cleared. NULL: no memory.
static struct entry *carve(struct bounded_map *map, size_t size)
{
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	if (map->chunks == NULL || map->chunk_size - map->chunk_used < size) {
		size_t wanted = map->chunks == NULL ? CHUNK_FIRST : 2 * map->chunk_size;
		wanted = wanted < CHUNK_MOST ? wanted : CHUNK_MOST;
		wanted = wanted > size ? wanted : size;
		struct chunk *chunk = calloc(1, sizeof *chunk + wanted);
		if (chunk == NULL)
			return NULL;
		chunk->next = map->chunks;
		map->chunks = chunk;
		map->chunk_size = wanted;
		map->chunk_used = 0;
	}
	struct entry *entry = (void *)(map->chunks->bytes + map->chunk_used);
	map->chunk_used += size;
	return entry;
}

static struct entry *add(
    struct bounded_map *map, struct slot *slot, uint32_t hash, const void *key, size_t length)
{
	struct entry *entry = carve(map, sizeof *entry + map->value_size + length);
	if (entry == NULL)
		return NULL;
	entry->key_length = length;
	memcpy(key_of(map, entry), key, length);
	map->entries[map->count++] = entry;
	*slot = (struct slot){hash, (uint32_t)map->count};
	return entry;
}

void *bounded_map_at(struct bounded_map *map, const void *key, size_t length)
{
	uint32_t hash = hash_of(map, key, length);
	struct slot *slot = slot_of(map, hash, key, length);
	if (slot->entry != 0)
		return map->entries[slot->entry - 1]->bytes;
	if (map->count == map->most)
		return NULL;
	if (map->count == map->slot_count / 2) {
		if (!allocate(map, 2 * map->slot_count))
			return NULL;
		slot = slot_of(map, hash, key, length);
	}
	struct entry *entry = add(map, slot, hash, key, length);
	return entry != NULL ? entry->bytes : NULL;
}

bool bounded_map_has(const struct bounded_map *map, const void *key, size_t length)
{
	return slot_of(map, hash_of(map, key, length), key, length)->entry != 0;
}

size_t bounded_map_count(const struct bounded_map *map)
{
	return map->count;
}

struct map_entry bounded_map_entry(const struct bounded_map *map, size_t index)
{
	struct entry *entry = map->entries[index];
	return (struct map_entry){key_of(map, entry), entry->key_length, entry->bytes};
}

typedef int compare_entries(const struct map_entry *one, const struct map_entry *other);

struct order {
	compare_entries *compare;
};

static int compare_in_order(const void *a, const void *b, void *context)
{
	const struct map_entry *one = a, *other = b;
	const struct order *order = context;
	int result = order->compare(one, other);
	if (result != 0)
		return result;
	size_t shared = one->key_length < other->key_length ? one->key_length : other->key_length;
	result = memcmp(one->key, other->key, shared);
	return result != 0
	           ? result
	           : (one->key_length > other->key_length) - (one->key_length < other->key_length);
}

struct map_entry *bounded_map_sorted(const struct bounded_map *map, compare_entries *compare)
{
	struct order order = {compare};
	struct map_entry *entries = map->count > 0 ? malloc(map->count * sizeof *entries) : NULL;
	if (entries == NULL)
		return NULL;
	for (size_t i = 0; i < map->count; i++)
		entries[i] = bounded_map_entry(map, i);
	qsort_r(entries, map->count, sizeof *entries, compare_in_order, &order);
	return entries;
}
