// SPDX-License-Identifier: Apache-2.0
#include "analytics/distinct.h"

#include "capture/base/quick_hash.h"

#include <math.h>
#include <stdlib.h>

enum {
	INDEX_BITS = 14,
	REGISTERS = 1 << INDEX_BITS,
	SLOTS_FIRST = 64, // a power of two; at most half of the slots are taken
};

// Things are told apart by a hash whose key nobody knows: two with one hash come once in 2^64 pairs, and
// nobody can bring it about.
struct distinct {
	struct hash_key key;
	size_t exact, count, slot_count;
	uint64_t *slots; // hashes; 0: free. NULL: there were more than `exact`, and
	uint8_t *registers; // the longest run of zeros seen, plus one
};

struct distinct *distinct_create(const struct hash_key *key, size_t exact)
{
	struct distinct *distinct = calloc(1, sizeof *distinct);
	if (distinct == NULL)
		return NULL;
	distinct->key = *key;
	distinct->exact = exact;
	distinct->slot_count = SLOTS_FIRST;
	distinct->slots = calloc(SLOTS_FIRST, sizeof *distinct->slots);
	distinct->registers = calloc(REGISTERS, sizeof *distinct->registers);
	if (distinct->slots != NULL && distinct->registers != NULL)
		return distinct;
	distinct_destroy(distinct);
	return NULL;
}

void distinct_destroy(struct distinct *distinct)
{
	if (distinct == NULL)
		return;
	free(distinct->registers);
	free(distinct->slots);
	free(distinct);
}

static void note(struct distinct *distinct, uint64_t hash)
{
	size_t index = (size_t)(hash >> (64 - INDEX_BITS));
	uint64_t rest = hash << INDEX_BITS | (uint64_t)1 << (INDEX_BITS - 1); // ends every run
	uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);
	if (run > distinct->registers[index])
		distinct->registers[index] = run;
}

// From here on estimated.
static void go_beyond(struct distinct *distinct)
{
	for (size_t i = 0; i < distinct->slot_count; i++)
		if (distinct->slots[i] != 0)
			note(distinct, distinct->slots[i]);
	free(distinct->slots);
	distinct->slots = NULL;
}

// The slot of a hash, or the free one where it belongs.
static uint64_t *slot_of(uint64_t *slots, size_t count, uint64_t hash)
{
	size_t at = (size_t)hash & (count - 1);
	while (slots[at] != 0 && slots[at] != hash)
		at = (at + 1) & (count - 1);
	return &slots[at];
}

static bool grow(struct distinct *distinct)
{
	size_t count = 2 * distinct->slot_count;
	uint64_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < distinct->slot_count; i++)
		if (distinct->slots[i] != 0)
			*slot_of(slots, count, distinct->slots[i]) = distinct->slots[i];
	free(distinct->slots);
	distinct->slots = slots;
	distinct->slot_count = count;
	return true;
}

uint64_t distinct_expect(const struct distinct *distinct, const void *bytes, size_t length)
{
	uint64_t hash = quick_hash(&distinct->key, bytes, length);
	hash += hash == 0;
	if (distinct->slots != NULL)
		__builtin_prefetch(&distinct->slots[hash & (distinct->slot_count - 1)]);
	return hash;
}

void distinct_add(struct distinct *distinct, const void *bytes, size_t length)
{
	distinct_note(distinct, distinct_expect(distinct, bytes, length));
}

void distinct_note(struct distinct *distinct, uint64_t hash)
{
	if (distinct->slots == NULL) {
		note(distinct, hash);
		return;
	}
	uint64_t *slot = slot_of(distinct->slots, distinct->slot_count, hash);
	if (*slot == hash)
		return;
	if (distinct->count == distinct->exact ||
	    (distinct->count == distinct->slot_count / 2 && !grow(distinct))) {
		go_beyond(distinct);
		note(distinct, hash);
		return;
	}
	*slot_of(distinct->slots, distinct->slot_count, hash) = hash;
	distinct->count++;
}

void distinct_unite(struct distinct *sum, const struct distinct *part)
{
	if (part->slots != NULL) {
		for (size_t i = 0; i < part->slot_count; i++)
			if (part->slots[i] != 0)
				distinct_note(sum, part->slots[i]);
		return;
	}
	if (sum->slots != NULL)
		go_beyond(sum);
	for (size_t i = 0; i < REGISTERS; i++)
		if (part->registers[i] > sum->registers[i])
			sum->registers[i] = part->registers[i];
}

static double estimate(const uint8_t registers[REGISTERS])
{
	double sum = 0, registers_in_all = REGISTERS;
	unsigned empty = 0;
	for (size_t i = 0; i < REGISTERS; i++) {
		sum += ldexp(1, -registers[i]);
		empty += registers[i] == 0;
	}
	double bias = 0.7213 / (1 + 1.079 / registers_in_all);
	double raw = bias * registers_in_all * registers_in_all / sum;
	if (raw <= 2.5 * registers_in_all && empty > 0)
		return registers_in_all * log(registers_in_all / empty);
	return raw;
}

struct distinct_count distinct_count(const struct distinct *distinct)
{
	if (distinct->slots != NULL)
		return (struct distinct_count){distinct->count, true, 0};
	return (struct distinct_count){
	    (uint64_t)llround(estimate(distinct->registers)), false, 1.04 / sqrt(REGISTERS)};
}
