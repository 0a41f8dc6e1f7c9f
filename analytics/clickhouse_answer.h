// SPDX-License-Identifier: Apache-2.0
// What the text of an answer of ClickHouse says, if it is one: whatever stands between may answer in its place. Used by
// clickhouse_client.c and clickhouse_sender.c. Pure; any thread. Part of the module for ClickHouse.
#ifndef MAILTAP_ANALYTICS_CLICKHOUSE_ANSWER_H
#define MAILTAP_ANALYTICS_CLICKHOUSE_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

// The number of an exception: "Code: 60, e.displayText() = …", in newer versions "Code: 60. DB::Exception: …". 0: none.
unsigned clickhouse_exception(const char *text);

// A number in a line, and nothing else. False: it is something else.
bool clickhouse_number(const char *text, uint64_t *number);

#endif
