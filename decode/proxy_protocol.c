// SPDX-License-Identifier: Apache-2.0
#include "decode/proxy_protocol.h"

#include <string.h>

enum {
	V1_MAX = 107, // bytes, line end included (PROXY protocol 2.1)
	V2_SIGNATURE = 12,
	V2_FIXED = 16, // signature, version, family, length
	V2_MAX = 4096, // longer ones are taken for something else
};

static enum proxy_header find_v1(const uint8_t *bytes, size_t length, size_t *header_length)
{
	static const char prefix[] = "PROXY ";
	size_t have = length < sizeof prefix - 1 ? length : sizeof prefix - 1;
	if (memcmp(bytes, prefix, have) != 0)
		return PROXY_HEADER_NONE;
	const uint8_t *end = memchr(bytes, '\n', length < V1_MAX ? length : V1_MAX);
	if (end == NULL)
		return length < V1_MAX ? PROXY_HEADER_SHORT : PROXY_HEADER_NONE;
	*header_length = (size_t)(end - bytes) + 1;
	return PROXY_HEADER_WHOLE;
}

enum proxy_header proxy_header_find(const uint8_t *bytes, size_t length, size_t *header_length)
{
	static const uint8_t signature[V2_SIGNATURE] = {
	    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};
	if (length == 0)
		return PROXY_HEADER_SHORT;
	if (memcmp(bytes, signature, length < V2_SIGNATURE ? length : V2_SIGNATURE) != 0)
		return find_v1(bytes, length, header_length);
	if (length < V2_FIXED)
		return PROXY_HEADER_SHORT;
	size_t whole = V2_FIXED + (size_t)(bytes[14] << 8 | bytes[15]);
	if (whole > V2_MAX)
		return PROXY_HEADER_NONE;
	*header_length = whole;
	return length < whole ? PROXY_HEADER_SHORT : PROXY_HEADER_WHOLE;
}
