// SPDX-License-Identifier: Apache-2.0
// Fuzzes what `mailtap top` makes of an answer: two bytes say how wide the terminal is, whether it is one of ASCII and
// the order of servers; the rest is what answered. Each line has as many columns as there are at most, and nothing in
// it that moves a cursor.
#include "analytics/top/top_frame.h"
#include "capture/base/utf8.h"
#include "tests/fuzz/fuzzer.h"

static void check_line(const struct top_line *line, const struct top_look *look)
{
	const uint8_t *text = (const uint8_t *)line->text;
	const uint8_t *end = memchr(text, '\0', sizeof line->text);
	size_t columns = 0;
	MUST(end != NULL && line->right_at <= (size_t)(end - text));
	MUST(line->style < TOP_STYLES && (line->right_at == 0 || line->right < TOP_STYLES));
	for (const uint8_t *at = text; at < end; columns++) {
		uint32_t code;
		size_t length = utf8_code_point(at, (size_t)(end - at), &code);
		MUST(length > 0 && (length == 1 || !look->ascii));
		MUST(!code_point_is_unsafe(code));
		at += length;
	}
	MUST(columns <= TOP_COLUMNS_MAX && columns <= look->columns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct top_frame frame;
	struct input input = {data, data + size};
	struct top_look look = {.columns = take(&input)};
	uint8_t how = take(&input);
	look.ascii = how & 1;
	look.order = (enum top_order)((how >> 1) % TOP_ORDERS);
	json_t *answer =
	    json_loadb((const char *)input.at, input_left(&input), JSON_ALLOW_NUL, NULL);
	look.live = json_is_object(answer) ? answer : NULL;
	memset(&frame, 0xff, sizeof frame);
	top_frame_make(&frame, &look);
	MUST(frame.count <= TOP_LINES_MAX);
	for (size_t i = 0; i < frame.count; i++)
		check_line(&frame.lines[i], &look);
	json_decref(answer);
	return 0;
}
