// SPDX-License-Identifier: Apache-2.0
#include "decode/tag_list.h"

#include "capture/base/ascii.h"

#include <strings.h>

enum { TAG_NAMES_COMPARED = 32 }; // with each other; more than anybody uses

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

// Takes the next tag off the front; value->data NULL: nothing but a name. False: there is none.
static bool next_tag(struct view *text, struct view *name, struct view *value)
{
	if (text->length == 0)
		return false;
	const uint8_t *end = memchr(text->data, ';', text->length);
	size_t length = end != NULL ? (size_t)(end - text->data) : text->length;
	const uint8_t *equals = memchr(text->data, '=', length);
	size_t before = equals != NULL ? (size_t)(equals - text->data) : length;
	*name = trim((struct view){.data = text->data, .length = before});
	*value = (struct view){.data = NULL};
	if (equals != NULL)
		*value = trim((struct view){.data = equals + 1, .length = length - before - 1});
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

bool tag_is_exactly(struct view value, const char *word)
{
	return value.data != NULL && value.length == strlen(word) &&
	       memcmp(value.data, word, value.length) == 0;
}

bool tag_next_word(struct view *list, struct view *word)
{
	if (list->length == 0)
		return false;
	const uint8_t *colon = memchr(list->data, ':', list->length);
	size_t length = colon != NULL ? (size_t)(colon - list->data) : list->length;
	*word = trim(view_of(list->data, length));
	length += colon != NULL;
	*list = view_of(list->data + length, list->length - length);
	return true;
}

bool tag_has_word(struct view list, const char *word)
{
	struct view found;
	while (tag_next_word(&list, &found))
		if (tag_is(found, word))
			return true;
	return false;
}

static bool is_same(struct view one, struct view other)
{
	return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

struct view tag_list_value(struct view text, const char *tag)
{
	struct view name, value;
	while (next_tag(&text, &name, &value))
		if (tag_is_exactly(name, tag))
			return value;
	return (struct view){.data = NULL};
}

struct view tag_list_value_any_case(struct view text, const char *tag, unsigned *count)
{
	struct view name, value, found = {.data = NULL};
	*count = 0;
	while (next_tag(&text, &name, &value))
		if (tag_is(name, tag) && (*count)++ == 0)
			found = value;
	return found;
}

// ALPHA *(ALPHA / DIGIT / "_")
static bool is_tag_name(struct view name)
{
	for (size_t i = 0; i < name.length; i++)
		if (!is_letter(name.data[i]) &&
		    (i == 0 || (!is_digit(name.data[i]) && name.data[i] != '_')))
			return false;
	return name.length > 0;
}

static bool ends_tag(struct view text)
{
	return text.length > 0 && text.data[text.length - 1] == ';';
}

bool tag_list_is_sound(struct view text)
{
	struct view names[TAG_NAMES_COMPARED], name, value;
	size_t count = 0;
	text = trim(text);
	if (ends_tag(text))
		text = trim(view_of(text.data, text.length - 1)); // one may end the list
	bool sound = text.length > 0 && !ends_tag(text);
	while (sound && next_tag(&text, &name, &value)) {
		sound = is_tag_name(name) && value.data != NULL;
		for (size_t i = 0; sound && i < count; i++)
			sound = !is_same(names[i], name);
		if (count < TAG_NAMES_COMPARED)
			names[count++] = name;
	}
	return sound;
}

bool tag_list_begins(struct view text, const char *version)
{
	struct view name, value;
	return next_tag(&text, &name, &value) && tag_is(name, "v") &&
	       tag_is_exactly(value, version);
}
