// SPDX-License-Identifier: Apache-2.0
// A table by hash that holds no more than a given number of entries, for memories of what strangers do.
// What was not used for longest gives way first, but in two classes: entries that have proved to be worth
// keeping (settled) give way only to each other and hold at most seven eighths of the room, so that a
// flood of newcomers pushes out newcomers, and there is always room for new ones.
//
// Intrusive: entries begin with a struct bounded_node, and belong to the caller. Used by
// server_memory.c, server_baseline.c and client_memory.c. Not thread safe.
#ifndef MAILTAP_ANALYTICS_BOUNDED_TABLE_H
#define MAILTAP_ANALYTICS_BOUNDED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bounded_node {
	struct bounded_node *bucket_next, *newer, *older;
	uint64_t key;
	bool settled;
};

struct bounded_table;

// `most`: entries, at least 1. NULL: no memory.
struct bounded_table *bounded_table_create(size_t most);
// Frees the table, not the entries. NULL is allowed.
void bounded_table_destroy(struct bounded_table *table);

// `key`: a keyed hash, so that nobody can make two entries share one. NULL: not there.
struct bounded_node *bounded_table_find(const struct bounded_table *table, uint64_t key);

// The entry that has to be removed before another is added; NULL: there is room.
struct bounded_node *bounded_table_victim(const struct bounded_table *table);

// Adds an entry as the newest, not settled. There must be room, and no entry with this key.
void bounded_table_add(struct bounded_table *table, struct bounded_node *node, uint64_t key);
void bounded_table_remove(struct bounded_table *table, struct bounded_node *node);

// The entry was used: it is the newest of its class.
void bounded_table_use(struct bounded_table *table, struct bounded_node *node);

// The entry is worth keeping. Where the settled ones are too many, the oldest of them is a newcomer again.
void bounded_table_settle(struct bounded_table *table, struct bounded_node *node);

// The entry of a class that was not used for longest; NULL: there is none.
struct bounded_node *bounded_table_oldest(const struct bounded_table *table, bool settled);

// All entries: newcomers and then settled ones, each from the oldest on. `node` NULL: the first one.
// NULL: no more.
struct bounded_node *bounded_table_next(
    const struct bounded_table *table, const struct bounded_node *node);

size_t bounded_table_count(const struct bounded_table *table);

#endif
