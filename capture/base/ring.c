// SPDX-License-Identifier: Apache-2.0
#include "capture/base/ring.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	CACHE_LINE = 64,
	ALIGNMENT = 16,
	SMALLEST = 4096, // bytes of a ring
	SHARE =
	    4, // a message takes at most this part of it: it may have to begin anew at the start
};

// In front of each message. `length` 0: the rest up to the ring's end is not used.
struct header {
	uint64_t length; // of the message, bytes
	uint64_t unused;
};

_Static_assert(sizeof(struct header) == ALIGNMENT, "messages stay aligned");

// Positions only grow; their place in the ring is the position modulo its size. Each side has its own
// cache line, with a copy of where the other was when it last looked.
struct ring {
	_Alignas(CACHE_LINE) _Atomic uint64_t written; // the writer's
	uint64_t reserved, released_seen;
	_Alignas(CACHE_LINE) _Atomic uint64_t released; // the reader's
	uint64_t next, written_seen;
	_Alignas(CACHE_LINE) atomic_bool closed;
	size_t size;
	uint8_t *bytes;
};

_Static_assert(offsetof(struct ring, released) - offsetof(struct ring, written) >= CACHE_LINE &&
                   offsetof(struct ring, closed) - offsetof(struct ring, released) >= CACHE_LINE,
    "neither side writes to the other's line");

struct ring *ring_create(size_t wanted)
{
	size_t size = SMALLEST;
	while (size < wanted)
		size *= 2;
	struct ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
	if (ring == NULL)
		return NULL;
	memset(ring, 0, sizeof *ring);
	ring->size = size;
	void *bytes =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) {
		free(ring);
		return NULL;
	}
	(void)madvise(bytes, size, MADV_DONTDUMP);
	ring->bytes = bytes;
	return ring;
}

void ring_destroy(struct ring *ring)
{
	if (ring == NULL)
		return;
	(void)munmap(ring->bytes, ring->size);
	free(ring);
}

size_t ring_message_max(const struct ring *ring)
{
	return ring->size / SHARE - sizeof(struct header);
}

static struct header *header_at(const struct ring *ring, uint64_t position)
{
	return (struct header *)(void *)(ring->bytes + (position & (ring->size - 1)));
}

static uint64_t space_of(uint64_t length)
{
	return sizeof(struct header) + ((length + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1));
}

// ---- the writer

// Whether everything before this position fits.
static bool has_room(struct ring *ring, uint64_t end)
{
	if (end - ring->released_seen <= ring->size)
		return true;
	ring->released_seen = atomic_load_explicit(&ring->released, memory_order_acquire);
	return end - ring->released_seen <= ring->size;
}

void *ring_reserve(struct ring *ring, size_t length)
{
	if (length == 0 || length > ring_message_max(ring))
		return NULL;
	uint64_t start = atomic_load_explicit(&ring->written, memory_order_relaxed);
	uint64_t left = ring->size - (start & (ring->size - 1));
	uint64_t passed = space_of(length) > left ? left : 0;
	if (!has_room(ring, start + passed + space_of(length)))
		return NULL;
	if (passed > 0)
		*header_at(ring, start) = (struct header){.length = 0};
	struct header *header = header_at(ring, start + passed);
	*header = (struct header){.length = length};
	ring->reserved = start + passed + space_of(length);
	return header + 1;
}

void ring_commit(struct ring *ring)
{
	atomic_store_explicit(&ring->written, ring->reserved, memory_order_release);
}

size_t ring_used(const struct ring *ring)
{
	uint64_t released = atomic_load_explicit(&ring->released, memory_order_relaxed);
	return (size_t)(atomic_load_explicit(&ring->written, memory_order_relaxed) - released);
}

void ring_close(struct ring *ring)
{
	atomic_store_explicit(&ring->closed, true, memory_order_release);
}

// ---- the reader

const void *ring_peek(struct ring *ring, size_t *length)
{
	if (ring->next == ring->written_seen) {
		ring->written_seen = atomic_load_explicit(&ring->written, memory_order_acquire);
		if (ring->next == ring->written_seen)
			return NULL;
	}
	const struct header *header = header_at(ring, ring->next);
	if (header->length == 0) {
		ring->next += ring->size - (ring->next & (ring->size - 1));
		header = header_at(ring, ring->next);
	}
	*length = (size_t)header->length;
	return header + 1;
}

void ring_release(struct ring *ring)
{
	ring->next += space_of(header_at(ring, ring->next)->length);
	atomic_store_explicit(&ring->released, ring->next, memory_order_release);
}

bool ring_is_over(struct ring *ring)
{
	return atomic_load_explicit(&ring->closed, memory_order_acquire) &&
	       ring->next == atomic_load_explicit(&ring->written, memory_order_acquire);
}
