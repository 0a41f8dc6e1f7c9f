// SPDX-License-Identifier: Apache-2.0
#include "analytics/distinct.h"

#include "analytics/bounded_map.h"
#include "capture/base/hash.h"

#include <math.h>
#include <stdlib.h>

enum {
	INDEX_BITS = 14,
	REGISTERS = 1 << INDEX_BITS,
};

struct distinct {
	struct bounded_map *exact;
	bool beyond; // there were more than `exact` holds
	struct hash_key key; // so that nobody can choose what is counted too high
	uint8_t registers[REGISTERS]; // the longest run of zeros seen, plus one
};

struct distinct *distinct_create(size_t exact)
{
	struct distinct *distinct = calloc(1, sizeof *distinct);
	if (distinct == NULL)
		return NULL;
	distinct->key = hash_key_random();
	distinct->exact = bounded_map_create(0, exact);
	if (distinct->exact != NULL)
		return distinct;
	free(distinct);
	return NULL;
}

void distinct_destroy(struct distinct *distinct)
{
	if (distinct == NULL)
		return;
	bounded_map_destroy(distinct->exact);
	free(distinct);
}

void distinct_add(struct distinct *distinct, const void *bytes, size_t length)
{
	uint64_t hash = hash_bytes(&distinct->key, bytes, length);
	size_t index = (size_t)(hash >> (64 - INDEX_BITS));
	uint64_t rest = hash << INDEX_BITS | (uint64_t)1 << (INDEX_BITS - 1); // ends every run
	uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);
	if (run > distinct->registers[index])
		distinct->registers[index] = run;
	if (bounded_map_at(distinct->exact, bytes, length) == NULL)
		distinct->beyond = true;
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
	if (!distinct->beyond)
		return (struct distinct_count){bounded_map_count(distinct->exact), true, 0};
	return (struct distinct_count){
	    (uint64_t)llround(estimate(distinct->registers)), false, 1.04 / sqrt(REGISTERS)};
}
