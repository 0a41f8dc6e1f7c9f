// SPDX-License-Identifier: Apache-2.0
#include "decode/tag_list.h"

#include "capture/base/ascii.h"

#include <strings.h>

static struct view trim(struct view text)
{
	while (text.length > 0 && is_space(text.data[0])) {
		text.data++;
		text.length--;
	}
	while (text.length > 0 && is_space(text.data[text.length - 1]))
		text.length--;
	return text;
}

// Takes the next tag off the front. False: there is none.
static bool next_tag(struct view *text, struct view *name, struct view *value)
{
	if (text->length == 0)
		return false;
	const uint8_t *end = memchr(text->data, ';', text->length);
	size_t length = end != NULL ? (size_t)(end - text->data) : text->length;
	const uint8_t *equals = memchr(text->data, '=', length);
	size_t before = equals != NULL ? (size_t)(equals - text->data) : length;
	size_t behind = equals != NULL ? before + 1 : length;
	*name = trim((struct view){.data = text->data, .length = before});
	*value = trim((struct view){.data = text->data + behind, .length = length - behind});
	size_t taken = end != NULL ? length + 1 : length;
	text->data += taken;
	text->length -= taken;
	return true;
}

bool tag_is(struct view value, const char *word)
{
	return value.data != NULL && value.length == strlen(word) &&
	       strncasecmp((const char *)value.data, word, value.length) == 0;
}

struct view tag_list_value(struct view text, const char *tag)
{
	struct view name, value;
	while (next_tag(&text, &name, &value))
		if (tag_is(name, tag))
			return value;
	return (struct view){.data = NULL};
}

bool tag_list_begins(struct view text, const char *version)
{
	struct view name, value;
	return next_tag(&text, &name, &value) && tag_is(name, "v") &&
	       value.length == strlen(version) && memcmp(value.data, version, value.length) == 0;
}
