// SPDX-License-Identifier: Apache-2.0
// The summary's part on stripping and downgrade: how many sessions, by kind and confidence, and at which
// servers, with the networks that see them stripped and those that do not. Used by summary.c.
#ifndef MAILTAP_ANALYTICS_SUMMARY_EVIDENCE_H
#define MAILTAP_ANALYTICS_SUMMARY_EVIDENCE_H

#include "analytics/judged_session.h"

#include <stdio.h>

struct evidence_summary;

// NULL: no memory.
struct evidence_summary *evidence_summary_create(void);
void evidence_summary_destroy(struct evidence_summary *summary);

void evidence_summary_count(struct evidence_summary *summary, const struct judged_session *judged);

// `sessions`: all that were looked at.
void evidence_summary_print(const struct evidence_summary *summary, uint64_t sessions, FILE *out);

#endif
