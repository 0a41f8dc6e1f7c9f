// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/turns.h"

static bool is_mark(uint8_t byte)
{
	return byte > TURN_LITERAL;
}

static struct view take_head(struct view *input)
{
	size_t length = 0;
	while (length < input->length && !is_mark(input->data[length]))
		length++;
	return view_split(input, length);
}

// The bytes up to the next mark.
static struct view take_words(struct turns *turns, struct view *input)
{
	uint8_t *start = turns->bytes + turns->filled;
	while (input->length > 0 && !is_mark(input->data[0]) && turns->filled < TURNS_BYTES_MAX) {
		uint8_t byte = view_u8(input);
		if (byte == TURN_LITERAL && input->length > 0)
			byte = view_u8(input);
		turns->bytes[turns->filled++] = byte;
	}
	return view_of(start, (size_t)(turns->bytes + turns->filled - start));
}

void turns_read(struct turns *turns, struct view input)
{
	uint8_t from = FROM_CLIENT;
	turns->count = 0;
	turns->filled = 0;
	turns->head = take_head(&input);
	while (input.length > 0 && turns->count < TURNS_MAX) {
		uint8_t mark = view_u8(&input);
		struct said *said = &turns->said[turns->count];
		if (mark == TURN_LOST) {
			uint16_t lost = view_u16(&input);
			if (lost > 0 && view_ok(&input))
				turns->said[turns->count++] =
				    (struct said){.from = from, .lost = lost};
			said = &turns->said[turns->count];
		} else if (is_mark(mark)) {
			from = mark == TURN_SERVER ? FROM_SERVER : FROM_CLIENT;
		}
		if (turns->count == TURNS_MAX)
			break;
		*said = (struct said){.from = from,
		    .unheard = mark == TURN_UNHEARD,
		    .bytes = take_words(turns, &input)};
		turns->count += said->bytes.length > 0;
	}
}
