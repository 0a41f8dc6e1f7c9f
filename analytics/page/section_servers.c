// SPDX-License-Identifier: Apache-2.0
// Servers, and where they and their clients are.
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static void write_servers(const struct page *page, FILE *out)
{
	page_write_table(page, "server_list", out);
	page_write_table(page, "servers", out);
	page_write_table(page, "networks", out);
	page_write_table(page, "countries", out);
	page_write_table(page, "distinct", out);
}

const struct page_section servers_section = {
    .id = "servers", .title = "Servers", .tab = "Servers", .write = write_servers};
