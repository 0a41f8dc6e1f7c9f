// SPDX-License-Identifier: Apache-2.0
#include "analytics/yaml_reader.h"

#include "analytics/plain_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- places ---- */

static struct yaml_place place_of(yaml_mark_t mark)
{
	return (struct yaml_place){mark.line + 1, mark.column + 1};
}

struct yaml_place yaml_reader_here(const struct yaml_reader *reader)
{
	return place_of(reader->event.start_mark);
}

// Of a byte of the text.
static struct yaml_place place_at(struct view text, size_t offset)
{
	struct yaml_place place = {1, 1};
	for (size_t i = 0; i < offset && i < text.length; i++) {
		if (text.data[i] == '\n')
			place = (struct yaml_place){place.line + 1, 1};
		else if ((text.data[i] & 0xc0) != 0x80)
			place.column++;
	}
	return place;
}

// The byte at a place; 0: the text ends before.
static uint8_t byte_at(struct view text, struct yaml_place place)
{
	const uint8_t *line = text.data, *end = text.data + text.length;
	for (size_t i = 1; i < place.line && line != NULL && line < end; i++) {
		line = memchr(line, '\n', (size_t)(end - line));
		line = line != NULL ? line + 1 : end;
	}
	for (size_t i = 1; i < place.column && line != NULL && line < end; i++)
		for (line++; line < end && (*line & 0xc0) == 0x80;)
			line++;
	return line != NULL && line < end ? *line : 0;
}

/* ---- mistakes ---- */

void yaml_reader_complain(
    struct yaml_reader *reader, struct yaml_place place, const char *format, ...)
{
	char reason[sizeof(struct error)];
	struct option_errors *errors = reader->errors;
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(reason, sizeof reason, format, arguments);
	va_end(arguments);
	if (errors->count == OPTION_ERRORS_MAX)
		errors->left_out++;
	else
		error_set(&errors->errors[errors->count++], "%.200s:%zu:%zu: %s", reader->name,
		    place.line, place.column, reason);
}

void yaml_reader_no_memory(struct yaml_reader *reader)
{
	yaml_reader_complain(reader, yaml_reader_here(reader), "no memory");
	reader->stopped = true;
}

static void explain_syntax(struct yaml_reader *reader)
{
	const yaml_parser_t *parser = &reader->parser;
	const char *problem = parser->problem != NULL ? parser->problem : "not understood";
	struct yaml_place place = parser->error == YAML_READER_ERROR
	                              ? place_at(reader->text, parser->problem_offset)
	                              : place_of(parser->problem_mark);
	if (parser->error == YAML_MEMORY_ERROR)
		yaml_reader_complain(reader, place, "no memory");
	else if (byte_at(reader->text, place) == '\t')
		yaml_reader_complain(reader, place, "a tab; YAML is indented with spaces");
	else if (parser->context != NULL)
		yaml_reader_complain(reader, place, "not YAML: %s, %s that begins in line %zu",
		    problem, parser->context, parser->context_mark.line + 1);
	else
		yaml_reader_complain(reader, place, "not YAML: %s", problem);
}

// What no YAML holds. The parser would tell it without its place.
static bool check_characters(struct yaml_reader *reader)
{
	const struct view text = reader->text;
	uint32_t code;
	for (size_t i = 0, step; i < text.length; i += step) {
		step = utf8_code_point(text.data + i, text.length - i, &code);
		if (step == 0)
			yaml_reader_complain(
			    reader, place_at(text, i), "not UTF-8: a byte 0x%02x", text.data[i]);
		else if (code < 0x20 && code != '\t' && code != '\n' && code != '\r')
			yaml_reader_complain(reader, place_at(text, i),
			    "a control character (byte 0x%02x)", text.data[i]);
		else
			continue;
		return false;
	}
	return true;
}

/* ---- events ---- */

static bool is_tagged(const yaml_event_t *event)
{
	return (event->type == YAML_SCALAR_EVENT && event->data.scalar.tag != NULL) ||
	       (event->type == YAML_SEQUENCE_START_EVENT &&
	           event->data.sequence_start.tag != NULL) ||
	       (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag != NULL);
}

