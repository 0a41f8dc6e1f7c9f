// SPDX-License-Identifier: Apache-2.0
#include "analytics/session_log.h"

#include "analytics/log_name.h"
#include "capture/byte_input.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 1 << 20 };

struct log_reader {
	log_line_sink *sink;
	void *context;
	struct log_counters *counters;
	size_t length; // bytes at hand
	bool skipping; // the rest of a line that is too long
	char bytes[LOG_LINE_MAX];
};

static void take(struct log_reader *reader, const char *line, size_t length, bool ended)
{
	struct log_counters *counters = reader->counters;
	if (length > 0 && line[length - 1] == '\r')
		length--;
	if (length == 0)
		return;
	counters->lines++;
	switch (reader->sink(reader->context, line, length)) {
	case LOG_LINE_TAKEN:
		counters->taken++;
		break;
	case LOG_LINE_IN_PART:
		counters->taken++;
		counters->in_part++;
		break;
	case LOG_LINE_DAMAGED:
		counters->damaged += ended;
		counters->torn |= !ended;
		break;
	}
}

// All lines that are whole; what follows the last of them moves to the front.
static void take_lines(struct log_reader *reader)
{
	size_t at = 0;
	const char *end;
	while ((end = memchr(reader->bytes + at, '\n', reader->length - at)) != NULL) {
		size_t length = (size_t)(end - reader->bytes) - at;
		if (!reader->skipping)
			take(reader, reader->bytes + at, length, true);
		reader->skipping = false;
		at += length + 1;
	}
	memmove(reader->bytes, reader->bytes + at, reader->length - at);
	reader->length -= at;
	if (reader->length < sizeof reader->bytes && !reader->skipping)
		return;
	reader->counters->lines += !reader->skipping;
	reader->counters->too_long += !reader->skipping;
	reader->skipping = true;
	reader->length = 0;
}

static bool read_lines(struct log_reader *reader, struct byte_input *input, struct error *error)
{
	for (;;) {
		size_t count = 0;
		switch (byte_input_read(input, (uint8_t *)reader->bytes + reader->length,
		    sizeof reader->bytes - reader->length, &count, error)) {
		case INPUT_BYTES:
			reader->length += count;
			take_lines(reader);
			break;
		case INPUT_INTERRUPTED:
			break;
		case INPUT_END:
		case INPUT_FAILED:
			if (!reader->skipping)
				take(reader, reader->bytes, reader->length, false);
			return error->text[0] == '\0';
		}
	}
}

static bool read_input(struct byte_input *input, log_line_sink *sink, void *context,
    struct log_counters *counters, struct error *error)
{
	struct log_reader *reader = malloc(sizeof *reader);
	if (reader == NULL) {
		error_set(error, "%s: no memory to read it", byte_input_name(input));
		return false;
	}
	reader->sink = sink;
	reader->context = context;
	reader->counters = counters;
	reader->length = 0;
	reader->skipping = false;
	error->text[0] = '\0';
	bool good = read_lines(reader, input, error);
	free(reader);
	return good;
}

bool log_read(const char *path, log_line_sink *sink, void *context, struct log_counters *counters,
    struct error *error)
{
	struct byte_input *input = byte_input_open(path, error);
	bool good = input != NULL && read_input(input, sink, context, counters, error);
	byte_input_close(input);
	return good;
}

/* ---- all of a directory ---- */

struct series {
	const char *directory, *log;
	log_line_sink *sink;
	log_file_sink *file_sink;
	void *context;
	struct byte_input
	    *current; // what is written to now, or was when this began; NULL: there is none
	bool current_listed; // it was put aside since
};

static void read_one(
    const struct series *series, struct byte_input *input, const char *path, struct error *error)
{
	struct log_counters counters = {0};
	bool good =
	    input != NULL && read_input(input, series->sink, series->context, &counters, error);
	series->file_sink(series->context, path, &counters, good ? NULL : error);
}

static void path_of(const struct series *series, const struct log_name *name, char path[PATH_MAX])
{
	char text[LOG_NAME_SIZE];
	log_name_text(text, series->log, name);
	snprintf(path, PATH_MAX, "%s/%s", series->directory, text);
}

// It may have been compressed since it was listed.
static void read_listed(struct series *series, struct log_name name)
{
	char path[PATH_MAX];
	struct error error, ignored;
	path_of(series, &name, path);
	struct byte_input *input = byte_input_open(path, &error);
	if (input == NULL && !name.packed) {
		name.packed = true;
		path_of(series, &name, path);
		input = byte_input_open(path, &ignored);
	}
	read_one(series, input, path, &error);
	byte_input_close(input);
}

// Whether what is written to is one of those listed by now; or was, compressed, and is gone.
static void find_current(struct series *series, const struct log_listing *listing)
{
	struct stat current, listed;
	if (series->current == NULL || fstat(byte_input_descriptor(series->current), &current) != 0)
		return;
	series->current_listed = current.st_nlink == 0;
	for (size_t i = 0; i < listing->count; i++) {
		char path[PATH_MAX];
		path_of(series, &listing->names[i], path);
		if (stat(path, &listed) == 0 && listed.st_ino == current.st_ino &&
		    listed.st_dev == current.st_dev)
			series->current_listed = true;
	}
}

size_t log_read_series(const char *directory, const char *log, log_line_sink *sink,
    log_file_sink *file_sink, void *context)
{
	struct series series = {directory, log, sink, file_sink, context, NULL, false};
	struct log_listing listing;
	struct error error, listing_error;
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s.jsonl", directory, log);
	series.current = byte_input_open(path, &error);
	if (!log_listing_read(&listing, directory, log, &listing_error))
		read_one(&series, NULL, directory, &listing_error);
	find_current(&series, &listing);
	for (size_t i = 0; i < listing.count; i++)
		read_listed(&series, listing.names[i]);
	size_t count = listing.count;
	bool missing = series.current == NULL && access(path, F_OK) != 0;
	if (!series.current_listed && !missing) {
		read_one(&series, series.current, path, &error);
		count++;
	}
	byte_input_close(series.current);
	log_listing_free(&listing);
	return count;
}
