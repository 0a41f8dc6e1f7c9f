// SPDX-License-Identifier: Apache-2.0
#include "analytics/top/top_text.h"

#include "analytics/plain_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void top_begin(struct top_writer *writer, enum top_style style)
{
	struct top_frame *frame = writer->frame;
	writer->line = frame->count < TOP_LINES_MAX ? &frame->lines[frame->count++] : NULL;
	writer->columns = writer->bytes = 0;
	if (writer->line == NULL)
		return;
	writer->line->style = style;
	writer->line->right_at = 0;
	writer->line->text[0] = '\0';
}

static size_t width_of(const struct top_writer *writer)
{
	size_t columns = writer->look->columns;
	return columns < TOP_COLUMNS_MAX ? columns : TOP_COLUMNS_MAX;
}

// Columns that are left.
static size_t room_of(const struct top_writer *writer)
{
	size_t width = width_of(writer);
	return writer->line != NULL && writer->columns < width ? width - writer->columns : 0;
}

// `text` has no more columns than there is room for.
static void add(struct top_writer *writer, const char *text, size_t columns)
{
	size_t bytes = strlen(text);
	memcpy(writer->line->text + writer->bytes, text, bytes + 1);
	writer->bytes += bytes;
	writer->columns += columns;
}

void top_at(struct top_writer *writer, size_t column)
{
	char blanks[TOP_COLUMNS_MAX + 1];
	size_t count = column > writer->columns ? column - writer->columns : 1;
	size_t room = room_of(writer);
	count = count < room ? count : room;
	memset(blanks, ' ', count);
	blanks[count] = '\0';
	if (writer->line != NULL)
		add(writer, blanks, count);
}

// Something had no room: without a mark, "25" that was cut would be "2".
static void mark_cut(struct top_writer *writer)
{
	char *last = writer->bytes > 0 ? &writer->line->text[writer->bytes - 1] : NULL;
	if (last != NULL && (unsigned char)*last < 0x80 && writer->columns == width_of(writer))
		*last = '>';
}

void top_put(struct top_writer *writer, const char *format, ...)
{
	char text[TOP_COLUMNS_MAX + 1];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	size_t room = room_of(writer), count = length > 0 ? strlen(text) : 0;
	if (writer->line == NULL)
		return;
	bool cut = count > room && text[room + strspn(text + room, " ")] != '\0';
	count = count < room ? count : room;
	text[count] = '\0';
	add(writer, text, count);
	if (cut)
		mark_cut(writer);
}

void top_begin_right(struct top_writer *writer, enum top_style style)
{
	if (writer->line == NULL)
		return;
	writer->line->right = style;
	writer->line->right_at = writer->bytes;
}

static void make_ascii(char *text)
{
	size_t to = 0;
	for (size_t i = 0; text[i] != '\0'; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte < 0x80)
			text[to++] = text[i];
		else if (byte >= 0xc0) // the first of a character
			text[to++] = '?';
	}
	text[to] = '\0';
}

void top_put_text(struct top_writer *writer, const json_t *text, size_t columns)
{
	char shown[TOP_LINE_SIZE];
	size_t room = room_of(writer);
	columns = columns < room ? columns : room;
	if (!json_is_string(text)) {
		top_put(writer, "-");
		return;
	}
	if (columns == 0) {
		if (writer->line != NULL && json_string_length(text) > 0)
			mark_cut(writer);
		return;
	}
	size_t used = plain_text(
	    shown, columns, (const uint8_t *)json_string_value(text), json_string_length(text));
	if (writer->look->ascii)
		make_ascii(shown);
	add(writer, shown, used);
}

void top_put_server(struct top_writer *writer, const json_t *of)
{
	enum { WHOLE = 255 };
	const json_t *address = json_object_get(of, "server_ip");
	bool colons = strchr(top_string(of, "server_ip"), ':') != NULL;
	top_put(writer, "%s", colons ? "[" : "");
	top_put_text(writer, address, WHOLE);
	top_put(writer, "%s", colons ? "]" : "");
	if (json_is_integer(json_object_get(of, "server_port")))
		top_put(writer, ":%" PRIu64, top_number(of, "server_port"));
}

void top_put_time(struct top_writer *writer, const json_t *object, const char *key, bool day)
{
	enum { DAY = 11, SECONDS_END = 19 };
	const char *text = top_string(object, key);
	char shown[SECONDS_END + 1] = "-";
	bool whole = strlen(text) >= SECONDS_END && text[DAY - 1] == 'T';
	if (whole) {
		memcpy(shown, text, SECONDS_END);
		shown[SECONDS_END] = '\0';
		shown[DAY - 1] = ' ';
	}
	json_t *part = json_string(whole && !day ? shown + DAY : shown);
	top_put_text(writer, part, SECONDS_END);
	json_decref(part);
}

void top_put_number(struct top_writer *writer, const json_t *number, size_t columns)
{
	if (json_is_integer(number) && json_integer_value(number) >= 0)
		top_put(writer, "%*" PRIu64, (int)columns, (uint64_t)json_integer_value(number));
	else
		top_put(writer, "%*s", (int)columns, "-");
}

// Never rounds to 0 or 100 what is not.
void top_put_share(struct top_writer *writer, uint64_t part, uint64_t of)
{
	enum { PERCENT = 100 };
	double percent = of > 0 ? PERCENT * (double)part / (double)of : 0;
	if (part > 0 && percent < 0.1)
		percent = 0.1;
	if (part < of && percent > 99.9)
		percent = 99.9;
	if (of == 0)
		top_put(writer, "%7s", "-");
	else
		top_put(writer, "%5.1f %%", percent);
}

uint64_t top_number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
	return number > 0 ? (uint64_t)number : 0;
}

const char *top_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

void top_rate(char text[TOP_RATE_SIZE], double rate)
{
	static const char units[] = " kMGTPE";
	size_t unit = 0;
	while (rate >= 999.5 && unit + 2 < sizeof units) {
		rate /= 1000;
		unit++;
	}
	snprintf(text, TOP_RATE_SIZE, rate < 99.95 ? "%.1f%s%c" : "%.0f%s%c", rate,
	    unit > 0 ? " " : "", unit > 0 ? units[unit] : '\0');
}
