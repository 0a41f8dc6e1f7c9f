// SPDX-License-Identifier: Apache-2.0
// Asks for memory that will be written to soon, so that it is in the cache by then. Worth it where a table is larger
// than the cache and what will be needed of it is known some packets ahead.
#ifndef MAILTAP_CAPTURE_BASE_PREFETCH_H
#define MAILTAP_CAPTURE_BASE_PREFETCH_H

#include <stddef.h>
#include <stdint.h>

// All lines of an object that begins with one. It need not exist: of a null pointer no other may be made, of a
// number any.
static inline void prefetch(const void *start, size_t bytes)
{
	enum { CACHE_LINE_BYTES = 64 };
	for (size_t line = 0; line < bytes; line += CACHE_LINE_BYTES)
		__builtin_prefetch((const void *)((uintptr_t)start + line), 1);
}

#endif
