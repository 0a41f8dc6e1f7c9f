// SPDX-License-Identifier: Apache-2.0
// The way to TLS of sessions that begin in the clear, step by step.
#include "analytics/page/chart.h"
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

#include <stdio.h>
#include <string.h>

enum { STEPS_MAX = 16 };

static const struct chart_part parts[] = {
    {"fill-encrypted", "passed"},
    {"fill-cleartext", "did not"},
    {"fill-unseen", "not seen"},
};

// The bar of a step. What TLS then carried nobody sees: it has none.
static bool take_step(
    const struct page_rows *rows, size_t row, uint64_t connected, struct chart_bar *bar)
{
	struct cell share = page_cell(rows, row, "share");
	if (page_cell_is(rows, row, "step", "mail_in_tls") ||
	    page_cell_is(rows, row, "step", "mail_in_clear"))
		return false;
	*bar = (struct chart_bar){.label = page_cell(rows, row, "step").text,
	    .counts = {page_number(rows, row, "passed"), page_number(rows, row, "ended"),
	        page_number(rows, row, "not_seen")},
	    .whole = connected};
	if (share.known)
		html_share_text(bar->note, share.part, share.of);
	return true;
}

static bool same_protocol(const struct page_rows *rows, size_t row, struct cell protocol)
{
	struct cell other = page_cell(rows, row, "protocol");
	return other.known == protocol.known &&
	       (!other.known ||
	           (other.text.length == protocol.text.length &&
	               memcmp(other.text.data, protocol.text.data, other.text.length) == 0));
}

// The steps of the protocol that begins at this row. The row behind them.
static size_t write_protocol(const struct page_rows *rows, size_t row, FILE *out)
{
	struct chart_bar bars[STEPS_MAX];
	struct cell protocol = page_cell(rows, row, "protocol");
	uint64_t connected = page_number(rows, row, "passed");
	size_t first = row, count = 0;
	char id[32];
	for (; row < rows->count && same_protocol(rows, row, protocol); row++)
		if (count < STEPS_MAX && take_step(rows, row, connected, &bars[count]))
			count++;
	if (!protocol.known)
		return row; // nothing was said: there are no steps
	snprintf(id, sizeof id, "chart-funnel-%zu", first);
	struct chart chart = {id, "The way to TLS",
	    "One bar for each step: how many of the sessions that connected passed it, did not, or "
	    "were not seen. The numbers are of those that passed the step before.",
	    parts, 3, bars, count};
	fputs("<figure class=\"panel\"><figcaption>", out);
	html_text(out, protocol.text);
	fputs("</figcaption>\n", out);
	chart_write_bars(out, &chart);
	fputs("</figure>\n", out);
	return row;
}

static void write_funnel(const struct page *page, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, "funnel", 0);
	chart_legend(out, parts, 3, NULL);
	fputs("<div class=\"panels\">\n", out);
	for (size_t row = 0; row < rows.count;)
		row = write_protocol(&rows, row, out);
	fputs("</div>\n", out);
	page_rows_release(&rows);
	page_write_table(page, "funnel", out);
}

const struct page_section funnel_section = {.id = "funnel",
    .title = "The way to TLS with STARTTLS and STLS",
    .tab = "Funnel",
    .write = write_funnel};
