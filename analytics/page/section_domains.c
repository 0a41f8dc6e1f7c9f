// SPDX-License-Identifier: Apache-2.0
// What domains publish for their mail.
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static void write_domains(const struct page *page, FILE *out)
{
	page_write_table(page, "policies", out);
	page_write_table(page, "domain_properties", out);
}

const struct page_section domains_section = {.id = "domains",
    .title = "What domains publish for their mail",
    .tab = "Domains",
    .write = write_domains};
