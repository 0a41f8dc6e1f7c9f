// SPDX-License-Identifier: Apache-2.0
#include "capture/base/memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	ALIGNMENT = 16,
	STEPS = 4,           // classes per doubling: at most a quarter of a block is lost
	SMALLEST = 32,       // bytes
	CLASSES = 1 + 14 * STEPS, // 32 bytes ... 512 KiB
	SLAB = 256 * 1024,   // bytes; a larger class has one block per slab
};

_Static_assert(SMALLEST << 14 == MEMORY_BLOCK_MAX, "the last class is the largest block");

struct free_block {
	struct free_block *next;
};

struct slab {
	struct slab *next;
};

struct size_class {
	struct free_block *free;
	uint8_t *fresh;     // part of the newest slab that was never handed out
	size_t fresh_bytes;
};

struct memory {
	size_t budget, reserved, in_use;
	uint64_t refusals;
	struct slab *slabs;
	struct size_class classes[CLASSES];
};

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
	for (struct slab *slab = memory->slabs; slab != NULL;) {
		struct slab *next = slab->next;
		free(slab);
		slab = next;
	}
	free(memory);
}

static bool add_slab(struct memory *memory, unsigned class)
{
	size_t bytes = class_bytes(class);
	size_t slab_bytes = ALIGNMENT + (bytes > SLAB ? bytes : SLAB / bytes * bytes);
	if (slab_bytes > memory->budget - memory->reserved)
		return false;
	struct slab *slab = aligned_alloc(ALIGNMENT, slab_bytes);
	if (slab == NULL)
		return false;
	slab->next = memory->slabs;
	memory->slabs = slab;
	memory->reserved += slab_bytes;
	memory->classes[class].fresh = (uint8_t *)slab + ALIGNMENT;
	memory->classes[class].fresh_bytes = slab_bytes - ALIGNMENT;
	return true;
}

void *memory_take(struct memory *memory, size_t size)
{
	if (size > MEMORY_BLOCK_MAX) {
		memory->refusals++;
		return NULL;
	}
	unsigned class = class_of(size);
	struct size_class *pool = &memory->classes[class];
	size_t bytes = class_bytes(class);
	if (pool->free != NULL) {
		struct free_block *block = pool->free;
		pool->free = block->next;
		memory->in_use += bytes;
		return block;
	}
	if (pool->fresh_bytes < bytes && !add_slab(memory, class)) {
		memory->refusals++;
		return NULL;
	}
	void *block = pool->fresh;
	pool->fresh += bytes;
	pool->fresh_bytes -= bytes;
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
	struct free_block *given = block;
	given->next = memory->classes[class].free;
	memory->classes[class].free = given;
	memory->in_use -= class_bytes(class);
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
