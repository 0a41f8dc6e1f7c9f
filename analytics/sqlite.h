// SPDX-License-Identifier: Apache-2.0
// What the module for SQLite gives to the program that loads it (base/module.h): a kind of store, and what
// `mailtap query` asks.
#ifndef MAILTAP_ANALYTICS_SQLITE_H
#define MAILTAP_ANALYTICS_SQLITE_H

#include "analytics/store.h"

#define SQLITE_STORE_SYMBOL "sqlite_store"

extern const struct store_ops sqlite_store;

#define SQLITE_QUERY_SYMBOL "sqlite_query"

enum query_format {
	QUERY_TABLE, // for people
	QUERY_CSV, // RFC 4180
	QUERY_JSON, // an object a line
};

struct query_request {
	const char *file; // the database
	const char *view, *sql; // one of them
	const char *since, *until; // as store_time_read gives them; NULL: no such bound
	const char *sensor; // whose records are asked for; NULL: everybody's
	enum query_format format;
	uint64_t limit; // rows that are printed; 0: all
	unsigned seconds; // after which it is given up; 0: never
};

struct sqlite_query_ops {
	// Prints the answer. The database is only read, whatever is asked. False: *error; what was printed stands. True and
	// *error: there are more rows than the limit.
	bool (*ask)(const struct query_request *request, FILE *out, struct error *error);
	// Prints which tables and views there are, with their columns or what they count.
	void (*list)(FILE *out);
	bool (*has_view)(const char *name); // or a table
};

extern const struct sqlite_query_ops sqlite_query;

#endif
