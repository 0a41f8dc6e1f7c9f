// SPDX-License-Identifier: Apache-2.0
// Lines of a frame, field by field, and how its figures are written. Used by top_frame.c and top_lists.c.
#ifndef MAILTAP_ANALYTICS_TOP_TOP_TEXT_H
#define MAILTAP_ANALYTICS_TOP_TOP_TEXT_H

#include "analytics/top/top_frame.h"

#include <inttypes.h>
#include <stdint.h>

// A line that is being written.
struct top_writer {
	struct top_frame *frame;
	const struct top_look *look;
	struct top_line *line; // NULL: there are too many
	size_t columns, bytes; // of it so far
};

// A new line.
void top_begin(struct top_writer *writer, enum top_style style);

// What follows in this line is of another style.
void top_begin_right(struct top_writer *writer, enum top_style style);

// Goes to this column, which is not before the one where it is, or else one blank further.
void top_at(struct top_writer *writer, size_t column);

// Text of this program, ASCII.
void top_put(struct top_writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Text from anywhere, cut to `columns`. `text` that is no string: a dash.
void top_put_text(struct top_writer *writer, const json_t *text, size_t columns);

// A time as JSON has it, to the second; with its day, or not.
// "192.0.2.25:25", "[2001:db8::25]:25": `server_ip` and `server_port` of an object.
void top_put_server(struct top_writer *writer, const json_t *of);
void top_put_time(struct top_writer *writer, const json_t *object, const char *key, bool day);

// Right-aligned: a number (anything else: a dash), and a share "65.3 %" of `of` (0: a dash).
void top_put_number(struct top_writer *writer, const json_t *number, size_t columns);
void top_put_share(struct top_writer *writer, uint64_t part, uint64_t of);

// The member of an object, as a number that is not negative; anything else: 0.
uint64_t top_number(const json_t *object, const char *key);
const char *top_string(const json_t *object, const char *key); // "" if there is none

// "12.3 k"
enum { TOP_RATE_SIZE = 24 };
void top_rate(char text[TOP_RATE_SIZE], double rate);

/* ---- parts of the frame ---- */

void top_write_servers(struct top_writer *writer);
void top_write_alerts(struct top_writer *writer);

#endif
