// SPDX-License-Identifier: Apache-2.0
// What became of the sessions, and by protocol and port.
#include "analytics/page/chart.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static const struct chart_part parts[] = {
    {"fill-encrypted", "encrypted"},
    {"fill-cleartext", "cleartext"},
    {"fill-stripped", "stripped"},
    {"fill-failed", "tls_failed"},
    {"fill-none", "no_mail"},
    {"fill-other", "not_mail"},
    {"fill-unseen", "partial"},
};

enum { PARTS = sizeof parts / sizeof parts[0] };

static void write_chart(const struct page_rows *rows, FILE *out)
{
	static const char label[] = "All sessions by verdict";
	struct chart_bar bar = {.label = view_of((const uint8_t *)label, sizeof label - 1)};
	for (size_t row = 0; row < rows->count; row++)
		for (size_t i = 0; i < PARTS; i++)
			if (page_cell_is(rows, row, "verdict", parts[i].name))
				bar.counts[i] += page_number(rows, row, "sessions");
	struct chart chart = {"chart-verdicts", "Sessions by verdict",
	    "One bar, divided by what became of the sessions; the numbers stand above it.", parts,
	    PARTS, &bar, rows->count > 0};
	chart_legend(out, parts, PARTS, bar.counts);
	chart_write_bars(out, &chart);
}

static void write_sessions(const struct page *page, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, "verdicts", 0);
	write_chart(&rows, out);
	page_rows_release(&rows);
	page_write_table(page, "verdicts", out);
	page_write_table(page, "sessions", out);
	page_write_table(page, "credentials", out);
}

const struct page_section sessions_section = {.id = "sessions",
    .title = "What became of the sessions",
    .tab = "Sessions",
    .write = write_sessions};
