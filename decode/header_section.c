// SPDX-License-Identifier: Apache-2.0
#include "decode/header_section.h"

#include "capture/base/ascii.h"

#include <string.h>
#include <strings.h>

// Behind the last line end of the field that begins at the front: lines that begin with a blank go on with it.
static size_t field_length(struct view bytes)
{
	size_t at = 0;
	do {
		const uint8_t *end = memchr(bytes.data + at, '\n', bytes.length - at);
		if (end == NULL)
			return bytes.length;
		at = (size_t)(end - bytes.data) + 1;
	} while (at < bytes.length && is_blank(bytes.data[at]));
	return at;
}

static struct view without_line_end(struct view text)
{
	if (text.length > 0 && text.data[text.length - 1] == '\n')
		text.length--;
	if (text.length > 0 && text.data[text.length - 1] == '\r')
		text.length--;
	return text;
}

static struct header_field field_of(struct view whole)
{
	struct header_field field = {.whole = without_line_end(whole)};
	const uint8_t *colon = memchr(field.whole.data, ':', field.whole.length);
	field.name = field.value = view_of(field.whole.data, 0);
	if (colon == NULL)
		return field;
	size_t length = (size_t)(colon - field.whole.data);
	field.value = view_of(colon + 1, field.whole.length - length - 1);
	while (length > 0 && is_blank(field.whole.data[length - 1]))
		length--;
	field.name.length = length;
	return field;
}

void header_section_read(struct view bytes, struct header_section *section)
{
	section->count = 0;
	while (bytes.length > 0 && section->count < HEADER_FIELDS_MAX) {
		size_t length = field_length(bytes);
		section->fields[section->count++] = field_of(view_of(bytes.data, length));
		bytes.data += length;
		bytes.length -= length;
	}
	section->more = bytes.length > 0;
}

bool header_field_is(const struct header_field *field, const char *name)
{
	return field->name.length == strlen(name) &&
	       strncasecmp((const char *)field->name.data, name, field->name.length) == 0;
}
