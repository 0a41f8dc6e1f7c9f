// SPDX-License-Identifier: Apache-2.0
// What the capture says of itself, as plain numbers with names: how much was seen, kept and lost, so that
// every figure can be judged. Written by a run, read back by a report.
#ifndef MAILTAP_ANALYTICS_CAPTURE_ACCOUNTING_H
#define MAILTAP_ANALYTICS_CAPTURE_ACCOUNTING_H

#include "analytics/run_accounting.h"

#include <stdio.h>

struct json;

enum { CAPTURE_COUNTERS = 37 };

struct capture_accounting {
	uint64_t counters[CAPTURE_COUNTERS]; // only ever grow
};

// The name of a counter, as logs have it, and what it counts.
const char *capture_counter_key(size_t counter);
const char *capture_counter_help(size_t counter);

// The counter with this name; 0 where there is none.
uint64_t capture_counter(const struct capture_accounting *accounting, const char *key);

// Packets that the kernel, the card or the interface says it dropped, and segments left out under overload.
uint64_t capture_accounting_lost(const struct capture_accounting *accounting);

struct capture_accounting capture_accounting_of(const struct run_accounting *run);

// What came to it since `before`.
struct capture_accounting capture_accounting_since(
    const struct capture_accounting *now, const struct capture_accounting *before);

// As an object.
void capture_accounting_write(struct json *json, const struct capture_accounting *accounting);

enum { CAPTURE_RUN_SIZE = 40 };

// A line of statistics.jsonl.
struct capture_line {
	bool whole; // of the run, up to its end; else of an interval of it
	char run[CAPTURE_RUN_SIZE]; // which one; empty: it is not said
	bool timed; // start and end mean something
	nanoseconds start, end; // of an interval; of a run those of its sessions
	struct capture_accounting accounting;
};

// False: it is neither of an interval nor of a run.
bool capture_accounting_read(struct capture_line *capture, const char *line, size_t length);

void capture_accounting_add(
    struct capture_accounting *sum, const struct capture_accounting *one);

// As lines to read; what is 0 is left out.
void capture_accounting_print(FILE *out, const struct capture_accounting *accounting);

#endif
