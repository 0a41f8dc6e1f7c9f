// SPDX-License-Identifier: Apache-2.0
#include "capture/base/heap.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	FIRST_STEP = 1 << 20, // bytes, for what is read at the start and given back
	STEP = 16 << 20, // bytes: of each step, what was used before it is followed has small pages
	PAGE = 4096,
};

// A heap of its own, as glibc gives each thread, would grow by a system call for every page.
void heap_prepare(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
	(void)mallopt(M_TOP_PAD, FIRST_STEP);
}

// Returns how far the heap is used by now.
static uintptr_t grow_by_steps(void)
{
	(void)mallopt(M_TOP_PAD, STEP);
	void *last = malloc(PAGE);
	uintptr_t used = (uintptr_t)last;
	free(last);
	return used;
}

void heap_follow(struct heap_end *end)
{
	if (end->address == 0)
		end->address = grow_by_steps();
	uintptr_t now = (uintptr_t)sbrk(0); // no system call
	if (now == end->address)
		return;
	uintptr_t from = end->address / PAGE * PAGE;
	if (from > 0 && now > from)
		(void)madvise((void *)from, now - from, MADV_HUGEPAGE);
	end->address = now;
}
