// SPDX-License-Identifier: Apache-2.0
#include "analytics/config_file.h"

#include "analytics/name_distance.h"
#include "analytics/option_values.h"
#include "analytics/yaml_reader.h"
#include "capture/base/read_up_to.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct config_file {
	struct config_setting *settings;
	size_t count;
};

struct reader {
	struct yaml_reader yaml;
	struct config_file *config;
	struct options *trial; // that each value is tried on
	size_t section_lines[OPTION_GROUPS]; // where each section and key begins, 0: not seen
	size_t key_lines[OPTION_ROWS_MAX];
};

// Tells a mistake in what the parser sees.
#define COMPLAIN(reader, ...)                                                                      \
	yaml_reader_complain(&(reader)->yaml, yaml_reader_here(&(reader)->yaml), __VA_ARGS__)

/* ---- values ---- */

static bool add_setting(
    struct reader *reader, const struct option_row *row, char *value, struct yaml_place place)
{
	struct config_file *config = reader->config;
	if ((config->count & (config->count - 1)) == 0) { // the room is a power of two, and full
		size_t room = config->count > 0 ? 2 * config->count : 1;
		struct config_setting *more = realloc(config->settings, room * sizeof *more);
		if (more == NULL)
			return false;
		config->settings = more;
	}
	config->settings[config->count++] =
	    (struct config_setting){row, value, place.line, place.column};
	return true;
}

// Takes a copy of the value, or NULL of an option without one, as a setting, and tries it.
static void take(
    struct reader *reader, const struct option_row *row, char *value, struct yaml_place place)
{
	struct error error = {""};
	if (!add_setting(reader, row, value, place)) {
		free(value);
		yaml_reader_no_memory(&reader->yaml);
		return;
	}
	if (!row->kind->read(reader->trial, row, row->name, value, &error) ||
	    (row->kind == &option_filter && !option_filter_check(value, &error)))
		yaml_reader_complain(&reader->yaml, place, "%s", error.text);
}

static void read_flag(struct reader *reader, const struct option_row *row)
{
	const char *text = yaml_reader_scalar(&reader->yaml);
	if (strcmp(text, "true") == 0)
		take(reader, row, NULL, yaml_reader_here(&reader->yaml));
	else if (strcmp(text, "false") != 0)
		COMPLAIN(reader, "%s: \"%.40s\" is neither true nor false", row->name, text);
}

// Whether the event is one value, as text. False: that was told, and it is behind us.
static bool sees_text(struct reader *reader, const struct option_row *row)
{
	struct yaml_reader *yaml = &reader->yaml;
	if (yaml_reader_sees_nothing(yaml))
		COMPLAIN(reader, "%s: has no value; leave it out, or put # in front", row->name);
	else if (yaml_reader_sees(yaml, YAML_SCALAR_EVENT))
		return yaml_reader_scalar_is_plain(yaml);
	else if (!yaml_reader_sees(yaml, YAML_ALIAS_EVENT)) // that was told
		COMPLAIN(reader, "%s: expected a value", row->name);
	yaml_reader_skip(yaml);
	return false;
}

static void read_one(struct reader *reader, const struct option_row *row)
{
	if (!sees_text(reader, row))
		return;
	if (row->argument == NULL) {
		read_flag(reader, row);
		return;
	}
	char *value = strdup(yaml_reader_scalar(&reader->yaml));
	if (value == NULL)
		yaml_reader_no_memory(&reader->yaml);
	else
		take(reader, row, value, yaml_reader_here(&reader->yaml));
}

// The next item of a list. False: there is none.
static bool next_item(struct reader *reader)
{
	return yaml_reader_next(&reader->yaml) &&
	       !yaml_reader_sees(&reader->yaml, YAML_SEQUENCE_END_EVENT);
}

// Appends text to a string, or frees it and makes it NULL: no memory.
static void append(char **string, const char *text, char between)
{
	size_t have = strlen(*string), more = strlen(text);
	char *longer = realloc(*string, have + 1 + more + 1);
	if (longer == NULL)
		free(*string);
	*string = longer;
	if (longer == NULL)
		return;
	if (have > 0)
		longer[have++] = between;
	memcpy(longer + have, text, more + 1);
}

// A list that is one value on the command line.
static void read_joined(struct reader *reader, const struct option_row *row)
{
	struct yaml_place place = yaml_reader_here(&reader->yaml);
	char *value = strdup("");
	bool good = true;
	while (value != NULL && next_item(reader)) {
		if (sees_text(reader, row))
			append(&value, yaml_reader_scalar(&reader->yaml), row->kind->joined_by);
		else
			good = false;
	}
	if (value == NULL)
		yaml_reader_no_memory(&reader->yaml);
	else if (good && !reader->yaml.stopped)
		take(reader, row, value, place);
	else
		free(value);
}

