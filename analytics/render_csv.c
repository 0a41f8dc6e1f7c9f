// SPDX-License-Identifier: Apache-2.0
#include "analytics/proportion.h"
#include "analytics/render.h"

#include <inttypes.h>
#include <string.h>

struct csv_sink {
	struct row_sink sink;
	const struct table_ops *table;
	FILE *out;
};

static bool needs_quotes(struct view text)
{
	return memchr(text.data, ',', text.length) != NULL ||
	       memchr(text.data, '"', text.length) != NULL;
}

// What spreadsheets compute instead of showing it.
static bool is_formula(struct view text)
{
	return text.length > 0 && strchr("=+-@\t\r", text.data[0]) != NULL;
}

static void put_text(struct csv_sink *csv, struct view text)
{
	char room[HARMLESS_ROOM];
	struct view harmless = harmless_text(room, text);
	const char *apostrophe = is_formula(text) || is_formula(harmless) ? "'" : "";
	if (!needs_quotes(harmless)) {
		fprintf(csv->out, "%s%.*s", apostrophe, (int)harmless.length,
		    (const char *)harmless.data);
		return;
	}
	fprintf(csv->out, "\"%s", apostrophe);
	for (size_t i = 0; i < harmless.length; i++) {
		if (harmless.data[i] == '"')
			fputc('"', csv->out);
		fputc(harmless.data[i], csv->out);
	}
	fputc('"', csv->out);
}

static void put_share(FILE *out, const struct cell *cell)
{
	if (!cell->known) {
		fputs("0,0,,,", out);
		return;
	}
	struct proportion share = proportion_of(cell->part, cell->of);
	fprintf(out, "%" PRIu64 ",%" PRIu64 ",%.6f,%.6f,%.6f", cell->part, cell->of, share.value,
	    share.low, share.high);
}

static void csv_row(struct row_sink *sink, const struct cell *cells)
{
	struct csv_sink *csv = (struct csv_sink *)sink;
	for (size_t i = 0; i < csv->table->column_count; i++) {
		enum column_kind kind = csv->table->columns[i].kind;
		if (i > 0)
			fputc(',', csv->out);
		if (kind == COLUMN_SHARE)
			put_share(csv->out, &cells[i]);
		else if (!cells[i].known)
			continue;
		else if (kind == COLUMN_TEXT || kind == COLUMN_NOTE)
			put_text(csv, cells[i].text);
		else
			fprintf(csv->out, "%" PRIu64, cells[i].number);
	}
	fputs("\r\n", csv->out);
}

void render_csv(FILE *out, const struct table_ops *table, const void *accumulator)
{
	struct csv_sink csv = {.sink = {csv_row}, .table = table, .out = out};
	for (size_t i = 0; i < table->column_count; i++) {
		const char *key = table->columns[i].key, *comma = i > 0 ? "," : "";
		if (table->columns[i].kind == COLUMN_SHARE)
			fprintf(out, "%s%s_part,%s_of,%s,%s_low,%s_high", comma, key, key, key, key,
			    key);
		else
			fprintf(out, "%s%s", comma, key);
	}
	fputs("\r\n", out);
	table->rows(accumulator, &csv.sink);
}
