// SPDX-License-Identifier: Apache-2.0
#include "decode/field_scanner.h"

#include "capture/base/ascii.h"

#include <string.h>
#include <strings.h>

static struct view cut(struct view *rest, size_t length)
{
	struct view taken = view_of(rest->data, length);
	rest->data += length;
	rest->length -= length;
	return taken;
}

// Where a comment ends that the bytes begin with: behind its last parenthesis, or at the end.
static size_t comment_length(const uint8_t *bytes, size_t length)
{
	size_t depth = 0;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\\')
			i++;
		else if (bytes[i] == '(')
			depth++;
		else if (bytes[i] == ')' && --depth == 0)
			return i + 1;
	}
	return length;
}

static size_t quoted_length(const uint8_t *bytes, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (bytes[i] == '\\')
			i++;
		else if (bytes[i] == '"')
			return i + 1;
	}
	return length;
}

static size_t word_length(const uint8_t *bytes, size_t length)
{
	size_t i = 0;
	while (i < length && !is_space(bytes[i]) && bytes[i] != '(' && bytes[i] != ';')
		i += bytes[i] == '"' ? quoted_length(bytes + i, length - i) : 1;
	return i;
}

enum field_token field_next(struct view *rest, struct view *token)
{
	while (rest->length > 0 && is_space(rest->data[0]))
		(void)cut(rest, 1);
	if (rest->length == 0)
		return FIELD_END;
	if (rest->data[0] == ';') {
		*token = cut(rest, 1);
		return FIELD_SEMICOLON;
	}
	if (rest->data[0] != '(') {
		*token = cut(rest, word_length(rest->data, rest->length));
		return FIELD_WORD;
	}
	*token = cut(rest, comment_length(rest->data, rest->length));
	*token = view_of(token->data + 1, token->length - 1);
	if (token->length > 0 && token->data[token->length - 1] == ')')
		token->length--;
	return FIELD_COMMENT;
}

bool field_word_is(struct view token, const char *word)
{
	return token.length == strlen(word) &&
	       strncasecmp((const char *)token.data, word, token.length) == 0;
}
