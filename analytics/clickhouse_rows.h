// SPDX-License-Identifier: Apache-2.0
// Records as rows of ClickHouse's tables (configs/clickhouse/schema.sql), in its format JSONEachRow. What a key of the
// record contract becomes:
//
//   text, JSON, the rest  Nullable(String)
//   integer               Nullable(UInt64)
//   real                  Nullable(Float64)
//   boolean               Nullable(UInt8): 0 or 1
//   time                  NAME Nullable(DateTime('UTC')), whole seconds, and NAME_ns Nullable(Int64), nanoseconds since
//                         1970; at the nearest end of what either can hold where it is beyond (1970 to 2105; 1678 to 2262)
//   list                  NAME Array(…), and NAME_seen UInt8: a list cannot be null, so 0 says that it was not seen
//
// `sensor` is never null (empty: not named), nor is the table's own time (1970-01-01: not seen). `batch` names the batch
// that brought the row.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_ROWS_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_ROWS_H

#include "analytics/store_record.h"

struct row_text {
	char *bytes; // the row, with the end of its line
	size_t length, room;
	bool failed; // no memory
};

// Writes a row. `batch` and `sensor` are ASCII and UTF-8; `sensor` is for records that do not name one.
void clickhouse_row(struct row_text *row, const struct store_table *table,
    const struct store_value *values, const char *batch, const char *sensor);

// The day of a record by its table's time, as the number 20261127; 19700101 where that was not seen.
uint32_t clickhouse_row_day(const struct store_table *table, const struct store_value *values);

// True if a column of ClickHouse's may have this type, and takes the values of ours.
bool clickhouse_type_fits(enum store_type type, const char *clickhouse);

// What the schema calls a type; for messages.
const char *clickhouse_type_name(enum store_type type);

#endif
