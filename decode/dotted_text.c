// SPDX-License-Identifier: Apache-2.0
#include "decode/dotted_text.h"

#include <string.h>

// A dot in front of a line is the transport's.
enum dot_stage {
	DOT_LINE_BEGINS,
	DOT_SEEN, // in front of a line
	DOT_CR_SEEN, // a dot and a CR
	DOT_IN_LINE,
	DOT_CR, // a CR in a line
};

static enum dot_stage stage_behind(uint8_t c)
{
	return c == '\r' ? DOT_CR : DOT_IN_LINE;
}

// Takes one byte that is not plainly within a line. False: it is the transport's, or it is not known yet.
static bool take_byte(struct dotted_text *text, struct message_reader *reader, uint8_t c)
{
	switch ((enum dot_stage)text->stage) {
	case DOT_LINE_BEGINS:
		text->stage = (uint8_t)(c == '.' ? DOT_SEEN : stage_behind(c));
		return c != '.';
	case DOT_SEEN:
		text->stage = (uint8_t)(c == '\r' ? DOT_CR_SEEN : DOT_IN_LINE);
		return c != '\r';
	case DOT_CR_SEEN:
		if (c == '\n')
			return false; // the end
		message_reader_take(reader, (const uint8_t *)"\r", 1);
		text->stage = (uint8_t)stage_behind(c);
		return true;
	case DOT_CR:
		text->stage = (uint8_t)(c == '\n' ? DOT_LINE_BEGINS : stage_behind(c));
		return true;
	case DOT_IN_LINE:
		text->stage = (uint8_t)stage_behind(c);
		return true;
	}
	return true;
}

// From here on to the next CR, which is left, or to the end.
static size_t within_line(const uint8_t *bytes, size_t from, size_t length)
{
	const uint8_t *cr = memchr(bytes + from, '\r', length - from);
	return cr != NULL ? (size_t)(cr - bytes) : length;
}

void dotted_text_read(
    struct dotted_text *text, struct message_reader *reader, const uint8_t *bytes, size_t length)
{
	size_t start = 0; // of what is the message's and was not given yet
	for (size_t at = 0; at < length;) {
		if (text->stage == DOT_IN_LINE && bytes[at] != '\r') {
			at = within_line(bytes, at, length);
			continue;
		}
		if (!take_byte(text, reader, bytes[at])) {
			message_reader_take(reader, bytes + start, at - start);
			start = at + 1;
		}
		at++;
	}
	message_reader_take(reader, bytes + start, length - start);
}
