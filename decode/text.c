// SPDX-License-Identifier: Apache-2.0
#include "decode/text.h"

#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

struct text_store {
	struct memory *memory;
	struct hash_key key;
	struct chain_table table;
};

struct text_store *text_store_create(
    struct memory *memory, const struct hash_key *key, size_t buckets)
{
	struct text_store *store = calloc(1, sizeof *store);
	if (store == NULL)
		return NULL;
	store->memory = memory;
	store->key = *key;
	if (chain_table_begin(&store->table, buckets))
		return store;
	free(store);
	return NULL;
}

void text_store_destroy(struct text_store *store)
{
	if (store == NULL)
		return;
	chain_table_end(&store->table);
	free(store);
}

static struct text *text_of(struct chained *chained)
{
	return (struct text *)(void *)chained;
}

static struct text *find(
    const struct text_store *store, uint64_t hash, const void *bytes, size_t length)
{
	struct chained *found = chained_with(*chain_table_bucket(&store->table, hash), hash);
	for (; found != NULL; found = chained_with(found->next, hash)) {
		struct text *text = text_of(found);
		if (text->length == length && memcmp(text->bytes, bytes, length) == 0)
			return text;
	}
	return NULL;
}

struct text *text_keep(struct text_store *store, const void *bytes, size_t length)
{
	if (length > TEXT_MAX)
		length = TEXT_MAX;
	if (length == 0)
		bytes = "";
	uint64_t hash = quick_hash(&store->key, bytes, length);
	struct text *text = find(store, hash, bytes, length);
	if (text != NULL) {
		text->references++;
		return text;
	}
	text = memory_take(store->memory, sizeof *text + length);
	if (text == NULL)
		return NULL;
	text->in_store.hash = hash;
	text->references = 1;
	text->length = (uint32_t)length;
	memcpy(text->bytes, bytes, length);
	chain_table_add(&store->table, &text->in_store);
	return text;
}

void text_release(struct text_store *store, struct text *text)
{
	if (text == NULL || --text->references > 0)
		return;
	chain_table_remove(&store->table, &text->in_store);
	memory_give(store->memory, text);
}

struct memory *text_store_memory(const struct text_store *store)
{
	return store->memory;
}

size_t text_store_count(const struct text_store *store)
{
	return store->table.count;
}
