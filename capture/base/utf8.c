// SPDX-License-Identifier: Apache-2.0
#include "capture/base/utf8.h"

size_t utf8_code_point(const uint8_t *bytes, size_t length, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = bytes[0];
	size_t count = first < 0x80       ? 1
	               : first >> 5 == 6  ? 2
	               : first >> 4 == 14 ? 3
	               : first >> 3 == 30 ? 4
	                                  : 0;
	if (count == 0 || count > length)
		return 0;
	*code = count == 1 ? first : first & (0x7fu >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (bytes[i] & 0x3fu);
	}
	if (*code > 0x10ffff || (*code >= 0xd800 && *code <= 0xdfff) || *code < least[count])
		return 0;
	return count;
}

bool utf8_is_valid(const uint8_t *bytes, size_t length)
{
	uint32_t code;
	for (size_t i = 0, count; i < length; i += count) {
		count = utf8_code_point(bytes + i, length - i, &code);
		if (count == 0)
			return false;
	}
	return true;
}

bool code_point_is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}
