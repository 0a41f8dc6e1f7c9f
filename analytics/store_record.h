// SPDX-License-Identifier: Apache-2.0
// A line of a log taken apart: a value for each column of its table, checked against the column's type. Only the
// outermost object is taken apart, what is in it is checked and stays the JSON that it was. Lines may come from a
// log that is damaged, hostile or of a newer mailtap. By its own reader and not a JSON library's: it costs a tenth
// of a tree of values for each line, and gives lists byte for byte. Owned and used by one thread.
#ifndef MAILTAP_ANALYTICS_STORE_RECORD_H
#define MAILTAP_ANALYTICS_STORE_RECORD_H

#include "analytics/store_columns.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	STORE_LINE_MAX = 1 << 20, // bytes of a line, its end not included
	STORE_DEPTH_MAX = 32, // of objects and lists in each other
	STORE_TIME_LENGTH =
	    30, // 2026-11-27T03:00:00.000000000Z: as long for all, so that texts are in order of time
};

enum store_form {
	STORE_NULL, // null, or not there
	STORE_BYTES, // UTF-8; a zero byte is U+2400. Of lists, JSON and the rest: JSON
	STORE_NUMBER, // of STORE_BOOLEAN: 0 or 1
	STORE_FRACTION,
};

struct store_value {
	enum store_form form;
	union {
		struct {
			const char *bytes;
			size_t length;
		};
		int64_t number;
		double fraction;
	};
};

enum store_reading {
	STORE_LINE_WHOLE,
	STORE_LINE_IN_PART, // keys without a column, or values of another type: they are null
	STORE_LINE_DAMAGED, // no object of JSON
};

struct store_record;

// NULL: no memory.
struct store_record *store_record_create(void);
void store_record_destroy(struct store_record *record); // NULL is allowed

// `line` is without its end. What store_record_values returns is good until it is read again, as long as the line.
enum store_reading store_record_read(
    struct store_record *record, const struct store_table *table, const char *line, size_t length);

// One for each column of the table.
const struct store_value *store_record_values(const struct store_record *record);

// As STORE_TIME_LENGTH says, without a terminating zero. False: `text` is no time.
bool store_time_read(const char *text, size_t length, char time[STORE_TIME_LENGTH]);

#endif
