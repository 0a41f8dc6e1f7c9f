// SPDX-License-Identifier: Apache-2.0
// How the last segments of one direction looked (TTL, IP ID, window), so that one that something on the
// path put in between can be told from those of the sender. Part of a backlog; no memory of its own.
#ifndef MAILTAP_DECODE_LOOKS_H
#define MAILTAP_DECODE_LOOKS_H

#include "decode/clues.h"
#include "decode/headers.h"

enum { LOOKS_KEPT = 7 }; // so that a backlog stays in its class of memory

// A segment that was delivered, or one without payload (length 0).
struct sighting {
	uint32_t sequence;
	uint16_t length; // bytes that it was the first to bring
	struct segment_look look;
};

struct looks {
	uint8_t count, newest; // of the ring
	struct sighting ring[LOOKS_KEPT];
};

static inline struct segment_look segment_look_of(const struct segment *segment)
{
	return (struct segment_look){
	    .ttl = segment->ttl, .window = segment->window, .ip_id = segment->ip_id};
}

// Its TCP checksum is right, which is known only where all of it was captured.
static inline bool segment_is_intact(const struct segment *segment)
{
	return !segment->checksum_wrong && segment->captured == segment->length;
}

// Takes note of an intact segment. Of several without payload in a row the last one is kept.
void looks_note(struct looks *looks, const struct sighting *sighting);

// The segment that brought the byte at `sequence`. NULL if it is not known, or not known of all bytes
// from there to `end`: they may have come damaged.
const struct sighting *looks_of(const struct looks *looks, uint32_t sequence, uint32_t end);

// Compares two segments for the same bytes, from `sequence` to `end`, with the rest of the direction,
// and says how that looks (all zero: there is no rest). True if one of the two, and not the other, is
// clearly unlike it: the TTL by more than 1 where all others have the same; the IP ID far off where
// those of the others count up.
bool looks_unlike(const struct looks *looks, uint32_t sequence, uint32_t end,
    const struct segment_look *first, const struct segment_look *second,
    struct segment_look *usual);

#endif
