// SPDX-License-Identifier: Apache-2.0
// OpenMetrics 1.0 that node_exporter's textfile collector reads, too: no type that the older format does
// not have, no times.
#include "analytics/render.h"

#include <inttypes.h>
#include <string.h>

enum { NAME_MAX_BYTES = 96 };

struct metrics_sink {
	struct row_sink sink;
	const struct table_ops *table;
	size_t column; // the one that is being written
	FILE *out;
	char name[NAME_MAX_BYTES];
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length >= tail && strcmp(text + length - tail, end) == 0;
}

void render_metric_head(FILE *out, const char *name, const char *of, const char *help, bool counter)
{
	fprintf(out, "# TYPE %s %s\n", name, counter ? "counter" : "gauge");
	if (ends_with(name, "_bytes"))
		fprintf(out, "# UNIT %s bytes\n", name);
	if (ends_with(name, "_seconds"))
		fprintf(out, "# UNIT %s seconds\n", name);
	fprintf(
	    out, "# HELP %s %s%s%s\n", name, of != NULL ? of : "", of != NULL ? ": " : "", help);
}

static void put_label(
    struct metrics_sink *metrics, const struct column *column, const struct cell *cell)
{
	fprintf(metrics->out, "%s=\"", column->key);
	if (cell->known && column->kind == COLUMN_NUMBER)
		fprintf(metrics->out, "%" PRIu64, cell->number);
	if (cell->known && column->kind == COLUMN_TEXT) {
		char room[HARMLESS_ROOM];
		struct view text = harmless_text(room, cell->text);
		for (size_t i = 0; i < text.length; i++) {
			if (text.data[i] == '"' || text.data[i] == '\\')
				fputc('\\', metrics->out);
			fputc(text.data[i], metrics->out);
		}
	}
	fputc('"', metrics->out);
}

static void metrics_row(struct row_sink *sink, const struct cell *cells)
{
	struct metrics_sink *metrics = (struct metrics_sink *)sink;
	const struct column *columns = metrics->table->columns;
	const struct cell *value = &cells[metrics->column];
	const char *separator = "{";
	if (!value->known)
		return;
	fprintf(metrics->out, "%s%s", metrics->name,
	    columns[metrics->column].kind == COLUMN_COUNT ? "_total" : "");
	for (size_t i = 0; i < metrics->table->column_count; i++) {
		if (columns[i].kind != COLUMN_TEXT && columns[i].kind != COLUMN_NUMBER)
			continue;
		fputs(separator, metrics->out);
		separator = ",";
		put_label(metrics, &columns[i], &cells[i]);
	}
	fprintf(metrics->out, "%s %" PRIu64 "\n", *separator == ',' ? "}" : "", value->number);
}

void render_metrics(FILE *out, const struct table_ops *table, const void *accumulator)
{
	struct metrics_sink metrics = {.sink = {metrics_row}, .table = table, .out = out};
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		bool of_table = strcmp(column->key, "count") == 0;
		if (column->kind != COLUMN_COUNT && column->kind != COLUMN_LEVEL)
			continue;
		metrics.column = i;
		snprintf(metrics.name, sizeof metrics.name, "mailtap_%s%s%s", table->name,
		    of_table ? "" : "_", of_table ? "" : column->key);
		render_metric_head(
		    out, metrics.name, table->title, column->help, column->kind == COLUMN_COUNT);
		table->rows(accumulator, &metrics.sink);
	}
}
