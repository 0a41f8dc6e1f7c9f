// SPDX-License-Identifier: Apache-2.0
#include "analytics/metrics_classic.h"

#include <stdbool.h>
#include <string.h>

// A line without its end.
struct line {
	const char *text;
	size_t length;
};

static bool begins_with(struct line line, const char *start)
{
	size_t length = strlen(start);
	return line.length >= length && memcmp(line.text, start, length) == 0;
}

static bool ends_with(struct line line, const char *end)
{
	size_t length = strlen(end);
	return line.length >= length && memcmp(line.text + line.length - length, end, length) == 0;
}

// "# HELP NAME ..." becomes "# HELP NAME_total ...".
static void write_counter_head(struct line line, size_t name_at, FILE *out)
{
	const char *behind = memchr(line.text + name_at, ' ', line.length - name_at);
	size_t name_end = behind != NULL ? (size_t)(behind - line.text) : line.length;
	fwrite(line.text, 1, name_end, out);
	fputs("_total", out);
	fwrite(line.text + name_end, 1, line.length - name_end, out);
	fputc('\n', out);
}

void metrics_classic_write(const char *page, size_t length, FILE *out)
{
	static const char type[] = "# TYPE ", help[] = "# HELP ";
	bool counter = false; // so is the family whose lines these are; its type comes first
	for (const char *at = page, *end = page + length; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		struct line line = {at, (size_t)((stop != NULL ? stop : end) - at)};
		bool is_type = begins_with(line, type);
		at += line.length + 1;
		if (is_type)
			counter = ends_with(line, " counter");
		if (begins_with(line, "# UNIT ") || begins_with(line, "# EOF"))
			continue;
		if (counter && (is_type || begins_with(line, help))) {
			write_counter_head(line, sizeof type - 1, out);
			continue;
		}
		fwrite(line.text, 1, line.length, out);
		fputc('\n', out);
	}
}