static void read_value(struct reader *reader, const struct option_row *row)
{
	if (!yaml_reader_sees(&reader->yaml, YAML_SEQUENCE_START_EVENT)) {
		read_one(reader, row);
	} else if (row->kind->joined_by != '\0') {
		read_joined(reader, row);
	} else if (row->kind->list) {
		while (next_item(reader))
			read_one(reader, row);
	} else {
		COMPLAIN(reader, "%s: takes one value, not a list", row->name);
		yaml_reader_skip(&reader->yaml);
	}
}

/* ---- keys and sections ---- */

static const struct option_row *find_row(const char *name)
{
	for (size_t i = 0; i < option_rows; i++)
		if (strcmp(option_table[i].name, name) == 0)
			return &option_table[i];
	return NULL;
}

static enum option_group find_section(const char *name)
{
	for (enum option_group group = OPTION_GROUP_NONE + 1; group < OPTION_GROUPS; group++)
		if (strcmp(option_group_name(group), name) == 0)
			return group;
	return OPTION_GROUP_NONE;
}

// Keeps the nearer one.
static void consider(
    const char *candidate, const char *name, const char **nearest, size_t *distance)
{
	size_t found = name_distance(name, candidate);
	if (found > name_distance_near(name) || found >= *distance)
		return;
	*nearest = candidate;
	*distance = found;
}

static void explain_key(struct reader *reader, const char *name)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;
	for (size_t i = 0; i < option_rows; i++)
		if (option_table[i].group != OPTION_GROUP_NONE)
			consider(option_table[i].name, name, &nearest, &distance);
	if (nearest != NULL)
		COMPLAIN(reader, "unknown key \"%.80s\"; did you mean \"%s\"?", name, nearest);
	else
		COMPLAIN(reader, "unknown key \"%.80s\"; mailtap --help lists them", name);
}

static void explain_section(struct reader *reader, const char *name)
{
	const char *nearest = NULL;
	size_t distance = SIZE_MAX;
	const struct option_row *row = find_row(name);
	for (enum option_group group = OPTION_GROUP_NONE + 1; group < OPTION_GROUPS; group++)
		consider(option_group_name(group), name, &nearest, &distance);
	if (row != NULL && row->group != OPTION_GROUP_NONE)
		COMPLAIN(reader, "\"%s\" belongs in the section \"%s\"", name,
		    option_group_name(row->group));
	else if (nearest != NULL)
		COMPLAIN(reader, "unknown section \"%.80s\"; did you mean \"%s\"?", name, nearest);
	else
		COMPLAIN(reader, "unknown section \"%.80s\"", name);
}

// Whether it is the first of its name; *seen is where that stands.
static bool is_first(struct reader *reader, const char *name, size_t *seen)
{
	if (*seen != 0) {
		COMPLAIN(reader, "\"%s\" stands here a second time; the first is in line %zu", name,
		    *seen);
		return false;
	}
	*seen = yaml_reader_here(&reader->yaml).line;
	return true;
}

// The option whose key the event is, in its section. NULL: none that may stand here.
static const struct option_row *read_key(struct reader *reader, enum option_group section)
{
	if (!yaml_reader_scalar_is_plain(&reader->yaml))
		return NULL;
	const char *name = yaml_reader_scalar(&reader->yaml);
	const struct option_row *row = find_row(name);
	if (row == NULL)
		explain_key(reader, name);
	else if (row->group == OPTION_GROUP_NONE)
		COMPLAIN(reader, "\"%s\" is for the command line only", name);
	else if (row->group != section)
		COMPLAIN(reader, "\"%s\" belongs in the section \"%s\"", name,
		    option_group_name(row->group));
	else if (is_first(reader, name, &reader->key_lines[row - option_table]))
		return row;
	return NULL;
}

static void read_keys(struct reader *reader, enum option_group section)
{
	while (yaml_reader_next(&reader->yaml) &&
	       !yaml_reader_sees(&reader->yaml, YAML_MAPPING_END_EVENT)) {
		const struct option_row *row = NULL;
		if (yaml_reader_sees(&reader->yaml, YAML_SCALAR_EVENT)) {
			row = read_key(reader, section);
		} else {
			COMPLAIN(reader, "expected a key");
			yaml_reader_skip(&reader->yaml);
		}
		if (!yaml_reader_next(&reader->yaml))
			return;
		if (row != NULL)
			read_value(reader, row);
		else
			yaml_reader_skip(&reader->yaml);
	}
}

