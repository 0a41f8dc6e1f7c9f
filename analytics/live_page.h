// SPDX-License-Identifier: Apache-2.0
// How a run goes, as the page that people look at (page/page.h): its windows as links, and a script that takes the
// page anew every few seconds. Called by run_view.c.
#ifndef MAILTAP_ANALYTICS_LIVE_PAGE_H
#define MAILTAP_ANALYTICS_LIVE_PAGE_H

#include "analytics/live_look.h"
#include "analytics/page/page.h"

#include <stdio.h>

enum { LIVE_POLICY_SIZE = PAGE_POLICY_SIZE + 64 };

// The value of Content-Security-Policy that the server says with it: that of the document, and that nobody frames it,
// which a document cannot say itself.
void live_page_policy(char room[LIVE_POLICY_SIZE]);

// The whole document. What cannot be written shows in ferror(out).
void live_page_write(const struct live_look *look, FILE *out);

#endif
