// SPDX-License-Identifier: Apache-2.0
// The terminal of `mailtap top`: frames on it, and its keys. Over ncurses, which has one terminal a process. Used by
// top.c.
#ifndef MAILTAP_ANALYTICS_TOP_TOP_SCREEN_H
#define MAILTAP_ANALYTICS_TOP_TOP_SCREEN_H

#include "analytics/live_window.h"
#include "analytics/top/top_frame.h"
#include "capture/base/error.h"

#include <stdint.h>

// What who looks has chosen, and how it goes.
struct top_view {
	const char *address; // of the tap
	enum live_window window;
	enum top_order order;
	size_t first; // line of the frame that is shown
	bool paused, help;
	bool ascii; // the terminal shows no other characters
	bool failing; // the last question had no answer, as `trouble` says
	struct error trouble;
	int64_t answered; // when the last answer came, by the monotonic clock; 0: none did
};

// False: *error says why the terminal cannot do it.
bool top_screen_open(struct error *error);
void top_screen_close(void);

size_t top_screen_columns(void);
void top_screen_draw(struct top_view *view, const struct top_frame *frame);

// Takes the keys that were pressed. False: it is to end.
bool top_screen_keys(struct top_view *view, const struct top_frame *frame);

#endif