static bool is_anchored(const yaml_event_t *event)
{
	return event->type == YAML_ALIAS_EVENT ||
	       (event->type == YAML_SCALAR_EVENT && event->data.scalar.anchor != NULL) ||
	       (event->type == YAML_SEQUENCE_START_EVENT &&
	           event->data.sequence_start.anchor != NULL) ||
	       (event->type == YAML_MAPPING_START_EVENT &&
	           event->data.mapping_start.anchor != NULL);
}

bool yaml_reader_next(struct yaml_reader *reader)
{
	yaml_event_delete(&reader->event);
	if (reader->stopped)
		return false;
	if (!yaml_parser_parse(&reader->parser, &reader->event)) {
		explain_syntax(reader);
		reader->stopped = true;
		return false;
	}
	if (is_tagged(&reader->event))
		yaml_reader_complain(reader, yaml_reader_here(reader),
		    "tags (!) are not taken; quote a value that begins so");
	if (is_anchored(&reader->event))
		yaml_reader_complain(reader, yaml_reader_here(reader),
		    "anchors and aliases (&, *) are not taken; quote a value that begins so");
	return true;
}

bool yaml_reader_sees(const struct yaml_reader *reader, yaml_event_type_t type)
{
	return reader->event.type == type;
}

bool yaml_reader_sees_collection(const struct yaml_reader *reader)
{
	return yaml_reader_sees(reader, YAML_MAPPING_START_EVENT) ||
	       yaml_reader_sees(reader, YAML_SEQUENCE_START_EVENT);
}

void yaml_reader_skip(struct yaml_reader *reader)
{
	size_t depth = yaml_reader_sees_collection(reader);
	while (depth > 0 && yaml_reader_next(reader)) {
		depth += yaml_reader_sees_collection(reader);
		depth -= yaml_reader_sees(reader, YAML_MAPPING_END_EVENT) ||
		         yaml_reader_sees(reader, YAML_SEQUENCE_END_EVENT);
		if (depth > YAML_READER_DEPTH) {
			yaml_reader_complain(reader, yaml_reader_here(reader), "nested too deeply");
			reader->stopped = true;
		}
	}
}

/* ---- scalars ---- */

const char *yaml_reader_scalar(const struct yaml_reader *reader)
{
	return (const char *)reader->event.data.scalar.value;
}

bool yaml_reader_sees_nothing(const struct yaml_reader *reader)
{
	static const char *const nothing[] = {"", "~", "null", "Null", "NULL"};
	if (!yaml_reader_sees(reader, YAML_SCALAR_EVENT) ||
	    reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
		if (strcmp(yaml_reader_scalar(reader), nothing[i]) == 0)
			return true;
	return false;
}

bool yaml_reader_scalar_is_plain(struct yaml_reader *reader)
{
	const uint8_t *bytes = reader->event.data.scalar.value;
	uint32_t code;
	size_t length = reader->event.data.scalar.length;
	for (size_t i = 0, step; i < length; i += step) {
		step = utf8_code_point(bytes + i, length - i, &code);
		if (step > 0 && !code_point_is_unsafe(code))
			continue;
		yaml_reader_complain(reader, yaml_reader_here(reader),
		    "holds a line break or another character that is not for printing");
		return false;
	}
	return true;
}

/* ---- the whole ---- */

bool yaml_reader_begin(
    struct yaml_reader *reader, const char *name, struct view text, struct option_errors *errors)
{
	*reader = (struct yaml_reader){.name = name, .text = text, .errors = errors};
	if (!yaml_parser_initialize(&reader->parser)) {
		yaml_reader_no_memory(reader);
		return false;
	}
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, text.data, text.length);
	return check_characters(reader);
}

void yaml_reader_end(struct yaml_reader *reader)
{
	yaml_event_delete(&reader->event);
	yaml_parser_delete(&reader->parser);
}
