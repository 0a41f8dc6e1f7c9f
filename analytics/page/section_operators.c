// SPDX-License-Identifier: Apache-2.0
// Who sends to whom with TLS: a matrix of the busiest operators, shaded by the share that is encrypted.
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MAX = 12, CELLS = SIDE_MAX * SIDE_MAX, NOWHERE = SIDE_MAX };

struct matrix {
	struct cell clients[SIDE_MAX], servers[SIDE_MAX];
	size_t client_count, server_count;
	size_t pairs[CELLS]; // the row of each pair, and one: 0 is none
	size_t shown;
};

static bool same(struct cell one, struct cell other)
{
	return one.known == other.known &&
	       (!one.known || (one.text.length == other.text.length &&
	                          memcmp(one.text.data, other.text.data, one.text.length) == 0));
}

// Where the name stands in the list; new ones as long as there is room.
static size_t place(struct cell *list, size_t *count, struct cell name)
{
	for (size_t i = 0; i < *count; i++)
		if (same(list[i], name))
			return i;
	if (*count == SIDE_MAX)
		return NOWHERE;
	list[*count] = name;
	return (*count)++;
}

// The rows come with the busiest pair first.
static void fill(struct matrix *matrix, const struct page_rows *rows)
{
	for (size_t row = 0; row < rows->count; row++) {
		size_t client = place(matrix->clients, &matrix->client_count,
		    page_cell(rows, row, "client_operator"));
		size_t server = place(matrix->servers, &matrix->server_count,
		    page_cell(rows, row, "server_operator"));
		if (client == NOWHERE || server == NOWHERE)
			continue;
		matrix->pairs[client * SIDE_MAX + server] = row + 1;
		matrix->shown++;
	}
}

static void put_name(FILE *out, struct cell name)
{
	if (name.known)
		html_text(out, name.text);
	else
		fputs("<span class=\"unseen\">not known</span>", out);
}

static void put_pair(FILE *out, const struct page_rows *rows, size_t row)
{
	uint64_t encrypted = page_number(rows, row, "encrypted");
	uint64_t clear = page_number(rows, row, "cleartext");
	uint64_t seen = encrypted + clear;
	if (seen == 0) {
		fputs("<td class=\"heat-unseen\">", out);
		html_unseen(out);
		fputs("</td>", out);
		return;
	}
	// All and none have shades of their own.
	uint64_t shade = encrypted == 0 ? 0 : clear == 0 ? 5 : 1 + 4 * encrypted / (seen + 1);
	fprintf(out, "<td class=\"heat-%" PRIu64 "\"><b>", shade);
	html_percent(out, encrypted, seen);
	fputs("</b> <span class=\"of\">of&nbsp;", out);
	html_number(out, seen);
	fputs("</span></td>", out);
}

static void put_matrix(const struct matrix *matrix, const struct page_rows *rows, FILE *out)
{
	fputs("<figure class=\"table\"><figcaption>Share of sessions that is encrypted, from "
	      "(rows) to "
	      "(columns)</figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	      "aria-label=\"Matrix of operators\"><table class=\"matrix\" id=\"matrix-operators\">"
	      "<thead><tr><th></th>",
	    out);
	for (size_t server = 0; server < matrix->server_count; server++) {
		fputs("<th scope=\"col\">", out);
		put_name(out, matrix->servers[server]);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t client = 0; client < matrix->client_count; client++) {
		fputs("<tr><th scope=\"row\">", out);
		put_name(out, matrix->clients[client]);
		fputs("</th>", out);
		for (size_t server = 0; server < matrix->server_count; server++) {
			size_t row = matrix->pairs[client * SIDE_MAX + server];
			if (row > 0)
				put_pair(out, rows, row - 1);
			else
				fputs("<td class=\"empty\"></td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n<p class=\"how\">An empty field: no session between the two "
	      "was "
	      "told apart.</p>\n</figure>\n",
	    out);
}

static void write_operators(const struct page *page, FILE *out)
{
	struct matrix *matrix = calloc(1, sizeof *matrix);
	struct page_rows rows;
	page_rows_take(&rows, page, "operator_pairs", 0);
	if (matrix != NULL && rows.count > 0) {
		fill(matrix, &rows);
		put_matrix(matrix, &rows, out);
		if (rows.all > matrix->shown)
			fprintf(out,
			    "<p class=\"left-out\">%zu of %zu pairs have no room in the "
			    "matrix.</p>\n",
			    rows.all - matrix->shown, rows.all);
	}
	page_rows_release(&rows);
	free(matrix);
	page_write_table(page, "services", out);
	page_write_table(page, "operators", out);
	page_write_table(page, "operator_pairs", out);
}

const struct page_section operators_section = {.id = "operators",
    .title = "Who sends to whom with TLS",
    .tab = "Operators",
    .write = write_operators};
