// SPDX-License-Identifier: Apache-2.0
// Hop by hop: against one who listens, and one who sits between.
#include "analytics/page/chart.h"
#include "analytics/page/html.h"
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

enum { PARTS = 3, HOPS_SHOWN = 8 };

struct view_of_hops {
	const char *id, *title, *description;
	const char *keys[PARTS]; // columns
	struct chart_part parts[PARTS];
};

static const struct view_of_hops views[] = {
    {"chart-listener", "Against one who listens",
        "One bar for each hop, divided into sessions safe from a listener, exposed, and not seen.",
        {"passive_protected", "passive_exposed", "passive_not_seen"},
        {{"fill-encrypted", "safe"}, {"fill-cleartext", "exposed"}, {"fill-unseen", "not seen"}}},
    {"chart-attacker", "Against one who sits between",
        "One bar for each hop, divided into sessions safe if the client checks the certificate, "
        "exposed, and not seen.",
        {"active_possible", "active_exposed", "active_not_seen"},
        {{"fill-possible", "safe if the client checks"}, {"fill-cleartext", "exposed"},
            {"fill-unseen", "not seen"}}},
};

static void write_view(const struct page_rows *rows, const struct view_of_hops *view, FILE *out)
{
	struct chart_bar bars[HOPS_SHOWN];
	size_t count = 0;
	for (; count < rows->count && count < HOPS_SHOWN; count++) {
		struct chart_bar *bar = &bars[count];
		*bar = (struct chart_bar){.label = page_cell(rows, count, "hop").text};
		for (size_t i = 0; i < PARTS; i++)
			bar->counts[i] = page_number(rows, count, view->keys[i]);
		if (bar->counts[0] + bar->counts[1] > 0)
			html_share_text(bar->note, bar->counts[0], bar->counts[0] + bar->counts[1]);
	}
	struct chart chart = {
	    view->id, view->title, view->description, view->parts, PARTS, bars, count};
	fprintf(out, "<figure class=\"panel\"><figcaption>%s</figcaption>\n", view->title);
	chart_write(out, &chart);
	fputs("</figure>\n", out);
}

static void write_protection(const struct page *page, FILE *out)
{
	struct page_rows rows;
	page_rows_take(&rows, page, "protection", 0);
	fputs(
	    "<p>A message travels several hops; a tap sees those that pass it. A listener only "
	    "reads. One who "
	    "sits between may answer in a server&#39;s place, and is noticed only by a client that "
	    "checks the certificate. Beside each bar: how many are safe, of those of which it was "
	    "seen.</p>\n<div class=\"panels wide\">\n",
	    out);
	for (size_t i = 0; i < sizeof views / sizeof views[0] && rows.count > 0; i++)
		write_view(&rows, &views[i], out);
	fputs("</div>\n", out);
	page_rows_release(&rows);
	page_write_table(page, "protection", out);
}

const struct page_section protection_section = {.id = "protection",
    .title = "Protection, hop by hop",
    .tab = "Protection",
    .write = write_protection};
