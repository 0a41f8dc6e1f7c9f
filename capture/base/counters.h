// SPDX-License-Identifier: Apache-2.0
// Adding up structs that are nothing but unsigned figures of 64 bits: what several threads or sources counted.
#ifndef MAILTAP_CAPTURE_BASE_COUNTERS_H
#define MAILTAP_CAPTURE_BASE_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

// Adds each figure of *one to its like in *sum. `size`: of the struct, bytes.
static inline void counters_add(void *sum, const void *one, size_t size)
{
	uint64_t *to = sum;
	const uint64_t *from = one;
	for (size_t i = 0; i < size / sizeof *to; i++)
		to[i] += from[i];
}

#endif
