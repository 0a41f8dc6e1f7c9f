// SPDX-License-Identifier: Apache-2.0
// Which connections of a worker have said what matters, as the thread that hands it segments sees it: under
// overload theirs are the first to be left out. A table of tags, written by the worker and read by the
// other thread without a lock. It may forget a connection, and takes one in a billion for another: only
// while there is too much to do does either matter.
#ifndef MAILTAP_DECODE_QUIET_SET_H
#define MAILTAP_DECODE_QUIET_SET_H

#include <stdatomic.h>
#include <stdint.h>

enum quiet_tier {
	QUIET_NOT, // every segment counts
	QUIET_TOLD, // mail or a log-in went in the clear: what follows cannot change that
	QUIET_COUNTED, // nothing is looked at any more, only counted
};

struct quiet_set {
	_Atomic uint16_t
	    tags[1 << 16]; // the tier in the two lowest bits, the rest from the hash; 0: none
};

static inline _Atomic uint16_t *quiet_place(struct quiet_set *set, uint64_t hash)
{
	return &set->tags[(uint16_t)(hash >> 16)];
}

static inline uint16_t quiet_tag(uint64_t hash)
{
	return (uint16_t)(hash >> 48 & ~(uint64_t)3);
}

// By flow_hash of the connection.
static inline enum quiet_tier quiet_set_tier(struct quiet_set *set, uint64_t hash)
{
	uint16_t found = atomic_load_explicit(quiet_place(set, hash), memory_order_relaxed);
	return (found & ~3) == quiet_tag(hash) ? (enum quiet_tier)(found & 3) : QUIET_NOT;
}

static inline void quiet_set_put(struct quiet_set *set, uint64_t hash, enum quiet_tier tier)
{
	if (quiet_set_tier(set, hash) != tier)
		atomic_store_explicit(quiet_place(set, hash),
		    tier == QUIET_NOT ? 0 : (uint16_t)(quiet_tag(hash) | tier),
		    memory_order_relaxed);
}

#endif
