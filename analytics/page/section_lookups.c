// SPDX-License-Identifier: Apache-2.0
// What receiving networks look up of senders.
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static void write_lookups(const struct page *page, FILE *out)
{
	page_write_table(page, "lookups", out);
	page_write_table(page, "lookup_operators", out);
	page_write_table(page, "lookup_list", out);
}

const struct page_section lookups_section = {.id = "lookups",
    .title = "What receiving networks look up of senders",
    .tab = "Look-ups",
    .write = write_lookups};
