// SPDX-License-Identifier: Apache-2.0
// Texts and other byte strings that sessions remember (banners, names, capability lists, chains of
// hashes), each distinct one kept once and counted: a server greets a million sessions with the same
// words. Owns the bytes, from the worker's memory. One worker, one store; not thread safe.
#ifndef MAILTAP_DECODE_TEXT_H
#define MAILTAP_DECODE_TEXT_H

#include "capture/base/chain_table.h"
#include "capture/base/hash.h"
#include "capture/base/memory.h"

struct text_store;

struct text {
	struct chained in_store;
	uint32_t references;
	uint32_t length;   // bytes; not terminated
	uint8_t bytes[];
};

enum { TEXT_MAX = 16 * 1024 }; // bytes; longer texts are cut

// `buckets`: a power of two; the most there will be, about one per text expected. NULL: no memory.
struct text_store *text_store_create(
    struct memory *memory, const struct hash_key *key, size_t buckets);
void text_store_destroy(struct text_store *store);

// The stored copy of these bytes, with one more reference. NULL: the memory's budget is used up.
struct text *text_keep(struct text_store *store, const void *bytes, size_t length);

// Gives one reference back; NULL is allowed.
void text_release(struct text_store *store, struct text *text);

// The memory that the texts come from.
struct memory *text_store_memory(const struct text_store *store);

// How many distinct texts are kept now.
size_t text_store_count(const struct text_store *store);

#endif
