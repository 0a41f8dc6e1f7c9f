// SPDX-License-Identifier: Apache-2.0
// The sections there are, each in the file section_*.c of its name. Used by page.c.
#ifndef MAILTAP_ANALYTICS_PAGE_SECTIONS_H
#define MAILTAP_ANALYTICS_PAGE_SECTIONS_H

#include "analytics/page/page.h"

extern const struct page_section overview_section, sessions_section, funnel_section,
    protection_section, certificates_section, tls_section, times_section, stripping_section,
    paths_section, operators_section, domains_section, lookups_section, servers_section,
    clients_section, mail_section, capture_section;

#endif
