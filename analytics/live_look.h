// SPDX-License-Identifier: Apache-2.0
// How a run goes at the moment that somebody looks: what the run gives to those who write it down.
#ifndef MAILTAP_ANALYTICS_LIVE_LOOK_H
#define MAILTAP_ANALYTICS_LIVE_LOOK_H

#include "analytics/intake.h"
#include "analytics/live_state.h"
#include "analytics/published.h"

struct live_look {
	const struct live_state *live;
	const struct run_accounting *accounting;
	const struct intake *intake; // of the thread that looks
	enum run_stage stage;
	enum live_window window;
};

#endif
