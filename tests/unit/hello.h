// SPDX-License-Identifier: Apache-2.0
// For tests: ClientHello and ServerHello messages built piece by piece, without their handshake header.
#ifndef MAILTAP_TESTS_UNIT_HELLO_H
#define MAILTAP_TESTS_UNIT_HELLO_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hello {
	uint8_t bytes[16 * 1024];
	size_t length;
	size_t extensions; // where their length stands; 0: none yet
};

static inline void hello_put(struct hello *hello, unsigned size, uint32_t value)
{
	while (size-- > 0)
		hello->bytes[hello->length++] = (uint8_t)(value >> 8 * size);
}

static inline void hello_put_list(struct hello *hello, const uint16_t *values, size_t count)
{
	hello_put(hello, 2, (uint32_t)(2 * count));
	for (size_t i = 0; i < count; i++)
		hello_put(hello, 2, values[i]);
}

// A ClientHello up to its extensions.
static inline void hello_of_client(
    struct hello *hello, uint16_t version, const uint16_t *suites, size_t count)
{
	hello->length = hello->extensions = 0;
	hello_put(hello, 2, version);
	memset(hello->bytes + hello->length, 0x5a, 32);
	hello->length += 32;
	hello_put(hello, 1, 0);
	hello_put_list(hello, suites, count);
	hello_put(hello, 2, 0x0100);
}

// A ServerHello up to its extensions.
static inline void hello_of_server(
    struct hello *hello, uint16_t version, uint16_t suite, uint8_t compression)
{
	hello->length = hello->extensions = 0;
	hello_put(hello, 2, version);
	memset(hello->bytes + hello->length, 0xa5, 32);
	hello->length += 32;
	hello_put(hello, 1, 0);
	hello_put(hello, 2, suite);
	hello_put(hello, 1, compression);
}

static inline void hello_fix_length(struct hello *hello)
{
	size_t length = hello->length - hello->extensions - 2;
	hello->bytes[hello->extensions] = (uint8_t)(length >> 8);
	hello->bytes[hello->extensions + 1] = (uint8_t)length;
}

// An extension with this body.
static inline void hello_extend(struct hello *hello, uint16_t type, const void *body, size_t length)
{
	if (hello->extensions == 0) {
		hello->extensions = hello->length;
		hello_put(hello, 2, 0);
	}
	hello_put(hello, 2, type);
	hello_put(hello, 2, (uint32_t)length);
	if (length > 0)
		memcpy(hello->bytes + hello->length, body, length);
	hello->length += length;
	hello_fix_length(hello);
}

// An extension that is a list of numbers of two bytes, its length in `size` bytes before it.
static inline void hello_extend_list(
    struct hello *hello, uint16_t type, unsigned size, const uint16_t *values, size_t count)
{
	struct hello body = {.length = 0};
	hello_put(&body, size, (uint32_t)(2 * count));
	for (size_t i = 0; i < count; i++)
		hello_put(&body, 2, values[i]);
	hello_extend(hello, type, body.bytes, body.length);
}

#endif
