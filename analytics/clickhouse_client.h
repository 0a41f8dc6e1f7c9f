// SPDX-License-Identifier: Apache-2.0
// Requests to a ClickHouse server's HTTP interface, by libcurl: one at a time, each on a connection of its own.
// Tells apart what certainly did not reach the server, what may have, and what it answered. One thread.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_CLIENT_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_CLIENT_H

#include "analytics/shipper.h"

#include <stddef.h>

enum reply_kind {
	REPLY_GOOD, // done, as it says itself
	REPLY_NOT_SENT, // nothing of the request has reached it
	REPLY_UNKNOWN, // it may have been done, or be under way
	REPLY_ERROR, // it says what is wrong
};

enum { CLICKHOUSE_REPLY_MAX = 64 << 10 }; // bytes; what is longer is cut

struct reply {
	enum reply_kind kind;
	unsigned code; // of REPLY_ERROR: ClickHouse's number of the exception; 0: it has none
	long status; // of HTTP; 0: no answer
	size_t length;
	char text[CLICKHOUSE_REPLY_MAX + 1]; // what it answered, or what went wrong
};

struct clickhouse_client;

// Reads the login and loads libcurl. NULL: *error.
struct clickhouse_client *clickhouse_client_create(
    const struct shipper_plan *plan, struct error *error);
void clickhouse_client_destroy(struct clickhouse_client *client); // NULL is allowed

// Requests end at this time (monotonic nanoseconds; 0: never), or when nobody needs them any more.
void clickhouse_client_limit(struct clickhouse_client *client, uint64_t until);

// A request, in the plan's database.
void clickhouse_client_ask(
    struct clickhouse_client *client, const char *query, struct reply *reply);

// Rows for a query that inserts: the rest of a file, compressed by gzip. `name`: what the query is called; the server
// refuses a second one of that name while it is at the first.
void clickhouse_client_insert(struct clickhouse_client *client, const char *query, const char *name,
    int file, struct reply *reply);

#endif
