// SPDX-License-Identifier: Apache-2.0
// What a store keeps: a table for each kind of record, a column for each key of the record contract, in the
// contract's order. The schemas of all stores and what the documentation says of them come from here. A new
// key of a record is a row here; a test compares with the records themselves. Pure data.
#ifndef MAILTAP_ANALYTICS_STORE_COLUMNS_H
#define MAILTAP_ANALYTICS_STORE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

enum store_table_id {
	STORE_SESSIONS,
	STORE_CERTIFICATES,
	STORE_ALERTS,
	STORE_STATISTICS,
	STORE_DOMAINS,
	STORE_LOOKUPS,
	STORE_MESSAGES,
	STORE_TABLES
};

// What a key's value is, where it is not null. Null, and a key that is not there, is "not seen" in all of them.
enum store_type {
	STORE_TEXT,
	STORE_INTEGER, // from 0 to 2^63-1
	STORE_REAL,
	STORE_BOOLEAN,
	STORE_TIME, // RFC 3339, UTC, up to nanoseconds
	STORE_TEXT_LIST, // of texts
	STORE_INTEGER_LIST, // of numbers
	STORE_JSON, // an object, or a list of objects
	STORE_REST, // all keys of the record that have no column, as an object: its name is no key
};

struct store_column {
	const char *name; // the key
	enum store_type type;
};

enum { STORE_COLUMNS_MAX = 128 };

struct store_table {
	const char *name; // also of the log: "sessions", for sessions.jsonl
	const struct store_column *columns;
	size_t column_count;
	// The column of the time by which records are kept, and looked for; null in some where nothing was seen.
	const char *time;
	// The columns that tell a record from all others, NULL at the end: of two records that have them in common the one
	// that is stored later replaces the other. None: a record is told by its whole line, and is stored once.
	const char *identity[5];
	bool earliest; // instead, that of the earlier time stands
};

extern const struct store_table store_tables[STORE_TABLES];

// Number of the column of that name, or column_count.
size_t store_column_find(const struct store_table *table, const char *name, size_t length);

// What a type is called in the documentation.
const char *store_type_name(enum store_type type);

#endif
