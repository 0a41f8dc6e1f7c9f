// SPDX-License-Identifier: Apache-2.0
// Reads back what a run wrote of its capture.
#include "analytics/capture_accounting.h"

#include <jansson.h>
#include <string.h>

bool capture_accounting_read(struct capture_accounting *accounting, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	const char *kind = json_string_value(json_object_get(record, "kind"));
	const json_t *capture = json_object_get(record, "capture");
	bool good = kind != NULL && strcmp(kind, "run") == 0 && json_is_object(capture);
	for (size_t i = 0; good && i < CAPTURE_COUNTERS; i++) {
		const json_t *value = json_object_get(capture, capture_counter_key(i));
		json_int_t count = json_integer_value(value);
		accounting->counters[i] += count > 0 ? (uint64_t)count : 0;
	}
	json_decref(record);
	return good;
}
