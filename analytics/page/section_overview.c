// SPDX-License-Identifier: Apache-2.0
// What the page is of, and its headline figures.
#include "analytics/page/html.h"
#include "analytics/page/sections.h"

static void write_overview(const struct page *page, FILE *out)
{
	fputs("<p class=\"lead\">", out);
	html_number(out, page->span.sessions);
	fprintf(out, " session%s", page->span.sessions == 1 ? "" : "s");
	if (page->span.sessions > 0) {
		fputs(", <time>", out);
		html_time(out, page->span.first);
		fputs("</time> to <time>", out);
		html_time(out, page->span.last);
		fputs("</time> UTC", out);
	}
	fputs(", from ", out);
	html_string(out, page->source);
	fputs(".</p>\n", out);
}

const struct page_section overview_section = {
    .id = "overview", .title = "At a glance", .tab = "Overview", .write = write_overview};
