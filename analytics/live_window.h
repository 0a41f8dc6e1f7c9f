// SPDX-License-Identifier: Apache-2.0
// How far back the live page looks, and what it is that HTTP asks for.
#ifndef MAILTAP_ANALYTICS_LIVE_WINDOW_H
#define MAILTAP_ANALYTICS_LIVE_WINDOW_H

#include <stdbool.h>

enum live_window { LIVE_QUARTER, LIVE_HOUR, LIVE_DAY, LIVE_WINDOWS };

// As a query and an option name it: "15m", "1h", "24h"; and for people.
const char *live_window_name(enum live_window window);
const char *live_window_title(enum live_window window);

// False: it is the name of none.
bool live_window_find(const char *name, enum live_window *window);

#endif
