// SPDX-License-Identifier: Apache-2.0
// YAML as a stream of events (libyaml), with each mistake told by its line and column. Of YAML only what says
// something in a configuration is taken: anchors, aliases and tags are mistakes. Used by config_file.c.
#ifndef MAILTAP_ANALYTICS_YAML_READER_H
#define MAILTAP_ANALYTICS_YAML_READER_H

#include "analytics/options.h"
#include "capture/base/view.h"

#include <yaml.h>

enum { YAML_READER_DEPTH = 8 }; // collections within each other, in what is skipped

// Where something stands, from 1; columns are characters.
struct yaml_place {
	size_t line, column;
};

struct yaml_reader {
	const char *name; // of the file
	struct view text;
	yaml_parser_t parser;
	yaml_event_t event; // what the parser saw last
	bool stopped; // nothing more can be read
	struct option_errors *errors;
};

// `name` and `text` are borrowed until yaml_reader_end, which is called in any case. False: the text has bytes
// that no YAML has, or there is no memory; *errors says so.
bool yaml_reader_begin(
    struct yaml_reader *reader, const char *name, struct view text, struct option_errors *errors);
void yaml_reader_end(struct yaml_reader *reader);

// The next event into reader->event. False: there is none; if by a mistake, it was told.
bool yaml_reader_next(struct yaml_reader *reader);

// Goes to the end of what begins with the event.
void yaml_reader_skip(struct yaml_reader *reader);

bool yaml_reader_sees(const struct yaml_reader *reader, yaml_event_type_t type);

// A list or a mapping begins.
bool yaml_reader_sees_collection(const struct yaml_reader *reader);

// A scalar that says nothing: what stands behind a lone `key:`, or a word for it.
bool yaml_reader_sees_nothing(const struct yaml_reader *reader);

// The text of a scalar, until the next event.
const char *yaml_reader_scalar(const struct yaml_reader *reader);

// Whether a scalar is characters for printing only: by an escape, any may be in it. False: it was told.
bool yaml_reader_scalar_is_plain(struct yaml_reader *reader);

// Of the event.
struct yaml_place yaml_reader_here(const struct yaml_reader *reader);

// Tells a mistake.
void yaml_reader_complain(struct yaml_reader *reader, struct yaml_place place, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

// Tells that there is no memory, and stops.
void yaml_reader_no_memory(struct yaml_reader *reader);

#endif
