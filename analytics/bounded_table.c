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
	size_t mask;
	struct bounded_node *buckets[];
};

struct bounded_table *bounded_table_create(size_t most)
{
	size_t buckets = 1;
	while (buckets < most)
		buckets *= 2;
	struct bounded_table *table = calloc(1, sizeof *table + buckets * sizeof table->buckets[0]);
	if (table == NULL)
		return NULL;
	table->most = most;
	table->most_settled = most - (most + 7) / 8;
	table->mask = buckets - 1;
	return table;
}

void bounded_table_destroy(struct bounded_table *table)
{
	free(table);
}

struct bounded_node *bounded_table_find(const struct bounded_table *table, uint64_t key)
{
	struct bounded_node *node = table->buckets[key & table->mask];
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

void bounded_table_add(struct bounded_table *table, struct bounded_node *node, uint64_t key)
{
	struct bounded_node **bucket = &table->buckets[key & table->mask];
	node->key = key;
	node->settled = false;
	node->bucket_next = *bucket;
	*bucket = node;
	enqueue(table, node);
}

void bounded_table_remove(struct bounded_table *table, struct bounded_node *node)
{
	struct bounded_node **link = &table->buckets[node->key & table->mask];
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
