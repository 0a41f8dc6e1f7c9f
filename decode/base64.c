// SPDX-License-Identifier: Apache-2.0
#include "decode/base64.h"

#include "capture/base/ascii.h"

static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

size_t base64_decode(struct view text, uint8_t *bytes, size_t most)
{
	size_t length = 0, digits = 0, padding = 0;
	uint32_t bits = 0;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.data[i];
		if (is_space(c))
			continue;
		int value = value_of(c);
		padding += c == '=';
		if (c == '=')
			continue;
		if (value < 0 || padding > 0)
			return 0;
		bits = bits << 6 | (uint32_t)value;
		if (digits++ % 4 == 0)
			continue; // six bits are no byte yet
		if (length == most)
			return 0;
		bytes[length++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
	}
	bool whole = (digits + padding) % 4 == 0 && padding <= 2;
	return whole ? length : 0;
}
