// SPDX-License-Identifier: Apache-2.0
// Numbers in network order. Pure; any thread.
#ifndef MAILTAP_CAPTURE_BASE_BIG_ENDIAN_H
#define MAILTAP_CAPTURE_BASE_BIG_ENDIAN_H

#include <stdint.h>

static inline uint16_t read_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t read_u32(const uint8_t *bytes)
{
	return (uint32_t)read_u16(bytes) << 16 | read_u16(bytes + 2);
}

#endif
