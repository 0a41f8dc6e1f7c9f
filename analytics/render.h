// SPDX-License-Identifier: Apache-2.0
// Tables as people and programs read them. Each renderer shows any table (table.h); whatever bytes its
// texts hold, they stay inside their line, cell, label or terminal.
#ifndef MAILTAP_ANALYTICS_RENDER_H
#define MAILTAP_ANALYTICS_RENDER_H

#include "analytics/json.h"
#include "analytics/table.h"

#include <stdio.h>

enum {
	HARMLESS_COLUMNS = 256,
	HARMLESS_ROOM = 4 * HARMLESS_COLUMNS + 1,
};

// Text that moves no cursor and breaks no line (plain_text.h), in `room`.
struct view harmless_text(char room[HARMLESS_ROOM], struct view text);

// For a terminal: at most `rows` rows (0: all) of tables with many; what is left out is counted.
void render_text(FILE *out, const struct table_ops *table, const void *accumulator, size_t rows);

// RFC 4180, with a header line. A cell that a spreadsheet would take for a formula gets an apostrophe in
// front. A share is five columns: part, of, value, and the bounds of its 95 % interval.
void render_csv(FILE *out, const struct table_ops *table, const void *accumulator);

// An array of objects, at most `rows` (0: all). Returns how many there are.
size_t render_json(
    struct json *json, const struct table_ops *table, const void *accumulator, size_t rows);

// OpenMetrics: a family for each column that counts, the labels of the row its labels.
void render_metrics(FILE *out, const struct table_ops *table, const void *accumulator);

// Head lines of a metric family. `of` NULL, or what is told of. `counter`: its samples are named with
// _total behind.
void render_metric_head(
    FILE *out, const char *name, const char *of, const char *help, bool counter);

#endif
