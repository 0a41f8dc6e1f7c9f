// SPDX-License-Identifier: Apache-2.0
// The alerts that a report shows: of each kind of evidence at a server for a client network the first line of
// alerts.jsonl, and how many there were; the surest first. Bounded memory: what does not fit is counted. Used by
// command_report.c; owned by one thread.
#ifndef MAILTAP_ANALYTICS_REPORT_ALERTS_H
#define MAILTAP_ANALYTICS_REPORT_ALERTS_H

#include "analytics/anonymise.h"
#include "analytics/page/page.h"

struct report_alerts;

// `anonymiser`: lines with real addresses get others in their place; NULL: they stay. NULL: no memory; *error.
struct report_alerts *report_alerts_create(struct anonymiser *anonymiser, struct error *error);
void report_alerts_destroy(struct report_alerts *alerts); // NULL is allowed

// A line without its end. False: it is no alert.
bool report_alerts_take(struct report_alerts *alerts, const char *line, size_t length);

// Fills the page's alerts, at most `most`; borrowed until more are taken.
void report_alerts_show(struct report_alerts *alerts, struct page *page, size_t most);

#endif
