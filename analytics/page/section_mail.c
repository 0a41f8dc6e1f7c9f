// SPDX-License-Identifier: Apache-2.0
// What headers of mail in the clear say.
#include "analytics/page/page_rows.h"
#include "analytics/page/page_table.h"
#include "analytics/page/sections.h"

static bool has_rows(const struct page *page, const char *table)
{
	struct page_rows rows;
	page_rows_take(&rows, page, table, 1);
	bool any = rows.all > 0;
	page_rows_release(&rows);
	return any;
}

static void write_mail(const struct page *page, FILE *out)
{
	if (!has_rows(page, "internal_hops") && !has_rows(page, "enforcement"))
		fputs("<p>No header of mail was read: none crossed in the clear, or nobody asked for "
		      "it (<code>--mail-headers</code>).</p>\n",
		    out);
	page_write_table(page, "internal_hops", out);
	page_write_table(page, "enforcement", out);
	page_write_table(page, "enforcement_networks", out);
}

const struct page_section mail_section = {
    .id = "mail", .title = "Headers of mail in the clear", .tab = "Mail", .write = write_mail};
