// SPDX-License-Identifier: Apache-2.0
// The page of a report as a file. Used by command_report.c.
#ifndef MAILTAP_ANALYTICS_REPORT_PAGE_H
#define MAILTAP_ANALYTICS_REPORT_PAGE_H

#include "analytics/page/page.h"

// Replaces the file as a whole. "-": standard output. False: *error.
bool report_page_save(const struct page *page, const char *path, struct error *error);

#endif
