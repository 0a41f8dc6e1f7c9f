// SPDX-License-Identifier: Apache-2.0
#include "analytics/recent_alerts.h"

#include <stdlib.h>
#include <string.h>

enum { ALERT_LONGEST = 16 * 1024 }; // bytes of a line that is kept; most have less than one

struct kept {
	uint8_t *text;
	size_t length;
	uint64_t count;
};

struct recent_alerts {
	struct kept ring[RECENT_ALERTS_MAX];
	size_t next, kept;
	uint64_t all;
};

struct recent_alerts *recent_alerts_create(void)
{
	return calloc(1, sizeof(struct recent_alerts));
}

void recent_alerts_destroy(struct recent_alerts *alerts)
{
	if (alerts == NULL)
		return;
	for (size_t i = 0; i < RECENT_ALERTS_MAX; i++)
		free(alerts->ring[i].text);
	free(alerts);
}

void recent_alerts_add(struct recent_alerts *alerts, struct view line, uint64_t count)
{
	alerts->all += count;
	uint8_t *text = line.length <= ALERT_LONGEST ? malloc(line.length + 1) : NULL;
	if (text == NULL)
		return;
	memcpy(text, line.data, line.length);
	struct kept *kept = &alerts->ring[alerts->next];
	free(kept->text);
	*kept = (struct kept){text, line.length, count};
	alerts->next = (alerts->next + 1) % RECENT_ALERTS_MAX;
	alerts->kept += alerts->kept < RECENT_ALERTS_MAX;
}

size_t recent_alerts_count(const struct recent_alerts *alerts)
{
	return alerts->kept;
}

uint64_t recent_alerts_all(const struct recent_alerts *alerts)
{
	return alerts->all;
}

struct recent_alert recent_alerts_at(const struct recent_alerts *alerts, size_t index)
{
	size_t place = (alerts->next + RECENT_ALERTS_MAX - 1 - index) % RECENT_ALERTS_MAX;
	const struct kept *kept = &alerts->ring[place];
	return (struct recent_alert){view_of(kept->text, kept->length), kept->count};
}
