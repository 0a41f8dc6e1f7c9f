// SPDX-License-Identifier: Apache-2.0
// Reads back what a run wrote of its capture.
#include "analytics/capture_accounting.h"
#include "analytics/time_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static bool read_time(const json_t *record, const char *key, nanoseconds *time)
{
	const char *text = json_string_value(json_object_get(record, key));
	return text != NULL && time_text_read(text, time);
}

bool capture_accounting_read(struct capture_line *capture, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	const char *kind = json_string_value(json_object_get(record, "kind"));
	const char *run = json_string_value(json_object_get(record, "run"));
	const json_t *said = json_object_get(record, "capture");
	*capture = (struct capture_line){.whole = kind != NULL && strcmp(kind, "run") == 0};
	snprintf(capture->run, sizeof capture->run, "%s", run != NULL ? run : "");
	bool good = json_is_object(said) &&
	            (capture->whole || (kind != NULL && strcmp(kind, "interval") == 0));
	for (size_t i = 0; good && i < CAPTURE_COUNTERS; i++) {
		const json_t *value = json_object_get(said, capture_counter_key(i));
		json_int_t count = json_integer_value(value);
		capture->accounting.counters[i] = count > 0 ? (uint64_t)count : 0;
	}
	capture->timed = read_time(record, "start", &capture->start) &&
	                 read_time(record, "end", &capture->end);
	json_decref(record);
	return good;
}
