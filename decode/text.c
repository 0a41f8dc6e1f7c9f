// SPDX-License-Identifier: Apache-2.0
#include "decode/text.h"

#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

struct text_store {
	struct memory *memory;
	struct hash_key key;
	size_t mask, count;
	struct text *buckets[];
};

struct text_store *text_store_create(
    struct memory *memory, const struct hash_key *key, size_t buckets)
{
	struct text_store *store = calloc(1, sizeof *store + buckets * sizeof store->buckets[0]);
	if (store == NULL)
		return NULL;
	store->memory = memory;
	store->key = *key;
	store->mask = buckets - 1;
	return store;
}

void text_store_destroy(struct text_store *store)
{
	free(store);
}

static struct text **bucket_of(struct text_store *store, const void *bytes, size_t length)
{
	return &store->buckets[quick_hash(&store->key, bytes, length) & store->mask];
}

struct text *text_keep(struct text_store *store, const void *bytes, size_t length)
{
	if (length > TEXT_MAX)
		length = TEXT_MAX;
	if (length == 0)
		bytes = "";
	struct text **bucket = bucket_of(store, bytes, length);
	for (struct text *text = *bucket; text != NULL; text = text->next) {
		if (text->length == length && memcmp(text->bytes, bytes, length) == 0) {
			text->references++;
			return text;
		}
	}
	struct text *text = memory_take(store->memory, sizeof *text + length);
	if (text == NULL)
		return NULL;
	text->references = 1;
	text->length = (uint32_t)length;
	memcpy(text->bytes, bytes, length);
	text->next = *bucket;
	*bucket = text;
	store->count++;
	return text;
}

void text_release(struct text_store *store, struct text *text)
{
	if (text == NULL || --text->references > 0)
		return;
	struct text **link = bucket_of(store, text->bytes, text->length);
	while (*link != text)
		link = &(*link)->next;
	*link = text->next;
	store->count--;
	memory_give(store->memory, text, sizeof *text + text->length);
}

struct memory *text_store_memory(const struct text_store *store)
{
	return store->memory;
}

size_t text_store_count(const struct text_store *store)
{
	return store->count;
}
