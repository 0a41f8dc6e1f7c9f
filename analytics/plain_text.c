// SPDX-License-Identifier: Apache-2.0
#include "analytics/plain_text.h"

#include <stdio.h>
#include <string.h>

enum { PIECE_MAX = 16 }; // bytes that one character becomes

// What one character becomes; *used: bytes of it. Returns the columns it takes.
static size_t write_piece(char piece[PIECE_MAX], const uint8_t *bytes, size_t length, size_t *used)
{
	uint32_t code;
	*used = utf8_code_point(bytes, length, &code);
	if (*used == 0) {
		*used = 1;
		return (size_t)snprintf(piece, PIECE_MAX, "\\x%02x", bytes[0]);
	}
	if (code == '\\')
		return (size_t)snprintf(piece, PIECE_MAX, "\\\\");
	if (code < 0x80 && code_point_is_unsafe(code))
		return (size_t)snprintf(piece, PIECE_MAX, "\\x%02x", bytes[0]);
	if (code_point_is_unsafe(code))
		return (size_t)snprintf(piece, PIECE_MAX, "\\u{%04x}", (unsigned)code);
	memcpy(piece, bytes, *used);
	piece[*used] = '\0';
	return 1;
}

size_t plain_text(char *room, size_t columns, const uint8_t *bytes, size_t length)
{
	static const char dots[] = "...";
	enum { DOTS = sizeof dots - 1 };
	size_t width = 0, written = 0, kept_width = 0, kept = 0; // kept: with room for the dots
	for (size_t i = 0, used; i < length; i += used) {
		char piece[PIECE_MAX];
		size_t wide = write_piece(piece, bytes + i, length - i, &used);
		if (width + wide > columns) {
			size_t dot_count =
			    columns - kept_width < DOTS ? columns - kept_width : DOTS;
			memcpy(room + kept, dots, dot_count);
			room[kept + dot_count] = '\0';
			return kept_width + dot_count;
		}
		size_t size = strlen(piece);
		memcpy(room + written, piece, size);
		written += size;
		width += wide;
		if (width + DOTS <= columns) {
			kept = written;
			kept_width = width;
		}
	}
	room[written] = '\0';
	return width;
}
