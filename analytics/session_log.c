// SPDX-License-Identifier: Apache-2.0
#include "analytics/session_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

static bool read_lines(struct log_reader *reader, int descriptor)
{
	for (;;) {
		ssize_t count = read(descriptor, reader->bytes + reader->length,
		    sizeof reader->bytes - reader->length);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			if (!reader->skipping)
				take(reader, reader->bytes, reader->length, false);
			return count == 0;
		}
		reader->length += (size_t)count;
		take_lines(reader);
	}
}

bool log_read(const char *path, log_line_sink *sink, void *context, struct log_counters *counters,
    struct error *error)
{
	bool standard_input = strcmp(path, "-") == 0;
	int descriptor = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0) {
		error_set(error, "%s: cannot be read: %s", path, strerror(errno));
		return false;
	}
	struct log_reader *reader = malloc(sizeof *reader);
	bool good = reader != NULL;
	error_set(error, "%s: no memory to read it", path);
	if (good) {
		reader->sink = sink;
		reader->context = context;
		reader->counters = counters;
		reader->length = 0;
		reader->skipping = false;
		good = read_lines(reader, descriptor);
		if (!good)
			error_set(
			    error, "%s: could not be read to its end: %s", path, strerror(errno));
	}
	free(reader);
	if (!standard_input)
		close(descriptor);
	return good;
}
