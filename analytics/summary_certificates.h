// SPDX-License-Identifier: Apache-2.0
// The part of the summary that tells of certificates: how many were seen at all, what they were worth,
// by servers and by sessions, and which clients looked. Called by summary.c.
#ifndef MAILTAP_ANALYTICS_SUMMARY_CERTIFICATES_H
#define MAILTAP_ANALYTICS_SUMMARY_CERTIFICATES_H

#include "analytics/judged_session.h"
#include "analytics/run_accounting.h"

#include <stdio.h>

struct certificate_summary;

// NULL: no memory.
struct certificate_summary *certificate_summary_create(void);
void certificate_summary_destroy(struct certificate_summary *summary);

void certificate_summary_count(
    struct certificate_summary *summary, const struct judged_session *judged);

// Prints nothing if no handshake was seen.
void certificate_summary_print(const struct certificate_summary *summary,
    const struct run_accounting *accounting, FILE *out);

#endif
