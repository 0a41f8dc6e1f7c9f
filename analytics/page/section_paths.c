// SPDX-License-Identifier: Apache-2.0
// The path view: which client networks see which servers stripped, and which see them clean.
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SERVERS_SHOWN = 20, NETWORKS_SHOWN = 10, NOWHERE = NETWORKS_SHOWN };

struct path_matrix {
	size_t servers[SERVERS_SHOWN]; // a row of each
	size_t server_count;
	struct cell networks[NETWORKS_SHOWN];
	size_t network_count;
	size_t paths[SERVERS_SHOWN][NETWORKS_SHOWN]; // the row of each path, and one: 0 is none
	size_t shown;
};

static bool same(struct cell one, struct cell other)
{
	return one.known == other.known &&
	       (!one.known || (one.text.length == other.text.length &&
	                          memcmp(one.text.data, other.text.data, one.text.length) == 0));
}

static size_t network_place(struct path_matrix *matrix, struct cell network)
{
	for (size_t i = 0; i < matrix->network_count; i++)
		if (same(matrix->networks[i], network))
			return i;
	if (matrix->network_count == NETWORKS_SHOWN)
		return NOWHERE;
	matrix->networks[matrix->network_count] = network;
	return matrix->network_count++;
}

static bool same_server(const struct page_rows *rows, size_t one, size_t other)
{
	return same(page_cell(rows, one, "server_ip"), page_cell(rows, other, "server_ip")) &&
	       page_number(rows, one, "server_port") == page_number(rows, other, "server_port");
}

struct server_evidence {
	size_t row; // the server's first
	uint64_t evidence; // on all paths to it
};

static int compare_evidence(const void *one, const void *other)
{
	const struct server_evidence *a = one, *b = other;
	if (a->evidence != b->evidence)
		return (a->evidence < b->evidence) - (a->evidence > b->evidence);
	return (a->row > b->row) - (a->row < b->row);
}

// The servers with most evidence, these first. A server's rows come together; a row without a network is of what did
// not fit.
static void choose_servers(struct path_matrix *matrix, const struct page_rows *rows)
{
	struct server_evidence *servers = calloc(rows->count, sizeof *servers);
	size_t count = 0;
	if (servers == NULL)
		return;
	for (size_t row = 0; row < rows->count; row++) {
		if (!page_cell(rows, row, "client_network").known)
			continue;
		if (count == 0 || !same_server(rows, servers[count - 1].row, row))
			servers[count++].row = row;
		servers[count - 1].evidence += page_number(rows, row, "evidence");
	}
	qsort(servers, count, sizeof *servers, compare_evidence);
	for (; matrix->server_count < count && matrix->server_count < SERVERS_SHOWN;
	     matrix->server_count++)
		matrix->servers[matrix->server_count] = servers[matrix->server_count].row;
	free(servers);
}

static void fill(struct path_matrix *matrix, const struct page_rows *rows)
{
	choose_servers(matrix, rows);
	for (size_t server = 0; server < matrix->server_count; server++) {
		size_t first = matrix->servers[server];
		for (size_t row = first; row < rows->count && same_server(rows, first, row);
		     row++) {
			struct cell network = page_cell(rows, row, "client_network");
			size_t place = network.known ? network_place(matrix, network) : NOWHERE;
			if (place == NOWHERE)
				continue;
			matrix->paths[server][place] = row + 1;
			matrix->shown++;
		}
	}
}

static void put_count(FILE *out, const char *mark, uint64_t count, const char *what)
{
	fprintf(out, "<span class=\"mark\">%s</span> <b>", mark);
	html_number(out, count);
	fprintf(out, "</b> %s<br>", what);
}

static void put_path(FILE *out, const struct page_rows *rows, size_t row)
{
	uint64_t evidence = page_number(rows, row, "evidence");
	uint64_t clean = page_number(rows, row, "unaffected");
	uint64_t all = page_number(rows, row, "sessions");
	const char *class = evidence > 0 && clean > 0 ? "path-both"
	                    : evidence > 0            ? "path-stripped"
	                    : clean > 0               ? "path-clean"
	                                              : "path-unknown";
	fprintf(out, "<td class=\"%s\">", class);
	if (evidence > 0)
		put_count(out, "&#9650;", evidence, "with evidence");
	if (clean > 0)
		put_count(out, "&#10003;", clean, "see TLS");
	if (all > evidence + clean)
		put_count(out, "?", all - evidence - clean, "not seen");
	fputs("<span class=\"of\">of&nbsp;", out);
	html_number(out, all);
	fputs("</span></td>", out);
}

static void put_server(
    const struct path_matrix *matrix, size_t server, const struct page_rows *rows, FILE *out)
{
	size_t row = matrix->servers[server];
	struct cell name = page_cell(rows, row, "server_name");
	fputs("<tr><th scope=\"row\">", out);
	html_text(out, page_cell(rows, row, "server_ip").text);
	fprintf(out, " <span class=\"of\">port&nbsp;%" PRIu64 "</span>",
	    page_number(rows, row, "server_port"));
	if (name.known) {
		fputs("<br><span class=\"of\">", out);
		html_text(out, name.text);
		fputs("</span>", out);
	}
	fputs("</th>", out);
	for (size_t network = 0; network < matrix->network_count; network++) {
		size_t path = matrix->paths[server][network];
		if (path > 0)
			put_path(out, rows, path - 1);
		else
			fputs("<td class=\"empty\"></td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_matrix(const struct path_matrix *matrix, const struct page_rows *rows, FILE *out)
{
	fputs(
	    "<figure class=\"table\"><figcaption>Servers with evidence (rows) as client networks "
	    "(columns) see them</figcaption>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
	    "aria-label=\"Servers by client network\"><table class=\"matrix\" id=\"matrix-paths\">"
	    "<thead><tr><th></th>",
	    out);
	for (size_t network = 0; network < matrix->network_count; network++) {
		fputs("<th scope=\"col\">", out);
		html_text(out, matrix->networks[network].text);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t server = 0; server < matrix->server_count; server++)
		put_server(matrix, server, rows, out);
	fputs("</tbody></table></div>\n", out);
	if (rows->all > matrix->shown)
		fprintf(out, "<p class=\"left-out\">%zu of %zu paths have no room here.</p>\n",
		    rows->all - matrix->shown, rows->all);
	fputs("</figure>\n", out);
}

static void write_paths(const struct page *page, FILE *out)
{
	struct path_matrix *matrix = calloc(1, sizeof *matrix);
	struct page_rows rows;
	page_rows_take(&rows, page, "paths", 0);
	fputs("<p>Where all networks see a server stripped, the reason is the server, or something "
	      "close to it. Where only some do, it lies on the way to these: where their paths "
	      "join, before they meet those of the others. A network with few sessions says "
	      "little.</p>\n",
	    out);
	if (rows.count == 0)
		fputs("<p class=\"none\">No server has evidence.</p>\n", out);
	if (matrix != NULL && rows.count > 0) {
		fill(matrix, &rows);
		put_matrix(matrix, &rows, out);
	}
	page_rows_release(&rows);
	free(matrix);
	page_write_table(page, "paths", out);
}

const struct page_section paths_section = {
    .id = "paths", .title = "On which paths", .tab = "Paths", .write = write_paths};
