// SPDX-License-Identifier: Apache-2.0
// What servers' certificates are worth, and whether clients look at them.
#include "analytics/page/chart_column.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static const char *fill_of_status(const struct page_rows *rows, size_t row)
{
	if (page_cell_is(rows, row, "status", "valid_and_matching"))
		return "fill-encrypted";
	return page_cell_is(rows, row, "status", "valid_name_unknown") ? "fill-possible"
	       : page_cell_is(rows, row, "status", "not_judged")       ? "fill-unseen"
	                                                               : "fill-cleartext";
}

static const char *fill_of_fault(const struct page_rows *rows, size_t row)
{
	(void)rows;
	(void)row;
	return "fill-cleartext";
}

static const struct column_chart charts[] = {
    {"chart-certificates", "As a whole, by session",
        "One bar for each state of a certificate: sessions, and their share of those judged.",
        "status", "sessions", "sessions_share", "axis", "certificate", fill_of_status, 10},
    {"chart-faults", "By fault, by session",
        "One bar for each fault: sessions with it, and their share of those judged. One may have "
        "several.",
        "status", "sessions", "sessions_share", "axis", "fault", fill_of_fault, 12},
};

static void write_certificates(const struct page *page, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, "certificates", 0);
	fputs("<div class=\"panels wide\">\n", out);
	for (size_t i = 0; i < sizeof charts / sizeof charts[0]; i++)
		chart_column(out, &rows, &charts[i]);
	fputs("</div>\n", out);
	page_rows_release(&rows);
	page_write_table(page, "certificates", out);
	page_write_table(page, "verification", out);
}

const struct page_section certificates_section = {.id = "certificates",
    .title = "Certificates",
    .tab = "Certificates",
    .write = write_certificates};
