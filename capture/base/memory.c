// SPDX-License-Identifier: Apache-2.0
#include "capture/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	ALIGNMENT = 16,
	STEPS = 4, // classes per doubling: at most a quarter of a block is lost
	SMALLEST = 32, // bytes
	CONNECTION = 288, // bytes of the class 0: a worker has more blocks of it than of all others
	CONNECTION_ABOVE = 256, // bytes of the class below it
	CLASSES = 2 + 14 * STEPS, // 32 bytes ... 512 KiB, and class 0
	SMALL_CLASSES = 2 + 6 * STEPS, // up to 2 KiB
	SLAB = 128 * 1024, // bytes, and the alignment of all; a larger class has one block per slab
	HEADER = 64, // bytes in front of a slab's blocks
	SHIFTS = 32, // places where the header of a slab may be, a line of the cache each
	HUGE_PAGE = 2 << 20,
};

_Static_assert(SMALLEST << 14 == MEMORY_BLOCK_MAX, "the last class is the largest block");

struct free_block {
	struct free_block *next;
};

// Slabs of the usual size lie side by side in one range of addresses, so that huge pages can stand behind them:
// a connection's state is in many places, and each in a page of its own would be one more miss of the TLB.
//
// A slab is in the list of its class while some of its blocks are out and some are not, in the list of
// empty ones while none is out, and in none while all are.
struct slab {
	struct slab *next, *previous;
	struct free_block *free;
	uint8_t *fresh; // part that was never handed out
	uint32_t fresh_blocks, used;
	uint32_t bytes, class;
	struct slab *large_next, *large_previous; // if it has another size
};

_Static_assert(sizeof(struct slab) <= HEADER, "blocks begin behind the header");

struct memory {
	size_t budget, reserved, in_use;
	uint64_t refusals;
	uint8_t *mapped; // what the range lies in
	uint8_t *range; // for slabs of the usual size, as many as the budget has
	size_t range_bytes, range_used, range_open; // of it: handed out so far, accessible
	struct slab *returned; // in the range, without memory behind them
	struct slab *large; // those of other sizes
	struct slab *empty;
	struct slab *partial[CLASSES];
	uint32_t slabs[CLASSES]; // that are not empty
	uint32_t full; // small classes that have slabs, all of them full; a bit each
};

_Static_assert(SMALL_CLASSES <= 32, "a bit each");

// Sizes go 32, 40, 48, 56, 64, 80, ...: rounded to ALIGNMENT where the step is smaller. And there is class 0.
static unsigned class_of(size_t size)
{
	if (size > CONNECTION_ABOVE && size <= CONNECTION)
		return 0;
	if (size <= SMALLEST)
		return 1;
	unsigned doubling = (unsigned)(63 - __builtin_clzll((unsigned long long)(size - 1)));
	size_t base = (size_t)1 << doubling;
	size_t step = base / STEPS;
	return 1 + (doubling - 5) * STEPS + (unsigned)((size - base + step - 1) / step);
}

