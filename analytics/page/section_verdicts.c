// SPDX-License-Identifier: Apache-2.0
// What became of the sessions, and by protocol and port.
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static void write_verdicts(const struct page *page, FILE *out)
{
	page_write_table(page, "verdicts", out);
	page_write_table(page, "sessions", out);
}

const struct page_section verdicts_section = {.id = "verdicts",
    .title = "What became of the sessions",
    .tab = "Sessions",
    .write = write_verdicts};
