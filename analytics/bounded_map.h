// SPDX-License-Identifier: Apache-2.0
// A hash table with a limit on its entries, for counting what strangers choose (addresses, names): what
// comes when it is full is refused, and its user counts it as "others". Keys are byte strings, hashed
// with a random key; values are zeroed when new and never move. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_BOUNDED_MAP_H
#define MAILTAP_ANALYTICS_BOUNDED_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bounded_map;

struct map_entry {
	const void *key;
	size_t key_length;
	void *value;
};

// `value_size`: bytes of each value. `most`: entries at most. NULL: no memory.
struct bounded_map *bounded_map_create(size_t value_size, size_t most);
void bounded_map_destroy(struct bounded_map *map); // NULL is allowed

// The value of this key, a new one if there is none. NULL: the map is full (or there is no memory).
void *bounded_map_at(struct bounded_map *map, const void *key, size_t length);

bool bounded_map_has(const struct bounded_map *map, const void *key, size_t length);

size_t bounded_map_count(const struct bounded_map *map);

// The entries in the order in which they came; `index` is below the count.
struct map_entry bounded_map_entry(const struct bounded_map *map, size_t index);

// All entries in the order of `compare`, those that it calls equal in the order of their keys. To be
// freed. NULL: there are none, or no memory.
struct map_entry *bounded_map_sorted(const struct bounded_map *map,
    int (*compare)(const struct map_entry *one, const struct map_entry *other));

#endif
