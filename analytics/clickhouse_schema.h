// SPDX-License-Identifier: Apache-2.0
// Whether a server has the tables of configs/clickhouse/schema.sql: asked before the first batch of each, so that a
// wrong schema is told as what it is, and no batch is taken for a bad one because of it. One thread.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_SCHEMA_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_SCHEMA_H

#include "analytics/clickhouse_client.h"

// Asks. What is in `reply` is REPLY_GOOD where the table has all columns, of types that take the values; otherwise what
// the request came to, or REPLY_ERROR with a text on what is missing and SCHEMA_WRONG as its code.
enum { CLICKHOUSE_SCHEMA_WRONG = 60 }; // as of a table that is not there

void clickhouse_schema_check(struct clickhouse_client *client, const char *database,
    const struct store_table *table, struct reply *reply);

#endif
