// SPDX-License-Identifier: Apache-2.0
// Which connections of a worker are only counted any more, as the thread that hands it segments sees it:
// under overload theirs are the first to be left out. A table of tags, written by the worker and read by
// the other thread without a lock. It may forget one, and takes one connection in 32768 x 65536 for
// another: only while there is too much to do does either matter.
#ifndef MAILTAP_DECODE_QUIET_SET_H
#define MAILTAP_DECODE_QUIET_SET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct quiet_set {
	_Atomic uint16_t tags[1 << 16]; // 0: none
};

static inline uint16_t quiet_tag(uint64_t hash)
{
	return (uint16_t)(hash >> 48 | 1);
}

static inline uint16_t quiet_place(uint64_t hash)
{
	return (uint16_t)(hash >> 16);
}

// By flow_hash of the connection.
static inline void quiet_set_add(struct quiet_set *set, uint64_t hash)
{
	atomic_store_explicit(&set->tags[quiet_place(hash)], quiet_tag(hash), memory_order_relaxed);
}

static inline bool quiet_set_has(const struct quiet_set *set, uint64_t hash)
{
	return atomic_load_explicit(&set->tags[quiet_place(hash)], memory_order_relaxed) ==
	       quiet_tag(hash);
}

static inline void quiet_set_remove(struct quiet_set *set, uint64_t hash)
{
	if (quiet_set_has(set, hash))
		atomic_store_explicit(&set->tags[quiet_place(hash)], 0, memory_order_relaxed);
}

#endif
