// SPDX-License-Identifier: Apache-2.0
#include "analytics/pem_reader.h"

#include <openssl/evp.h>
#include <string.h>

enum { GROUP = 4, GROUP_BYTES = 3 }; // of base64: characters, and bytes they stand for

static const char begin[] = "-----BEGIN ", end[] = "-----END ", dashes[] = "-----";

static bool starts_with(struct view line, const char *text)
{
	size_t length = strlen(text);
	return line.length >= length && memcmp(line.data, text, length) == 0;
}

// The next line, without what is blank at its end. False: the text is over.
static bool next_line(struct view *text, struct view *line)
{
	if (text->length == 0)
		return false;
	const uint8_t *newline = memchr(text->data, '\n', text->length);
	size_t whole = newline != NULL ? (size_t)(newline - text->data) + 1 : text->length;
	*line = view_split(text, whole);
	while (line->length > 0 && line->data[line->length - 1] <= ' ')
		line->length--;
	return true;
}

// The label in a line that begins or ends a block. False: it is no such line.
static bool label_of(struct view line, const char *mark, struct view *label)
{
	const size_t before = strlen(mark), after = sizeof dashes - 1;
	if (!starts_with(line, mark) || line.length < before + after ||
	    memcmp(line.data + line.length - after, dashes, after) != 0)
		return false;
	*label = view_of(line.data + before, line.length - before - after);
	return true;
}

static bool same(struct view one, struct view other)
{
	return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

bool pem_next(struct view *text, struct pem_block *block)
{
	struct view line, label, before;
	do {
		if (!next_line(text, &line))
			return false;
	} while (!label_of(line, begin, &block->label));
	block->body = *text;
	block->ended = false;
	for (before = *text; next_line(text, &line); before = *text) {
		if (!starts_with(line, dashes))
			continue;
		block->ended = label_of(line, end, &label) && same(label, block->label);
		if (!block->ended)
			*text = before; // it may begin the next one
		break; // before it, the body is over
	}
	block->body.length = (size_t)(before.data - block->body.data);
	return true;
}

bool pem_has_label(const struct pem_block *block, const char *label)
{
	return same(block->label, view_of((const uint8_t *)label, strlen(label)));
}

// The characters of all lines, one after the other.
static size_t join_lines(struct view body, uint8_t *into)
{
	struct view line;
	size_t count = 0;
	while (next_line(&body, &line)) {
		memcpy(into + count, line.data, line.length);
		count += line.length;
	}
	return count;
}

// How many characters at the end only fill up the last group.
static size_t filling_of(const uint8_t *text, size_t count)
{
	size_t filling = 0;
	while (filling < GROUP_BYTES - 1 && filling < count && text[count - 1 - filling] == '=')
		filling++;
	return filling;
}

bool pem_decode(struct view body, uint8_t *der, size_t *length)
{
	uint8_t *text = der + body.length;
	size_t count = join_lines(body, text), filling = filling_of(text, count);
	if (count == 0 || count % GROUP != 0 || memchr(text, '=', count - filling) != NULL)
		return false;
	int decoded = EVP_DecodeBlock(der, text, (int)count);
	if (decoded < 0 || (size_t)decoded != count / GROUP * GROUP_BYTES)
		return false;
	*length = (size_t)decoded - filling;
	return true;
}
