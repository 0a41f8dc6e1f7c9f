// SPDX-License-Identifier: Apache-2.0
#include "analytics/host_name.h"

#include "capture/base/ascii.h"

enum { LABEL_MAX = 63 };

// A byte of a name in lower case; 0: names have none like it.
static char lower(uint8_t c)
{
	if (is_letter(c))
		return (char)(c | 0x20);
	return (char)(is_digit(c) || c == '-' || c == '.' || c == '_' ? c : '\0');
}

// Two labels or more, none empty or too long, the last one with a letter.
static bool read(struct view bytes, struct host_name *name)
{
	size_t label = 0; // where it begins
	bool letter = false;
	for (size_t i = 0; i < bytes.length; i++) {
		char c = lower(bytes.data[i]);
		if (c == '\0')
			return false;
		name->text[i] = c;
		letter |= c >= 'a';
		if (c != '.')
			continue;
		if (i == label || i - label > LABEL_MAX)
			return false;
		label = i + 1;
		letter = false;
	}
	name->length = bytes.length;
	name->text[bytes.length] = '\0';
	return letter && label > 0 && bytes.length - label <= LABEL_MAX;
}

bool host_name_read(struct view bytes, struct host_name *name)
{
	if (bytes.length > 0 && bytes.data[bytes.length - 1] == '.')
		bytes.length--;
	if (bytes.length <= HOST_NAME_MAX_BYTES && read(bytes, name))
		return true;
	name->length = 0;
	name->text[0] = '\0';
	return false;
}
