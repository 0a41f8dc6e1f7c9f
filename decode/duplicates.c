// SPDX-License-Identifier: Apache-2.0
// A table of few places in each of many buckets, each bucket a line of the cache. A copy is missed only if four
// other segments of its bucket came in between: with a hundred of all, once in ten million.
#include "decode/duplicates.h"

#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	LINE = 64, // bytes of the cache
	WAYS = 4,
	BUCKET_BITS = 11,
	BUCKETS = 1 << BUCKET_BITS,
	TICK = 1024, // nanoseconds
	NOT_READ = 0,
};

struct sight {
	uint64_t mark; // of what its headers say; 0: none
	uint32_t bytes; // of its bytes, where they matter; else NOT_READ
	uint32_t
	    ticks; // when; wraps after an hour, and what is in the table then is long gone or counts for nothing
};

struct bucket {
	struct sight sights[WAYS]; // the newest first
};

_Static_assert(sizeof(struct bucket) == LINE, "one look");

struct duplicates {
	struct bucket buckets[BUCKETS];
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
static uint64_t mark_of(const struct hash_key *key, const struct segment *segment, unsigned sender)
{
	const uint64_t appearance[] = {
	    segment->hash,
	    pair(segment->sequence, segment->acknowledgement),
	    pair(segment->length, segment->captured),
	    pair(segment->context.tap_point, (uint32_t)segment->window << 16 | segment->ip_id),
	    pair(segment->checksum, (uint32_t)segment->flags << 8 | sender),
	};
	return quick_hash(key, appearance, sizeof appearance) | 1;
}

// Cheaper than the mark, so that it can be asked for ahead; as spread, as nobody knows the connection's hash.
static size_t bucket_of(const struct segment *segment)
{
	uint64_t place = pair(segment->sequence, segment->acknowledgement);
	return (place ^ segment->hash) * 0x9e3779b97f4a7c15u >> (64 - BUCKET_BITS);
}

void duplicates_prefetch(const struct duplicates *duplicates, const struct segment *segment)
{
	__builtin_prefetch(&duplicates->buckets[bucket_of(segment)], 1);
}

// In front of the others; the last one gives way.
static void remember(struct bucket *bucket, const struct sight *sight)
{
	memmove(&bucket->sights[1], &bucket->sights[0], (WAYS - 1) * sizeof bucket->sights[0]);
	bucket->sights[0] = *sight;
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

bool duplicates_take(
    struct duplicates *duplicates, const struct segment *segment, unsigned sender, bool read)
{
	if (always_look_alike(segment))
		return false;
	const uint32_t delay = DUPLICATE_DELAY / TICK;
	const uint64_t mark = mark_of(&duplicates->key, segment, sender);
	const uint32_t now = (uint32_t)(segment->context.time / TICK);
	struct bucket *bucket = &duplicates->buckets[bucket_of(segment)];
	for (size_t i = 0; i < WAYS; i++) {
		const struct sight *sight = &bucket->sights[i];
		if (sight->mark == mark && now - sight->ticks + delay <= 2 * delay &&
		    has_same_bytes(duplicates, sight, segment))
			return true;
	}
	uint32_t bytes = read ? mark_of_bytes(duplicates, segment) : NOT_READ;
	remember(bucket, &(struct sight){mark, bytes, now});
	return false;
}
