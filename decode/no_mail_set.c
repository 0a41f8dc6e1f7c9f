// SPDX-License-Identifier: Apache-2.0
#include "decode/no_mail_set.h"

#include <stdlib.h>
#include <sys/mman.h>

enum {
	BUDGET_SHARE = 128,
	PLACES_MIN = 1 << 10,
};

// A hash stands in the place that its lower bits say, whole: another one there is not taken for it.
struct no_mail_set {
	size_t mask;
	uint64_t *places; // mapped, so that pages nobody uses are never made; 0: empty
};

static size_t place_count(size_t budget)
{
	size_t count = PLACES_MIN;
	while (count * 2 * sizeof(uint64_t) <= budget / BUDGET_SHARE)
		count *= 2;
	return count;
}

struct no_mail_set *no_mail_set_create(size_t budget)
{
	struct no_mail_set *set = malloc(sizeof *set);
	if (set == NULL)
		return NULL;
	size_t count = place_count(budget);
	void *places = mmap(NULL, count * sizeof(uint64_t), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (places == MAP_FAILED) {
		free(set);
		return NULL;
	}
	set->mask = count - 1;
	set->places = places;
	return set;
}

void no_mail_set_destroy(struct no_mail_set *set)
{
	if (set == NULL)
		return;
	munmap(set->places, (set->mask + 1) * sizeof(uint64_t));
	free(set);
}

void no_mail_set_add(struct no_mail_set *set, uint64_t hash)
{
	set->places[hash & set->mask] = hash;
}

void no_mail_set_remove(struct no_mail_set *set, uint64_t hash)
{
	if (no_mail_set_has(set, hash))
		set->places[hash & set->mask] = 0;
}

bool no_mail_set_has(const struct no_mail_set *set, uint64_t hash)
{
	return hash != 0 && set->places[hash & set->mask] == hash;
}

void no_mail_set_prefetch(const struct no_mail_set *set, uint64_t hash)
{
	__builtin_prefetch(&set->places[hash & set->mask]);
}
