// SPDX-License-Identifier: Apache-2.0
// What `mailtap top` shows, as lines of text: made of a tap's /live.json, whatever that has in it. Texts in it may come
// from the wire: nothing of them moves a cursor (plain_text.h). Pure; one thread.
#ifndef MAILTAP_ANALYTICS_TOP_TOP_FRAME_H
#define MAILTAP_ANALYTICS_TOP_TOP_FRAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum top_style { TOP_PLAIN, TOP_HEAD, TOP_BAD, TOP_WARNING, TOP_GOOD, TOP_STYLES };

enum {
	TOP_COLUMNS_MAX = 200, // of a line; what is longer is cut
	TOP_LINES_MAX = 512,
	TOP_LINE_SIZE = 4 * TOP_COLUMNS_MAX + 1,
};

struct top_line {
	enum top_style style;
	enum top_style right; // of what stands from this byte on
	size_t right_at; // 0: nothing does
	char text[TOP_LINE_SIZE];
};

struct top_frame {
	size_t count;
	struct top_line lines[TOP_LINES_MAX];
};

// By what servers are sorted, the most first.
enum top_order { TOP_BY_SESSIONS, TOP_BY_CLEAR, TOP_BY_ADDRESS, TOP_ORDERS };
const char *top_order_name(enum top_order order);

struct top_look {
	const json_t *live; // an object; NULL: nothing was answered yet
	size_t columns; // of the terminal
	bool ascii; // it shows no other characters
	enum top_order order;
};

void top_frame_make(struct top_frame *frame, const struct top_look *look);

#endif
