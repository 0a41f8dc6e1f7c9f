// SPDX-License-Identifier: Apache-2.0
// What the capture says of itself, as plain numbers with names: how much was seen, kept and lost, so that
// every figure can be judged. Written by a run, read back by a report.
#ifndef MAILTAP_ANALYTICS_CAPTURE_ACCOUNTING_H
#define MAILTAP_ANALYTICS_CAPTURE_ACCOUNTING_H

#include "analytics/run_accounting.h"

#include <stdio.h>

struct json;

enum { CAPTURE_COUNTERS = 18 };

struct capture_accounting {
	uint64_t counters[CAPTURE_COUNTERS]; // only ever grow
};

// The name of a counter, as logs have it, and what it counts.
const char *capture_counter_key(size_t counter);
const char *capture_counter_help(size_t counter);

struct capture_accounting capture_accounting_of(const struct run_accounting *run);

// What came to it since `before`.
struct capture_accounting capture_accounting_since(
    const struct capture_accounting *now, const struct capture_accounting *before);

// As an object.
void capture_accounting_write(struct json *json, const struct capture_accounting *accounting);

// Adds what a line of statistics.jsonl says of the whole run. False, and nothing is added: it is none.
bool capture_accounting_read(
    struct capture_accounting *accounting, const char *line, size_t length);

// As lines to read; what is 0 is left out.
void capture_accounting_print(FILE *out, const struct capture_accounting *accounting);

#endif
