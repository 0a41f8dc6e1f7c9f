// SPDX-License-Identifier: Apache-2.0
// Clients.
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static void write_clients(const struct page *page, FILE *out)
{
	page_write_table(page, "client_list", out);
	page_write_table(page, "starttls_use", out);
}

const struct page_section clients_section = {
    .id = "clients", .title = "Clients", .tab = "Clients", .write = write_clients};
