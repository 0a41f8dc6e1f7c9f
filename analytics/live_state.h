// SPDX-License-Identifier: Apache-2.0
// What a run keeps for those who look at it while it goes on (--listen): the windows of the last day, the alerts
// that came last, how fast things go. Exporters and the run fill it; live_json.h and live_page.h show it. It gets
// sessions and alerts as the logs have them, anonymised where they are. Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_LIVE_STATE_H
#define MAILTAP_ANALYTICS_LIVE_STATE_H

#include "analytics/live_rates.h"
#include "analytics/live_windows.h"
#include "analytics/recent_alerts.h"

struct live_settings {
	const char *sensor; // NULL: not named; borrowed
	const char *names; // by which it may be asked for (http_host.h); NULL: no others; borrowed
	bool anonymised; // sessions are
	uint64_t memory; // that connections may take, bytes
};

struct live_state {
	struct live_settings settings;
	struct live_windows *windows;
	struct recent_alerts *alerts;
	struct live_rates rates;
	uint64_t sessions; // since the run began
};

// NULL: *error.
struct live_state *live_state_create(const struct live_settings *settings, struct error *error);
void live_state_destroy(struct live_state *live); // NULL is allowed

// NULL is allowed for `live`: nobody looks.
void live_state_session(struct live_state *live, const struct session_facts *facts);
void live_state_alert(struct live_state *live, struct view line, uint64_t count);
void live_state_account(struct live_state *live, const struct run_accounting *accounting);

#endif
