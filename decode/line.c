// SPDX-License-Identifier: Apache-2.0
#include "decode/line.h"

static uint8_t upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

static bool is_word_byte(uint8_t c)
{
	return (upper(c) >= 'A' && upper(c) <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_space(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static size_t read_over(
    struct line_reader *reader, const uint8_t *end, const uint8_t *bytes, size_t length)
{
	reader->reading_over = end == NULL;
	return end != NULL ? (size_t)(end - bytes) + 1 : length;
}

size_t line_next(struct line_reader *reader, const uint8_t *bytes, size_t length, struct line *line)
{
	*line = (struct line){0};
	if (length == 0)
		return 0;
	size_t known = reader->scanned < length ? reader->scanned : length;
	const uint8_t *end = memchr(bytes + known, '\n', length - known);
	reader->scanned = 0;
	if (reader->reading_over)
		return read_over(reader, end, bytes, length);
	if (end == NULL && length < LINE_MAX_BYTES) {
		reader->scanned = (uint32_t)length;
		return 0;
	}
	line->bytes = bytes;
	if (end == NULL || end - bytes >= LINE_MAX_BYTES) {
		line->length = LINE_MAX_BYTES;
		line->overlong = reader->reading_over = true;
		return LINE_MAX_BYTES;
	}
	line->length = (size_t)(end - bytes);
	line->bare_lf = line->length == 0 || bytes[line->length - 1] != '\r';
	if (!line->bare_lf)
		line->length--;
	return (size_t)(end - bytes) + 1;
}

bool bytes_equal_keyword(const uint8_t *bytes, size_t length, const char *keyword)
{
	size_t i = 0;
	for (; i < length && keyword[i] != '\0'; i++)
		if (upper(bytes[i]) != (uint8_t)keyword[i])
			return false;
	return i == length && keyword[i] == '\0';
}

enum keyword_prefix bytes_begin_keyword(const uint8_t *bytes, size_t length, const char *keyword)
{
	for (size_t i = 0; keyword[i] != '\0'; i++) {
		if (i == length)
			return PREFIX_PART;
		if (upper(bytes[i]) != (uint8_t)keyword[i])
			return PREFIX_NONE;
	}
	return PREFIX_WHOLE;
}

static bool starts_at(const struct line *line, size_t position, const char *keyword)
{
	size_t length = strlen(keyword);
	if (line->length - position < length ||
	    !bytes_equal_keyword(line->bytes + position, length, keyword))
		return false;
	return position + length == line->length || !is_word_byte(line->bytes[position + length]);
}

bool line_starts(const struct line *line, const char *keyword)
{
	return starts_at(line, 0, keyword);
}

bool line_has_word(const struct line *line, const char *keyword)
{
	for (size_t i = 0; i < line->length; i++)
		if ((i == 0 || !is_word_byte(line->bytes[i - 1])) && starts_at(line, i, keyword))
			return true;
	return false;
}

void line_drop_torn_word(struct line *line)
{
	while (line->length > 0 && is_word_byte(line->bytes[line->length - 1]))
		line->length--;
}

bool line_word(const struct line *line, size_t *position, struct line *word)
{
	size_t start = *position;
	while (start < line->length && is_space(line->bytes[start]))
		start++;
	size_t end = start;
	while (end < line->length && !is_space(line->bytes[end]))
		end++;
	*word = (struct line){.bytes = line->bytes + start, .length = end - start};
	*position = end;
	return end > start;
}
