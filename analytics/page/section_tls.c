// SPDX-License-Identifier: Apache-2.0
// Versions, ciphers and groups of TLS.
#include "analytics/page/chart_column.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static const char *fill_of_version(const struct page_rows *rows, size_t row)
{
	if (page_cell_is(rows, row, "version", "TLSv1.3"))
		return "fill-encrypted";
	return page_cell_is(rows, row, "version", "TLSv1.2") ? "fill-possible" : "fill-cleartext";
}

static const char *fill_of_group(const struct page_rows *rows, size_t row)
{
	return page_cell_is(rows, row, "post_quantum", "none") ? "fill-possible" : "fill-encrypted";
}

static const char *fill_of_cipher(const struct page_rows *rows, size_t row)
{
	(void)rows;
	(void)row;
	return "fill-possible";
}

#define VERSIONS(hop)                                                                              \
	{                                                                                          \
		"chart-versions-" hop, "Versions: " hop,                                           \
		    "One bar for each version of TLS: sessions, and their share of those seen.",   \
		    "version", "sessions", "share", "hop", hop, fill_of_version, 8                 \
	}

static const struct column_chart versions[] = {
    VERSIONS("submission"), VERSIONS("relay"), VERSIONS("access")};

static const struct column_chart ciphers = {"chart-ciphers", "Ciphers",
    "One bar for each cipher: sessions, and their share of those seen.", "cipher", "sessions",
    "share", NULL, NULL, fill_of_cipher, 8};

static const struct column_chart groups = {"chart-groups", "Groups of the key exchange",
    "One bar for each group: sessions, and their share of those seen.", "group", "sessions",
    "share", NULL, NULL, fill_of_group, 8};

static void write_charts(const struct page *page, const char *table,
    const struct column_chart *charts, size_t count, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, table, 0);
	for (size_t i = 0; i < count; i++)
		chart_column(out, &rows, &charts[i]);
	page_rows_release(&rows);
}

static void write_tls(const struct page *page, FILE *out)
{
	fputs("<div class=\"panels\">\n", out);
	write_charts(page, "tls_versions", versions, 3, out);
	fputs("</div>\n<div class=\"panels wide\">\n", out);
	write_charts(page, "tls_ciphers", &ciphers, 1, out);
	write_charts(page, "tls_groups", &groups, 1, out);
	fputs("</div>\n", out);
	page_write_table(page, "tls_versions", out);
	page_write_table(page, "tls_ciphers", out);
	page_write_table(page, "tls_groups", out);
}

const struct page_section tls_section = {
    .id = "tls", .title = "Versions, ciphers and groups of TLS", .tab = "TLS", .write = write_tls};
