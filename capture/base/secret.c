// SPDX-License-Identifier: Apache-2.0
#include "capture/base/secret.h"

#include <string.h>
#include <sys/mman.h>

void *secret_take(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return NULL;
	(void)madvise(pages, size, MADV_DONTDUMP);
	return pages;
}

void secret_give(void *memory, size_t size)
{
	if (memory == NULL)
		return;
	explicit_bzero(memory, size);
	(void)munmap(memory, size);
}
