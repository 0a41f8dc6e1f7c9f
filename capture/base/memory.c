// SPDX-License-Identifier: Apache-2.0
#include "capture/base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	ALIGNMENT = 16,
	STEPS = 4, // classes per doubling: at most a quarter of a block is lost
	SMALLEST = 32, // bytes
	CLASSES = 1 + 14 * STEPS, // 32 bytes ... 512 KiB
	SMALL_CLASSES = 1 + 6 * STEPS, // up to 2 KiB
	SLAB = 256 * 1024, // bytes, and the alignment of all; a larger class has one block per slab
	HEADER = 64, // bytes in front of a slab's blocks
};

_Static_assert(SMALLEST << 14 == MEMORY_BLOCK_MAX, "the last class is the largest block");

struct free_block {
	struct free_block *next;
};

// A slab is in the list of its class while some of its blocks are out and some are not, in the list of
// empty ones while none is out, and in none while all are.
struct slab {
	struct slab *next, *previous;
	struct free_block *free;
	uint8_t *fresh; // part that was never handed out
	uint32_t fresh_blocks, used;
	size_t bytes;
	struct slab *all_next, *all_previous;
};

_Static_assert(sizeof(struct slab) <= HEADER, "blocks begin behind the header");

struct memory {
	size_t budget, reserved, in_use;
	uint64_t refusals;
	struct slab *all, *empty;
	struct slab *partial[CLASSES];
	uint32_t slabs[CLASSES]; // that are not empty
	uint32_t full; // small classes that have slabs, all of them full; a bit each
};

_Static_assert(SMALL_CLASSES <= 32, "a bit each");

// Sizes go 32, 40, 48, 56, 64, 80, ...: rounded to ALIGNMENT where the step is smaller.
static unsigned class_of(size_t size)
{
	if (size <= SMALLEST)
		return 0;
	unsigned doubling = (unsigned)(63 - __builtin_clzll((unsigned long long)(size - 1)));
	size_t base = (size_t)1 << doubling;
	size_t step = base / STEPS;
	return (doubling - 5) * STEPS + (unsigned)((size - base + step - 1) / step);
}

static size_t class_bytes(unsigned class)
{
	size_t base = (size_t)SMALLEST << (class / STEPS);
	size_t bytes = base + base / STEPS * (class % STEPS);
	return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

struct memory *memory_create(size_t budget)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (memory != NULL)
		memory->budget = budget;
	return memory;
}

void memory_destroy(struct memory *memory)
{
	if (memory == NULL)
		return;
	for (struct slab *slab = memory->all; slab != NULL;) {
		struct slab *next = slab->all_next;
		free(slab);
		slab = next;
	}
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

static void free_slab(struct memory *memory, struct slab *slab)
{
	if (slab->all_previous != NULL)
		slab->all_previous->all_next = slab->all_next;
	else
		memory->all = slab->all_next;
	if (slab->all_next != NULL)
		slab->all_next->all_previous = slab->all_previous;
	memory->reserved -= slab->bytes;
	(void)madvise(slab, slab->bytes, MADV_DODUMP);
	free(slab);
}

// Whole pages.
static size_t slab_bytes(size_t block)
{
	enum { PAGE = 4096 };
	return block > SLAB - HEADER ? (HEADER + block + PAGE - 1) / PAGE * PAGE : SLAB;
}

// A slab from the system; empty ones of other sizes give way to it. NULL: budget used up.
static struct slab *new_slab(struct memory *memory, size_t bytes)
{
	void *room;
	while (bytes > memory->budget - memory->reserved && memory->empty != NULL) {
		struct slab *empty = memory->empty;
		list_remove(&memory->empty, empty);
		free_slab(memory, empty);
	}
	if (bytes > memory->budget - memory->reserved || posix_memalign(&room, SLAB, bytes) != 0)
		return NULL;
	(void)madvise(room, bytes, MADV_DONTDUMP); // what connections say passes through it
	struct slab *slab = room;
	slab->bytes = bytes;
	slab->all_previous = NULL;
	slab->all_next = memory->all;
	if (memory->all != NULL)
		memory->all->all_previous = slab;
	memory->all = slab;
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
	slab->fresh_blocks = (uint32_t)((bytes - HEADER) / block);
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

void *memory_take(struct memory *memory, size_t size)
{
	if (size > MEMORY_BLOCK_MAX) {
		memory->refusals++;
		return NULL;
	}
	unsigned class = class_of(size);
	size_t bytes = class_bytes(class);
	struct slab *slab = memory->partial[class];
	if (slab == NULL) {
		slab = empty_slab(memory, bytes);
		if (slab == NULL) {
			memory->refusals++;
			return NULL;
		}
		list_push(&memory->partial[class], slab);
		memory->slabs[class]++;
		note_full(memory, class);
	}
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

void memory_give(struct memory *memory, void *block, size_t size)
{
	if (block == NULL)
		return;
	unsigned class = class_of(size);
	struct slab *slab = (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB - 1));
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
