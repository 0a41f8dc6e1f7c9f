// SPDX-License-Identifier: Apache-2.0
// The last segments in the order in which they came, in a ring, and for each of many places where the newest of
// it stands; from there each one tells how far back the next older one of its place is (as deflate finds what
// came before). So what is known does not depend on the key: records of a capture are the same in each run.
#include "decode/duplicates.h"

#include "capture/base/prefetch.h"
#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINE = 64, // bytes of the cache
	REMEMBERED = 8192, // segments; a power of two
	PLACE_BITS = 15, // four places for each: so that mostly none came before at the same one
	PLACES = 1 << PLACE_BITS,
	STEPS = 16, // of those of one place: so many are only alike
	TICK = 1024, // nanoseconds
	NOT_READ = 0,
};

struct sight {
	uint64_t mark; // of what its headers say
	uint32_t bytes; // of its bytes, where they matter; else NOT_READ
	// When; wraps after an hour, and what is in the table then is long gone or counts for nothing.
	uint32_t ticks;
	// By so many the next older one of its place came before it; 0, or too far: there is none.
	uint32_t back;
};

struct duplicates {
	// By place, the newest one's number among all that were remembered, which wraps; 0 at first.
	uint32_t newest[PLACES];
	struct sight sights[REMEMBERED]; // by their number
	uint32_t count; // remembered, ever; the first one has number 1
	struct hash_key key;
};

struct duplicates *duplicates_create(const struct hash_key *key)
{
	struct duplicates *duplicates =
	    aligned_alloc(LINE, (sizeof *duplicates + LINE - 1) / LINE * LINE);
	if (duplicates == NULL)
		return NULL;
	memset(duplicates, 0, sizeof *duplicates);
	duplicates->key = *key;
	return duplicates;
}

void duplicates_destroy(struct duplicates *duplicates)
{
	free(duplicates);
}

static uint64_t pair(uint32_t high, uint32_t low)
{
	return (uint64_t)high << 32 | low;
}

// Of what a segment and its copy have in common.
static uint64_t mark_of(const struct hash_key *key, const struct segment *segment)
{
	const uint64_t appearance[] = {
	    segment->hash,
	    pair(segment->sequence, segment->acknowledgement),
	    pair(segment->length, segment->captured),
	    pair(segment->context.tap_point, (uint32_t)segment->window << 16 | segment->ip_id),
	    pair(segment->checksum, (uint32_t)segment->flags << 8 | segment->sender),
	};
	return quick_hash(key, appearance, sizeof appearance) | 1;
}

// Cheaper than the mark, so that it can be asked for ahead; as spread, as nobody knows the connection's hash.
static size_t place_of(const struct segment *segment)
{
	uint64_t place = pair(segment->sequence, segment->acknowledgement);
	return (place ^ segment->hash) * 0x9e3779b97f4a7c15u >> (64 - PLACE_BITS);
}

void duplicates_prefetch(const struct duplicates *duplicates, const struct segment *segment)
{
	__builtin_prefetch(&duplicates->newest[place_of(segment)], 1);
}

void duplicates_prefetch_newest(const struct duplicates *duplicates, const struct segment *segment)
{
	uint32_t newest = duplicates->newest[place_of(segment)];
	prefetch(&duplicates->sights[newest % REMEMBERED], sizeof *duplicates->sights);
}

// In the place of the one that came longest ago.
static void remember(struct duplicates *duplicates, size_t place, struct sight sight)
{
	uint32_t number = ++duplicates->count;
	sight.back = number - duplicates->newest[place];
	duplicates->sights[number % REMEMBERED] = sight;
	duplicates->newest[place] = number;
}

static uint32_t mark_of_bytes(const struct duplicates *duplicates, const struct segment *segment)
{
	return (uint32_t)quick_hash(&duplicates->key, segment->payload, segment->captured) | 1;
}

// Where they mattered when it came: it may have been the last that was read.
static bool has_same_bytes(
    const struct duplicates *duplicates, const struct sight *sight, const struct segment *segment)
{
	return sight->bytes == NOT_READ || sight->bytes == mark_of_bytes(duplicates, segment);
}

static bool always_look_alike(const struct segment *segment)
{
	return (segment->flags & TCP_RST) && segment->ip_id == 0;
}

bool duplicates_take(struct duplicates *duplicates, const struct segment *segment, bool read)
{
	if (always_look_alike(segment))
		return false;
	const uint32_t delay = DUPLICATE_DELAY / TICK;
	const uint64_t mark = mark_of(&duplicates->key, segment);
	const uint32_t now = (uint32_t)(segment->context.time / TICK);
	const size_t place = place_of(segment);
	uint32_t age = duplicates->count - duplicates->newest[place]; // 0: nothing came since
	for (unsigned steps = 0; age < REMEMBERED && steps < STEPS; steps++) {
		const struct sight *sight =
		    &duplicates->sights[(duplicates->count - age) % REMEMBERED];
		if (sight->mark == mark && now - sight->ticks + delay <= 2 * delay &&
		    has_same_bytes(duplicates, sight, segment))
			return true;
		age = sight->back < REMEMBERED - age && sight->back > 0 ? age + sight->back
		                                                        : REMEMBERED;
	}
	uint32_t bytes = read ? mark_of_bytes(duplicates, segment) : NOT_READ;
	remember(duplicates, place, (struct sight){.mark = mark, .bytes = bytes, .ticks = now});
	return false;
}
