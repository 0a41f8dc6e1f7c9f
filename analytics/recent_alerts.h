// SPDX-License-Identifier: Apache-2.0
// The alerts of a run that came last, as the lines that alerts.jsonl has or would have. Bounded: the oldest go.
// Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_RECENT_ALERTS_H
#define MAILTAP_ANALYTICS_RECENT_ALERTS_H

#include "capture/base/view.h"

#include <stdbool.h>
#include <stddef.h>

enum { RECENT_ALERTS_MAX = 200 };

struct recent_alerts;

// NULL: no memory.
struct recent_alerts *recent_alerts_create(void);
void recent_alerts_destroy(struct recent_alerts *alerts); // NULL is allowed

// A line, without its end. `count`: alerts that it stands for, itself included. One that is too long, or for which
// there is no memory, is counted and not kept.
void recent_alerts_add(struct recent_alerts *alerts, struct view line, uint64_t count);

size_t recent_alerts_count(const struct recent_alerts *alerts); // that are kept
uint64_t recent_alerts_all(
    const struct recent_alerts *alerts); // that there were, by what lines stand for

struct recent_alert {
	struct view line;
	uint64_t count;
};

// 0: the newest. Good until the next one is added.
struct recent_alert recent_alerts_at(const struct recent_alerts *alerts, size_t index);

#endif
