// SPDX-License-Identifier: Apache-2.0
// The page of metrics for those who do not ask for OpenMetrics: the text format of Prometheus, version 0.0.4,
// in which a counter's family is named as its samples are, and which has neither units nor an end. Pure.
#ifndef MAILTAP_ANALYTICS_METRICS_CLASSIC_H
#define MAILTAP_ANALYTICS_METRICS_CLASSIC_H

#include <stdio.h>

// `page`: as metrics_page.h writes it.
void metrics_classic_write(const char *page, size_t length, FILE *out);

#endif
