// SPDX-License-Identifier: Apache-2.0
#include "decode/looks.h"

#include <stdlib.h>

enum {
	TTL_TOLERANCE = 1,
	COUNTED_MIN = 4, // IP IDs that must count up before one can be out of their row
	COUNTED_STEP_MAX = 256, // between two segments: the sender has other connections too
	FAR_OFF = 8192, // what such a row does not jump
};

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

// The i-th oldest of those kept.
static const struct sighting *at(const struct looks *looks, unsigned i)
{
	unsigned oldest = looks->newest + 1u + LOOKS_KEPT - looks->count;
	return &looks->ring[(oldest + i) % LOOKS_KEPT];
}

void looks_note(struct looks *looks, const struct sighting *sighting)
{
	bool instead =
	    sighting->length == 0 && looks->count > 0 && looks->ring[looks->newest].length == 0;
	if (!instead) {
		looks->newest = (uint8_t)((looks->newest + 1u) % LOOKS_KEPT);
		looks->count = (uint8_t)(looks->count + (looks->count < LOOKS_KEPT));
	}
	looks->ring[looks->newest] = *sighting;
}

static bool overlaps(const struct sighting *sighting, uint32_t sequence, uint32_t end)
{
	return sighting->length > 0 && after(end, sighting->sequence) &&
	       after(sighting->sequence + sighting->length, sequence);
}

// The segment that brought this byte.
static const struct sighting *bringer(const struct looks *looks, uint32_t sequence)
{
	for (unsigned i = 0; i < looks->count; i++)
		if (overlaps(at(looks, i), sequence, sequence + 1))
			return at(looks, i);
	return NULL;
}

const struct sighting *looks_of(const struct looks *looks, uint32_t sequence, uint32_t end)
{
	const struct sighting *first = bringer(looks, sequence), *last = first;
	while (last != NULL && after(end, last->sequence + last->length))
		last = bringer(looks, last->sequence + last->length);
	return last != NULL ? first : NULL;
}

// The looks of a direction but for those of the segments that are in question.
struct rest {
	unsigned count;
	struct segment_look looks[LOOKS_KEPT]; // oldest first
};

static struct rest rest_of(const struct looks *looks, uint32_t sequence, uint32_t end)
{
	struct rest rest = {.count = 0};
	for (unsigned i = 0; i < looks->count; i++)
		if (!overlaps(at(looks, i), sequence, end))
			rest.looks[rest.count++] = at(looks, i)->look;
	return rest;
}

static bool same_ttl(const struct rest *rest)
{
	for (unsigned i = 1; i < rest->count; i++)
		if (rest->looks[i].ttl != rest->looks[0].ttl)
			return false;
	return rest->count > 0;
}

static int distance(uint16_t a, uint16_t b)
{
	return abs((int16_t)(uint16_t)(a - b));
}

static bool count_up(const struct rest *rest)
{
	for (unsigned i = 1; i < rest->count; i++) {
		int step = distance(rest->looks[i].ip_id, rest->looks[i - 1].ip_id);
		if (step == 0 || step > COUNTED_STEP_MAX)
			return false;
	}
	return rest->count >= COUNTED_MIN;
}

static bool ttl_off(const struct segment_look *look, const struct segment_look *usual)
{
	return abs(look->ttl - usual->ttl) > TTL_TOLERANCE;
}

static bool id_off(const struct segment_look *look, const struct segment_look *usual)
{
	return distance(look->ip_id, usual->ip_id) > FAR_OFF;
}

bool looks_unlike(const struct looks *looks, uint32_t sequence, uint32_t end,
    const struct segment_look *first, const struct segment_look *second, struct segment_look *usual)
{
	struct rest rest = rest_of(looks, sequence, end);
	*usual = (struct segment_look){.ttl = 0};
	if (rest.count == 0)
		return false;
	*usual = rest.looks[rest.count - 1];
	return (same_ttl(&rest) && ttl_off(first, usual) != ttl_off(second, usual)) ||
	       (count_up(&rest) && id_off(first, usual) != id_off(second, usual));
}
