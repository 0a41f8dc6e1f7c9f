// SPDX-License-Identifier: Apache-2.0
// Takes the place of capture/base/memory.c in the fuzzers: every block comes from malloc with exactly
// the size asked for, so that the sanitizer sees each byte read or written beside it, each use after
// it was given back and each block forgotten. The budget holds as in the original, by class sizes of what
// malloc gives: with the sanitizer, that is what was asked for.
#include "capture/base/memory.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

struct memory {
	size_t budget, in_use;
	uint64_t refusals;
};

struct memory *memory_create(size_t budget)
{
	struct memory *memory = calloc(1, sizeof *memory);
	if (memory != NULL)
		memory->budget = budget;
	return memory;
}

void memory_destroy(struct memory *memory)
{
	free(memory);
}

// As the original has them: four classes per doubling.
size_t memory_class_size(size_t size)
{
	size_t base = 32;
	if (size <= base)
		return base;
	while (base * 2 < size)
		base *= 2;
	size_t step = base / 4;
	return (base + (size - base + step - 1) / step * step + 15) & ~(size_t)15;
}

void *memory_take(struct memory *memory, size_t size)
{
	void *block = size <= MEMORY_BLOCK_MAX ? malloc(size > 0 ? size : 1) : NULL;
	if (block == NULL && size <= MEMORY_BLOCK_MAX)
		abort();
	size_t bytes = memory_class_size(malloc_usable_size(block));
	if (block == NULL || bytes > memory->budget - memory->in_use) {
		free(block);
		memory->refusals++;
		return NULL;
	}
	memory->in_use += bytes;
	return memset(block, 0xa5, size); // never zero by chance
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
	memory->in_use -= memory_class_size(malloc_usable_size(block));
	free(block);
}

// Without slabs: a block of 2 KiB would be refused.
bool memory_is_tight(const struct memory *memory)
{
	return memory->budget - memory->in_use < 2048;
}

size_t memory_in_use(const struct memory *memory)
{
	return memory->in_use;
}

size_t memory_reserved(const struct memory *memory)
{
	return memory->in_use;
}

uint64_t memory_refusals(const struct memory *memory)
{
	return memory->refusals;
}
