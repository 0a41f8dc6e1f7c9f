// SPDX-License-Identifier: Apache-2.0
// The memory of one worker: a slab allocator with a hard budget. Everything that grows with the
// number or the state of connections comes from here, so that one figure bounds it all and nothing
// on the packet path calls malloc. Blocks of one size class are carved from slabs and recycled
// through its free list; an empty slab serves any class, so that what was used up by many blocks of one
// size can serve others once they are given back. Where no slab is left for a size, a somewhat larger
// block serves. Slabs are left out of core dumps: what connections say passes through them.
// Not thread safe: one worker, one memory.
#ifndef MAILTAP_CAPTURE_BASE_MEMORY_H
#define MAILTAP_CAPTURE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory;

enum { MEMORY_BLOCK_MAX = 512 * 1024 }; // bytes; larger requests are refused

// `budget`: bytes of slabs that may be held in all. Returns NULL if the system has no memory.
struct memory *memory_create(size_t budget);
void memory_destroy(struct memory *memory);

// A block of at least `size` bytes, aligned to 16, not cleared. NULL: budget used up (or size over
// MEMORY_BLOCK_MAX); the caller gives something up or drops what it was about to keep.
void *memory_take(struct memory *memory, size_t size);

// As memory_take, cleared.
void *memory_take_zeroed(struct memory *memory, size_t size);

// Gives a block back. NULL is allowed.
void memory_give(struct memory *memory, void *block);

// Bytes a block of `size` really occupies (its class): callers that grow a buffer use all of it.
size_t memory_class_size(size_t size);

// Bytes in blocks now out, and in slabs (what the budget limits).
size_t memory_in_use(const struct memory *memory);
size_t memory_reserved(const struct memory *memory);

// True if the next block of some size in use, up to 2 KiB, would be refused: all slabs are held, none is
// empty, and those of that size are full. Giving up what holds many sizes (the oldest connections)
// helps: it empties slabs in time.
bool memory_is_tight(const struct memory *memory);

// Takes that were refused because the budget was used up.
uint64_t memory_refusals(const struct memory *memory);

#endif
