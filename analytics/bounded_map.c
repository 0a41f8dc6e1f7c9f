// SPDX-License-Identifier: Apache-2.0
#include "analytics/bounded_map.h"

#include "capture/base/hash.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 64 }; // a power of two; at most half of the slots are taken

struct entry {
	uint64_t hash;
	size_t key_length;
	alignas(16) uint8_t bytes[]; // the value, then the key
};

struct bounded_map {
	struct hash_key key;
	size_t value_size, most, count;
	struct entry **entries; // in the order in which they came; as many as half the slots
	uint32_t *slots; // index of an entry plus one; 0: free
	size_t slot_count;
};

static bool allocate(struct bounded_map *map, size_t slots)
{
	struct entry **entries = realloc(map->entries, slots / 2 * sizeof(struct entry *));
	if (entries == NULL)
		return false;
	map->entries = entries;
	uint32_t *fresh = calloc(slots, sizeof *fresh);
	if (fresh == NULL)
		return false;
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
	for (size_t i = 0; i < map->count; i++)
		free(map->entries[i]);
	free(map->entries);
	free(map->slots);
	free(map);
}

static void *key_of(const struct bounded_map *map, struct entry *entry)
{
	return entry->bytes + map->value_size;
}

// The slot of this key, or the free one where it belongs.
static uint32_t *slot_of(
    const struct bounded_map *map, uint64_t hash, const void *key, size_t length)
{
	size_t at = (size_t)hash & (map->slot_count - 1);
	for (; map->slots[at] != 0; at = (at + 1) & (map->slot_count - 1)) {
		struct entry *entry = map->entries[map->slots[at] - 1];
		if (entry->hash == hash && entry->key_length == length &&
		    memcmp(key_of(map, entry), key, length) == 0)
			break;
	}
	return &map->slots[at];
}

static bool grow(struct bounded_map *map)
{
	if (!allocate(map, 2 * map->slot_count))
		return false;
	for (size_t i = 0; i < map->count; i++) {
		size_t at = (size_t)map->entries[i]->hash & (map->slot_count - 1);
		while (map->slots[at] != 0)
			at = (at + 1) & (map->slot_count - 1);
		map->slots[at] = (uint32_t)i + 1;
	}
	return true;
}

static struct entry *add(
    struct bounded_map *map, uint32_t *slot, uint64_t hash, const void *key, size_t length)
{
	struct entry *entry = malloc(sizeof *entry + map->value_size + length);
	if (entry == NULL)
		return NULL;
	entry->hash = hash;
	entry->key_length = length;
	memset(entry->bytes, 0, map->value_size);
	memcpy(key_of(map, entry), key, length);
	map->entries[map->count++] = entry;
	*slot = (uint32_t)map->count;
	return entry;
}

void *bounded_map_at(struct bounded_map *map, const void *key, size_t length)
{
	uint64_t hash = hash_bytes(&map->key, key, length);
	uint32_t *slot = slot_of(map, hash, key, length);
	if (*slot != 0)
		return map->entries[*slot - 1]->bytes;
	if (map->count == map->most)
		return NULL;
	if (map->count == map->slot_count / 2) {
		if (!grow(map))
			return NULL;
		slot = slot_of(map, hash, key, length);
	}
	struct entry *entry = add(map, slot, hash, key, length);
	return entry != NULL ? entry->bytes : NULL;
}

bool bounded_map_has(const struct bounded_map *map, const void *key, size_t length)
{
	return *slot_of(map, hash_bytes(&map->key, key, length), key, length) != 0;
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