static enum option_group read_section_name(struct reader *reader)
{
	if (!yaml_reader_sees(&reader->yaml, YAML_SCALAR_EVENT)) {
		COMPLAIN(reader, "expected a section");
		yaml_reader_skip(&reader->yaml);
		return OPTION_GROUP_NONE;
	}
	if (!yaml_reader_scalar_is_plain(&reader->yaml))
		return OPTION_GROUP_NONE;
	const char *name = yaml_reader_scalar(&reader->yaml);
	enum option_group section = find_section(name);
	if (section == OPTION_GROUP_NONE)
		explain_section(reader, name);
	else if (is_first(reader, name, &reader->section_lines[section]))
		return section;
	return OPTION_GROUP_NONE;
}

static void read_sections(struct reader *reader)
{
	while (yaml_reader_next(&reader->yaml) &&
	       !yaml_reader_sees(&reader->yaml, YAML_MAPPING_END_EVENT)) {
		enum option_group section = read_section_name(reader);
		if (!yaml_reader_next(&reader->yaml))
			return;
		if (section != OPTION_GROUP_NONE &&
		    yaml_reader_sees(&reader->yaml, YAML_MAPPING_START_EVENT)) {
			read_keys(reader, section);
			continue;
		}
		if (section != OPTION_GROUP_NONE && !yaml_reader_sees_nothing(&reader->yaml))
			COMPLAIN(reader, "%s: expected keys, each in a line of its own",
			    option_group_name(section));
		yaml_reader_skip(&reader->yaml);
	}
}

static void read_document(struct reader *reader)
{
	if (!yaml_reader_next(&reader->yaml))
		return;
	if (yaml_reader_sees(&reader->yaml, YAML_MAPPING_START_EVENT)) {
		read_sections(reader);
	} else {
		if (!yaml_reader_sees_nothing(&reader->yaml))
			COMPLAIN(reader, "expected sections, as \"logs:\"");
		yaml_reader_skip(&reader->yaml);
	}
	yaml_reader_next(&reader->yaml); // its end
}

static void read_stream(struct reader *reader)
{
	if (!yaml_reader_next(&reader->yaml) || !yaml_reader_next(&reader->yaml) ||
	    !yaml_reader_sees(&reader->yaml, YAML_DOCUMENT_START_EVENT))
		return;
	read_document(reader);
	if (yaml_reader_next(&reader->yaml) &&
	    yaml_reader_sees(&reader->yaml, YAML_DOCUMENT_START_EVENT))
		COMPLAIN(reader, "a second document begins; there may be only one");
}

/* ---- the whole ---- */

static void read_text(struct reader *reader)
{
	reader->config = calloc(1, sizeof *reader->config);
	reader->trial = options_create();
	if (reader->config == NULL || reader->trial == NULL)
		yaml_reader_no_memory(&reader->yaml);
	else
		read_stream(reader);
	options_free(reader->trial);
}

struct config_file *config_text_read(
    const char *name, struct view text, struct option_errors *errors)
{
	struct reader reader = {.config = NULL};
	if (yaml_reader_begin(&reader.yaml, name, text, errors))
		read_text(&reader);
	yaml_reader_end(&reader.yaml);
	if (errors->count == 0)
		return reader.config;
	config_file_free(reader.config);
	return NULL;
}

// What is wrong with a file as a whole.
static bool read_opened(
    int file, const char *path, uint8_t *bytes, size_t *length, struct error *error)
{
	ssize_t count = read_up_to(file, bytes, CONFIG_FILE_MAX + 1);
	*length = count >= 0 ? (size_t)count : 0;
	if (count < 0)
		error_set(error, "--config: %.200s: cannot be read: %s", path, strerror(errno));
	else if (count > CONFIG_FILE_MAX)
		error_set(error, "--config: %.200s: larger than 256 KiB: no configuration", path);
	else
		return true;
	return false;
}

struct config_file *config_file_read(const char *path, struct option_errors *errors)
{
	struct config_file *config = NULL;
	size_t length;
	uint8_t *bytes = malloc(CONFIG_FILE_MAX + 1);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	*errors = (struct option_errors){.count = 0};
	if (bytes == NULL || file < 0)
		error_set(&errors->errors[0], "--config: %.200s: cannot be opened: %s", path,
		    strerror(errno));
	else if (read_opened(file, path, bytes, &length, &errors->errors[0]))
		config = config_text_read(path, view_of(bytes, length), errors);
	if (config == NULL && errors->count == 0)
		errors->count = 1; // the file itself
	if (file >= 0)
		(void)close(file);
	free(bytes);
	return config;
}

const struct config_setting *config_settings(const struct config_file *config, size_t *count)
{
	*count = config->count;
	return config->settings;
}

void config_file_free(struct config_file *config)
{
	if (config == NULL)
		return;
	for (size_t i = 0; i < config->count; i++)
		free((char *)(uintptr_t)config->settings[i].value);
	free(config->settings);
	free(config);
}
