// SPDX-License-Identifier: Apache-2.0
// `mailtap top` on a terminal: asks a running tap for /live.json every few seconds and shows it. A module of its
// own (base/module.h), which command_top.c loads: ncurses and libcurl bring two dozen libraries.
#ifndef MAILTAP_ANALYTICS_TOP_TOP_H
#define MAILTAP_ANALYTICS_TOP_TOP_H

#include "analytics/live_window.h"
#include "capture/base/error.h"

#include <stdbool.h>

struct top_settings {
	const char *address; // as 127.0.0.1:9479
	unsigned interval; // seconds
	enum live_window window;
};

// What the module gives to the program that loads it.
struct top_ops {
	// Until q is pressed, or the terminal goes. False: *error.
	bool (*show)(const struct top_settings *settings, struct error *error);
	// One frame as text on standard output. False: *error.
	bool (*print)(const struct top_settings *settings, struct error *error);
};

#define TOP_MODULE_SYMBOL "top_module"

extern const struct top_ops top_module;

#endif
