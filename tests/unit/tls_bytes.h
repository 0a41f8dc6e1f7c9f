// SPDX-License-Identifier: Apache-2.0
// For tests of the TLS parser: messages put together byte by byte.
#ifndef MAILTAP_TESTS_UNIT_TLS_BYTES_H
#define MAILTAP_TESTS_UNIT_TLS_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	uint8_t data[400 * 1024];
	size_t length;
};

static inline void put(struct bytes *to, unsigned size, uint32_t value)
{
	while (size-- > 0)
		to->data[to->length++] = (uint8_t)(value >> 8 * size);
}

static inline void put_bytes(struct bytes *to, const void *from, size_t length)
{
	if (length > 0)
		memcpy(to->data + to->length, from, length);
	to->length += length;
}

static inline void put_filler(struct bytes *to, size_t length)
{
	memset(to->data + to->length, 0x5a, length);
	to->length += length;
}

// Opens a vector whose length takes `size` bytes; close_vector fills the length in.
static inline size_t open_vector(struct bytes *to, unsigned size)
{
	put(to, size, 0);
	return to->length;
}

static inline void close_vector(struct bytes *to, unsigned size, size_t begin)
{
	size_t length = to->length - begin;
	for (unsigned i = 0; i < size; i++)
		to->data[begin - 1 - i] = (uint8_t)(length >> 8 * i);
}

static inline size_t open_message(struct bytes *to, uint8_t type)
{
	put(to, 1, type);
	return open_vector(to, 3);
}

#endif