static size_t class_bytes(unsigned class)
{
	if (class == 0)
		return CONNECTION;
	size_t base = (size_t)SMALLEST << ((class - 1) / STEPS);
	size_t bytes = base + base / STEPS * ((class - 1) % STEPS);
	return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

// Where the header of the slab is that has this address. Were it always at the beginning, all headers would
// compete for the same few places of the cache.
static struct slab *slab_at(uint8_t *address)
{
	uint8_t *base = address - (uintptr_t)address % SLAB;
	return (void *)(base + (uintptr_t)base / SLAB % SHIFTS * HEADER);
}

static uint8_t *base_of(struct slab *slab)
{
	return (uint8_t *)slab - (uintptr_t)slab % SLAB;
}

// Addresses only: they cost nothing until they are used.
static bool reserve_range(struct memory *memory, size_t budget)
{
	size_t bytes = budget / SLAB * SLAB;
	if (bytes == 0)
		return true;
	void *range = mmap(NULL, bytes + HUGE_PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (range == MAP_FAILED)
		return false;
	memory->mapped = range;
	memory->range = memory->mapped + (HUGE_PAGE - (uintptr_t)range % HUGE_PAGE) % HUGE_PAGE;
	memory->range_bytes = bytes;
	return true;
}

struct memory *memory_create(size_t budget)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return NULL;
	memory->budget = budget;
	if (reserve_range(memory, budget))
		return memory;
	free(memory);
	return NULL;
}

void memory_destroy(struct memory *memory)
{
	if (memory == NULL)
		return;
	for (struct slab *slab = memory->large; slab != NULL;) {
		struct slab *next = slab->large_next;
		free(base_of(slab));
		slab = next;
	}
	if (memory->mapped != NULL)
		(void)munmap(memory->mapped, memory->range_bytes + HUGE_PAGE);
	free(memory);
}

/* ---- slabs ---- */

static void list_push(struct slab **list, struct slab *slab)
{
	slab->previous = NULL;
	slab->next = *list;
	if (*list != NULL)
		(*list)->previous = slab;
	*list = slab;
}

static void list_remove(struct slab **list, struct slab *slab)
{
	if (slab->previous != NULL)
		slab->previous->next = slab->next;
	else
		*list = slab->next;
	if (slab->next != NULL)
		slab->next->previous = slab->previous;
}

static void free_large(struct memory *memory, struct slab *slab)
{
	if (slab->large_previous != NULL)
		slab->large_previous->large_next = slab->large_next;
	else
		memory->large = slab->large_next;
	if (slab->large_next != NULL)
		slab->large_next->large_previous = slab->large_previous;
	(void)madvise(base_of(slab), slab->bytes, MADV_DODUMP);
	free(base_of(slab));
}

// Its memory goes back to the system, its addresses stay.
static void return_slab(struct memory *memory, struct slab *slab)
{
	(void)madvise(base_of(slab), SLAB, MADV_DONTNEED);
	list_push(&memory->returned, slab);
}

static void free_slab(struct memory *memory, struct slab *slab)
{
	memory->reserved -= slab->bytes;
	if (slab->bytes == SLAB)
		return_slab(memory, slab);
	else
		free_large(memory, slab);
}

// Whole pages.
static size_t slab_bytes(size_t block)
{
	enum { PAGE = 4096, FRONT = SHIFTS * HEADER };
	return block > SLAB - FRONT ? (FRONT + block + PAGE - 1) / PAGE * PAGE : SLAB;
}

static struct slab *take_large(struct memory *memory, size_t bytes)
{
	void *room;
	if (posix_memalign(&room, SLAB, bytes) != 0)
		return NULL;
	(void)madvise(room, bytes, MADV_DONTDUMP); // what connections say passes through it
	struct slab *slab = slab_at(room);
	slab->large_previous = NULL;
	slab->large_next = memory->large;
	if (memory->large != NULL)
		memory->large->large_previous = slab;
	memory->large = slab;
	return slab;
}

// The range is made accessible a huge page at a time.
static bool open_range(struct memory *memory)
{
	uint8_t *next = memory->range + memory->range_open;
	size_t left = memory->range_bytes - memory->range_open;
	size_t bytes = left < HUGE_PAGE ? left : HUGE_PAGE;
	if (mprotect(next, bytes, PROT_READ | PROT_WRITE) != 0)
		return false;
	(void)madvise(next, bytes, MADV_HUGEPAGE);
	(void)madvise(next, bytes, MADV_DONTDUMP); // what connections say passes through it
	memory->range_open += bytes;
	return true;
}

static struct slab *take_usual(struct memory *memory)
{
	struct slab *slab = memory->returned;
	if (slab != NULL) {
		list_remove(&memory->returned, slab);
		return slab;
	}
	if (memory->range_used == memory->range_open && !open_range(memory))
		return NULL;
	slab = slab_at(memory->range + memory->range_used);
	memory->range_used += SLAB;
	return slab;
}

// A slab from the system; empty ones of other sizes give way to it. NULL: budget used up.
static struct slab *new_slab(struct memory *memory, size_t bytes)
{
	while (bytes > memory->budget - memory->reserved && memory->empty != NULL) {
		struct slab *empty = memory->empty;
		list_remove(&memory->empty, empty);
		free_slab(memory, empty);
	}
	if (bytes > memory->budget - memory->reserved)
		return NULL;
	struct slab *slab = bytes == SLAB ? take_usual(memory) : take_large(memory, bytes);
	if (slab == NULL)
		return NULL;
	slab->bytes = (uint32_t)bytes;
	memory->reserved += bytes;
	return slab;
}

// A slab for blocks of this size, none of them out: one that is empty serves any class.
static struct slab *empty_slab(struct memory *memory, size_t block)
{
	size_t bytes = slab_bytes(block);
	struct slab *slab = bytes == SLAB ? memory->empty : NULL;
	if (slab != NULL)
		list_remove(&memory->empty, slab);
	else
		slab = new_slab(memory, bytes);
	if (slab == NULL)
		return NULL;
	slab->free = NULL;
	slab->fresh = (uint8_t *)slab + HEADER;
	slab->fresh_blocks = (uint32_t)((bytes - (size_t)(slab->fresh - base_of(slab))) / block);
	slab->used = 0;
	return slab;
}

/* ---- blocks ---- */

static void note_full(struct memory *memory, unsigned class)
{
	if (class >= SMALL_CLASSES)
		return;
	bool full = memory->slabs[class] > 0 && memory->partial[class] == NULL;
	memory->full = (memory->full & ~(1u << class)) | (uint32_t)full << class;
}

bool memory_is_tight(const struct memory *memory)
{
	return memory->full != 0 && memory->empty == NULL &&
	       memory->budget - memory->reserved < SLAB;
}

static void *take_block(struct slab *slab, size_t bytes)
{
	struct free_block *block = slab->free;
	slab->used++;
	if (block != NULL) {
		slab->free = block->next;
		return block;
	}
	void *fresh = slab->fresh;
	slab->fresh += bytes;
	slab->fresh_blocks--;
	return fresh;
}

static bool is_full(const struct slab *slab)
{
	return slab->free == NULL && slab->fresh_blocks == 0;
}

// A slab of the class with a block to give. NULL: budget used up.
static struct slab *slab_of_class(struct memory *memory, unsigned class)
{
	if (memory->partial[class] != NULL)
		return memory->partial[class];
	struct slab *slab = empty_slab(memory, class_bytes(class));
	if (slab == NULL)
		return NULL;
	slab->class = class;
	list_push(&memory->partial[class], slab);
	memory->slabs[class]++;
	note_full(memory, class);
	return slab;
}

// Where there is no room for a size that is rare, a block of a larger one serves.
static struct slab *slab_of_larger(const struct memory *memory, size_t bytes)
{
	enum { LARGER_MOST = 4 }; // times as large
	for (size_t larger = bytes + 1; larger <= LARGER_MOST * bytes; larger++) {
		unsigned class = class_of(larger);
		if (class >= CLASSES)
			return NULL;
		if (memory->partial[class] != NULL)
			return memory->partial[class];
		larger = class_bytes(class);
	}
	return NULL;
}

void *memory_take(struct memory *memory, size_t size)
{
	struct slab *slab = NULL;
	if (size <= MEMORY_BLOCK_MAX)
		slab = slab_of_class(memory, class_of(size));
	if (slab == NULL && size <= MEMORY_BLOCK_MAX)
		slab = slab_of_larger(memory, class_bytes(class_of(size)));
	if (slab == NULL) {
		memory->refusals++;
		return NULL;
	}
	unsigned class = slab->class;
	size_t bytes = class_bytes(class);
	void *block = take_block(slab, bytes);
	if (is_full(slab)) {
		list_remove(&memory->partial[class], slab);
		note_full(memory, class);
	}
	memory->in_use += bytes;
	return block;
}

void *memory_take_zeroed(struct memory *memory, size_t size)
{
	void *block = memory_take(memory, size);
	return block != NULL ? memset(block, 0, size) : NULL;
}

void memory_give(struct memory *memory, void *block)
{
	if (block == NULL)
		return;
	struct slab *slab = slab_at(block);
	unsigned class = slab->class;
	struct free_block *given = block;
	memory->in_use -= class_bytes(class);
	if (is_full(slab)) {
		list_push(&memory->partial[class], slab);
		note_full(memory, class);
	}
	given->next = slab->free;
	slab->free = given;
	if (--slab->used > 0)
		return;
	list_remove(&memory->partial[class], slab);
	memory->slabs[class]--;
	note_full(memory, class);
	if (slab->bytes == SLAB)
		list_push(&memory->empty, slab);
	else
		free_slab(memory, slab);
}

size_t memory_class_size(size_t size)
{
	return class_bytes(class_of(size));
}

size_t memory_in_use(const struct memory *memory)
{
	return memory->in_use;
}

size_t memory_reserved(const struct memory *memory)
{
	return memory->reserved;
}

uint64_t memory_refusals(const struct memory *memory)
{
	return memory->refusals;
}
