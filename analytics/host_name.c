// SPDX-License-Identifier: Apache-2.0
#include "analytics/host_name.h"

enum { LABEL_MAX = 63 };

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Two labels or more, none empty or too long, the last one with a letter.
static bool is_name(const struct host_name *name)
{
	size_t label = 0;
	bool dotted = false, letter = false;
	for (size_t i = 0; i < name->length; i++) {
		char c = name->text[i];
		if (c == '.' && label == 0)
			return false;
		if (c != '.' && !is_letter(c) && !is_digit(c) && c != '-' && c != '_')
			return false;
		letter = (letter && c != '.') || is_letter(c);
		dotted |= c == '.';
		label = c == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return dotted && letter && label > 0;
}

bool host_name_read(struct view bytes, struct host_name *name)
{
	*name = (struct host_name){.length = 0};
	size_t length = bytes.length;
	if (length > 0 && bytes.data[length - 1] == '.')
		length--;
	if (length > HOST_NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint8_t c = bytes.data[i];
		name->text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	name->length = length;
	if (is_name(name))
		return true;
	*name = (struct host_name){.length = 0};
	return false;
}
