// SPDX-License-Identifier: Apache-2.0
#include "analytics/bounded_table.h"

#include <stdlib.h>

struct class
{
	struct bounded_node *oldest, *newest;
	size_t count;
};

struct bounded_table {
	size_t most, most_settled;
	struct class classes[2]; // newcomers, settled
	size_t bucket_count; // a power of two, about as many as there are entries: few stay in the cache
	struct bounded_node **buckets;
};

enum { BUCKETS_FIRST = 64 };

struct bounded_table *bounded_table_create(size_t most)
{
	struct bounded_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->most = most;
	table->most_settled = most - (most + 7) / 8;
	table->bucket_count = BUCKETS_FIRST;
	table->buckets = calloc(BUCKETS_FIRST, sizeof(struct bounded_node *));
	if (table->buckets != NULL)
		return table;
	free(table);
	return NULL;
}

void bounded_table_destroy(struct bounded_table *table)
{
	if (table != NULL)
		free(table->buckets);
	free(table);
}

static struct bounded_node **bucket_of(const struct bounded_table *table, uint64_t key)
{
	return &table->buckets[key & (table->bucket_count - 1)];
}

struct bounded_node *bounded_table_find(const struct bounded_table *table, uint64_t key)
{
	struct bounded_node *node = *bucket_of(table, key);
	while (node != NULL && node->key != key)
		node = node->bucket_next;
	return node;
}

size_t bounded_table_count(const struct bounded_table *table)
{
	return table->classes[false].count + table->classes[true].count;
}

struct bounded_node *bounded_table_oldest(const struct bounded_table *table, bool settled)
{
	return table->classes[settled].oldest;
}

struct bounded_node *bounded_table_victim(const struct bounded_table *table)
{
	if (bounded_table_count(table) < table->most)
		return NULL;
	struct bounded_node *newcomer = table->classes[false].oldest;
	return newcomer != NULL ? newcomer : table->classes[true].oldest;
}

static void enqueue(struct bounded_table *table, struct bounded_node *node)
{
	struct class *class = &table->classes[node->settled];
	node->newer = NULL;
	node->older = class->newest;
	if (class->newest != NULL)
		class->newest->newer = node;
	else
		class->oldest = node;
	class->newest = node;
	class->count++;
}

static void dequeue(struct bounded_table *table, struct bounded_node *node)
{
	struct class *class = &table->classes[node->settled];
	if (node->newer != NULL)
		node->newer->older = node->older;
	else
		class->newest = node->older;
	if (node->older != NULL)
		node->older->newer = node->newer;
	else
		class->oldest = node->newer;
	class->count--;
}

// As many buckets again. Without memory the lists in them become longer.
static void grow(struct bounded_table *table)
{
	size_t count = table->bucket_count;
	struct bounded_node **old = table->buckets;
	struct bounded_node **larger = calloc(2 * count, sizeof(struct bounded_node *));
	if (larger == NULL)
		return;
	table->buckets = larger;
	table->bucket_count = 2 * count;
	for (size_t i = 0; i < count; i++) {
		for (struct bounded_node *node = old[i]; node != NULL;) {
			struct bounded_node *next = node->bucket_next;
			struct bounded_node **bucket = bucket_of(table, node->key);
			node->bucket_next = *bucket;
			*bucket = node;
			node = next;
		}
	}
	free(old);
}

void bounded_table_add(struct bounded_table *table, struct bounded_node *node, uint64_t key)
{
	if (bounded_table_count(table) >= table->bucket_count)
		grow(table);
	struct bounded_node **bucket = bucket_of(table, key);
	node->key = key;
	node->settled = false;
	node->bucket_next = *bucket;
	*bucket = node;
	enqueue(table, node);
}

void bounded_table_remove(struct bounded_table *table, struct bounded_node *node)
{
	struct bounded_node **link = bucket_of(table, node->key);
	while (*link != node)
		link = &(*link)->bucket_next;
	*link = node->bucket_next;
	dequeue(table, node);
}

void bounded_table_use(struct bounded_table *table, struct bounded_node *node)
{
	dequeue(table, node);
	enqueue(table, node);
}

void bounded_table_settle(struct bounded_table *table, struct bounded_node *node)
{
	if (node->settled || table->most_settled == 0)
		return;
	dequeue(table, node);
	node->settled = true;
	enqueue(table, node);
	if (table->classes[true].count <= table->most_settled)
		return;
	struct bounded_node *oldest = table->classes[true].oldest;
	dequeue(table, oldest);
	oldest->settled = false;
	enqueue(table, oldest);
}

struct bounded_node *bounded_table_next(
    const struct bounded_table *table, const struct bounded_node *node)
{
	if (node != NULL && (node->newer != NULL || node->settled))
		return node->newer;
	struct bounded_node *newcomer = node == NULL ? table->classes[false].oldest : NULL;
	return newcomer != NULL ? newcomer : table->classes[true].oldest;
}
