// SPDX-License-Identifier: Apache-2.0
#include "decode/pattern_file.h"

#include "capture/base/read_up_to.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Where a text is being read.
struct reading {
	struct pattern_list *list;
	const char *name;
	unsigned line;
	enum pattern_class class; // PATTERN_CLASSES: none was named yet
	struct error *error;
};

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct view trimmed(struct view text)
{
	while (text.length > 0 && is_blank(text.data[0]))
		view_take(&text, 1);
	while (text.length > 0 && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

static bool is_text(struct view view, const char *text)
{
	return view.length == strlen(text) && memcmp(view.data, text, view.length) == 0;
}

// Says what is wrong with the line being read. Always false.
static bool wrong(struct reading *reading, const char *what)
{
	error_set(reading->error, "%s:%u: %s", reading->name, reading->line, what);
	return false;
}

static char *copy_of(struct view text)
{
	char *copy = malloc(text.length + 1);
	if (copy == NULL)
		return NULL;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	return copy;
}

/* ---- the parts of a line ---- */

// "identifier  /", the expression's beginning left over. False: there is no slash behind a blank.
static bool split_identifier(struct view *line, struct view *identifier)
{
	for (size_t i = 1; i < line->length; i++) {
		if (line->data[i] != '/' || !is_blank(line->data[i - 1]))
			continue;
		*identifier = trimmed(view_split(line, i));
		view_take(line, 1);
		return identifier->length > 0;
	}
	return false;
}

// "expression/", the flags left over. False: there is no slash.
static bool split_expression(struct view *line, struct view *expression)
{
	for (size_t i = line->length; i > 0; i--) {
		if (line->data[i - 1] != '/')
			continue;
		*expression = view_split(line, i - 1);
		view_take(line, 1);
		return true;
	}
	return false;
}

static bool is_identifier(struct view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < ' ' || text.data[i] > '~' || text.data[i] == '"' ||
		    text.data[i] == '\\')
			return false;
	return text.length <= PATTERN_IDENTIFIER_MAX;
}

static bool read_flags(struct view flags, struct pattern *pattern)
{
	if (flags.length > 0 && flags.data[0] == 'i') {
		pattern->caseless = true;
		view_take(&flags, 1);
	}
	if (is_text(flags, "{edit_distance=1}"))
		pattern->edit_distance = 1;
	return flags.length == 0 || pattern->edit_distance == 1;
}

/* ---- lines ---- */

static bool add(struct pattern_list *list, const struct pattern *pattern)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity > 0 ? list->capacity * 2 : 256;
		struct pattern *more = realloc(list->patterns, capacity * sizeof *more);
		if (more == NULL)
			return false;
		list->patterns = more;
		list->capacity = capacity;
	}
	list->patterns[list->count++] = *pattern;
	return true;
}

static bool add_pattern(struct reading *reading, struct pattern *pattern, struct view identifier,
    struct view expression)
{
	bool exception = is_text(identifier, "-");
	pattern->identifier = exception ? NULL : copy_of(identifier);
	pattern->expression = copy_of(expression);
	bool good = (exception || pattern->identifier != NULL) && pattern->expression != NULL &&
	            add(reading->list, pattern);
	if (good)
		return true;
	free(pattern->identifier);
	free(pattern->expression);
	return wrong(reading, "no memory for its pattern");
}

static bool read_pattern(struct reading *reading, struct view line)
{
	struct view identifier, expression;
	struct pattern pattern = {
	    .class = reading->class, .file = reading->name, .line = reading->line};
	if (!split_identifier(&line, &identifier) || !split_expression(&line, &expression))
		return wrong(reading, "no pattern: expected identifier /expression/flags");
	if (!is_identifier(identifier))
		return wrong(reading, "the identifier is longer than 64 characters, or has others "
		                      "than letters, digits and signs of ASCII");
	if (!read_flags(line, &pattern))
		return wrong(reading,
		    "unknown flags behind the last slash: there are i and {edit_distance=1}");
	if (memchr(expression.data, '\0', expression.length) != NULL)
		return wrong(reading, "a zero byte in the expression; write \\x00");
	if (reading->class == PATTERN_CLASSES)
		return wrong(reading, "a pattern before any [class]");
	if (reading->list->count == PATTERNS_MAX)
		return wrong(reading, "too many patterns: 16384 may be in all files together");
	return add_pattern(reading, &pattern, identifier, expression);
}

static bool read_class(struct reading *reading, struct view line)
{
	if (line.data[line.length - 1] != ']')
		return wrong(reading, "expected ] at the line's end, behind the class");
	struct view name = trimmed(view_of(line.data + 1, line.length - 2));
	reading->class = pattern_class_of((const char *)name.data, name.length);
	if (reading->class != PATTERN_CLASSES)
		return true;
	error_set(reading->error, "%s:%u: there is no class \"%.*s\"", reading->name, reading->line,
	    name.length < PATTERN_IDENTIFIER_MAX ? (int)name.length : PATTERN_IDENTIFIER_MAX,
	    (const char *)name.data);
	return false;
}

static bool read_line(struct reading *reading, struct view line)
{
	if (line.length > PATTERN_LINE_MAX)
		return wrong(reading, "longer than 4096 bytes");
	line = trimmed(line);
	if (line.length == 0 || line.data[0] == '#')
		return true;
	return line.data[0] == '[' ? read_class(reading, line) : read_pattern(reading, line);
}

bool pattern_text_read(
    struct pattern_list *list, const char *name, struct view text, struct error *error)
{
	struct reading reading = {
	    .list = list, .name = name, .class = PATTERN_CLASSES, .error = error};
	while (text.length > 0) {
		const uint8_t *end = memchr(text.data, '\n', text.length);
		size_t length = end != NULL ? (size_t)(end - text.data) : text.length;
		reading.line++;
		if (!read_line(&reading, view_split(&text, length)))
			return false;
		if (end != NULL)
			view_take(&text, 1);
	}
	return true;
}

/* ---- files ---- */

static bool read_opened(struct pattern_list *list, const char *path, int file, struct error *error)
{
	enum { SIZE = PATTERN_FILE_MAX + 1 };
	bool good = false;
	uint8_t *bytes = malloc(SIZE);
	ssize_t length = bytes != NULL ? read_up_to(file, bytes, SIZE) : -1;
	if (length < 0)
		error_set(error, "%s: cannot read the patterns: %s", path, strerror(errno));
	else if (length == SIZE)
		error_set(error, "%s: larger than 1 MiB: no file of patterns", path);
	else
		good = pattern_text_read(list, path, view_of(bytes, (size_t)length), error);
	free(bytes);
	return good;
}

bool pattern_file_read(struct pattern_list *list, const char *path, struct error *error)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		error_set(error, "%s: cannot open the patterns: %s", path, strerror(errno));
		return false;
	}
	bool good = read_opened(list, path, file, error);
	(void)close(file);
	return good;
}

void pattern_list_free(struct pattern_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->patterns[i].identifier);
		free(list->patterns[i].expression);
	}
	free(list->patterns);
	*list = (struct pattern_list){0};
}
