// SPDX-License-Identifier: Apache-2.0
#include "analytics/page/page_table.h"

#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"

#include <inttypes.h>
#include <string.h>

enum {
	WHOLE_TEXT = 28, // bytes of a text that stands in one line: an address, a time, a word
	WIDE_FROM = 8, // a table with more columns is set closer
};

static bool is_text(enum column_kind kind)
{
	return kind == COLUMN_TEXT || kind == COLUMN_NOTE;
}

static const char *class_of(enum column_kind kind)
{
	return is_text(kind) ? "text" : kind == COLUMN_SHARE ? "share" : "number";
}

// "client_network" is written "client network".
static void put_key(FILE *out, const char *key)
{
	for (; *key != '\0'; key++)
		fputc(*key == '_' ? ' ' : *key, out);
}

static void put_head(FILE *out, const struct table_ops *table)
{
	fputs("<thead><tr>", out);
	for (size_t i = 0; i < table->column_count; i++) {
		const struct column *column = &table->columns[i];
		fprintf(out, "<th scope=\"col\" class=\"%s\" title=\"", class_of(column->kind));
		html_string(out, column->help);
		fputs("\">", out);
		put_key(out, column->key);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n", out);
}

static void put_number(FILE *out, const struct column *column, const struct cell *cell)
{
	fprintf(out, "<td class=\"number\" data-value=\"%" PRIu64 "\">", cell->number);
	if (column->kind == COLUMN_NUMBER)
		fprintf(out, "%" PRIu64, cell->number); // a port, say
	else
		html_number(out, cell->number);
	fputs("</td>", out);
}

static void put_cell(FILE *out, const struct column *column, const struct cell *cell)
{
	if (!cell->known) {
		fprintf(out, "<td class=\"%s\"><span class=\"value\">", class_of(column->kind));
		html_unseen(out);
		fputs("</span></td>", out);
	} else if (is_text(column->kind)) {
		fprintf(
		    out, "<td class=\"text%s\">", cell->text.length <= WHOLE_TEXT ? " whole" : "");
		html_text(out, cell->text);
		fputs("</td>", out);
	} else if (column->kind == COLUMN_SHARE) {
		fprintf(out, "<td class=\"share\" data-value=\"%.6f\">",
		    (double)cell->part / (double)cell->of);
		html_share(out, cell->part, cell->of);
		fputs("</td>", out);
	} else {
		put_number(out, column, cell);
	}
}

static void put_rows(FILE *out, const struct page_rows *rows)
{
	const struct table_ops *table = rows->table;
	fputs("<tbody>\n", out);
	for (size_t row = 0; row < rows->count; row++) {
		fputs("<tr>", out);
		for (size_t i = 0; i < table->column_count; i++)
			put_cell(
			    out, &table->columns[i], &rows->cells[row * table->column_count + i]);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>", out);
}

void page_write_caveats(const struct table_ops *table, FILE *out)
{
	fputs("<dl class=\"caveats\"><dt>Counted over</dt><dd>", out);
	html_string(out, table->denominator);
	fputs("</dd><dt>A tap cannot see</dt><dd>", out);
	html_string(out, table->unseen);
	fputs("</dd></dl>\n", out);
}

static void put_left_out(FILE *out, const struct page_rows *rows)
{
	if (rows->failed)
		fputs("<p class=\"left-out\">There was no memory for more rows.</p>\n", out);
	if (rows->all <= rows->count)
		return;
	fputs("<p class=\"left-out\">", out);
	html_number(out, rows->all - rows->count);
	fputs(" of ", out);
	html_number(out, rows->all);
	fputs(" rows are left out, the last ones of the table as it comes; sorting it brings none "
	      "of them back.</p>\n",
	    out);
}

static void put_table(FILE *out, const struct page_rows *rows)
{
	const struct table_ops *table = rows->table;
	fputs("<figure class=\"table\"><figcaption>", out);
	html_string(out, table->title);
	fputs("</figcaption>\n", out);
	if (rows->count == 0) {
		fputs("<p class=\"none\">None was seen.</p>\n", out);
	} else {
		fprintf(out, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
		html_string(out, table->title);
		fprintf(out, "\"><table class=\"sortable%s\" id=\"table-%s\">",
		    table->column_count > WIDE_FROM ? " wide" : "", table->name);
		put_head(out, table);
		put_rows(out, rows);
		fputs("</table></div>\n", out);
	}
	put_left_out(out, rows);
	page_write_caveats(table, out);
	fputs("</figure>\n", out);
}

static size_t most_rows(const struct page *page, const char *name)
{
	for (size_t i = 0; i < page->table_count; i++)
		if (strcmp(page->tables[i].ops->name, name) == 0 &&
		    (page->tables[i].ops->use & TABLE_MANY) != 0)
			return page->rows;
	return 0;
}

void page_write_table(const struct page *page, const char *name, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, name, most_rows(page, name));
	bool silent =
	    rows.table == NULL || (rows.all == 0 && (rows.table->use & TABLE_WHERE_ANY) != 0);
	if (!silent)
		put_table(out, &rows);
	page_rows_release(&rows);
}
