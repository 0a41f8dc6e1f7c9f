// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_window.h"

#include <string.h>

static const struct {
	const char *name, *title;
} windows[LIVE_WINDOWS] = {
    [LIVE_QUARTER] = {"15m", "15 minutes"},
    [LIVE_HOUR] = {"1h", "hour"},
    [LIVE_DAY] = {"24h", "day"},
};

const char *live_window_name(enum live_window window)
{
	return windows[window].name;
}

const char *live_window_title(enum live_window window)
{
	return windows[window].title;
}

bool live_window_find(const char *name, enum live_window *window)
{
	for (int i = 0; i < LIVE_WINDOWS; i++)
		if (strcmp(name, windows[i].name) == 0) {
			*window = (enum live_window)i;
			return true;
		}
	return false;
}
