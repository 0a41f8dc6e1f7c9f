// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_state.h"

#include "capture/base/monotonic.h"

#include <stdlib.h>

struct live_state *live_state_create(const struct live_settings *settings, struct error *error)
{
	struct live_state *live = calloc(1, sizeof *live);
	error_set(error, "no memory to show how the run goes");
	if (live == NULL)
		return NULL;
	live->settings = *settings;
	live->windows = live_windows_create(error);
	live->alerts = recent_alerts_create();
	if (live->windows != NULL && live->alerts != NULL)
		return live;
	live_state_destroy(live);
	return NULL;
}

void live_state_destroy(struct live_state *live)
{
	if (live == NULL)
		return;
	live_windows_destroy(live->windows);
	recent_alerts_destroy(live->alerts);
	free(live);
}

void live_state_session(struct live_state *live, const struct session_facts *facts)
{
	if (live == NULL)
		return;
	live->sessions++;
	live_windows_session(live->windows, facts);
}

void live_state_alert(struct live_state *live, struct view line, uint64_t count)
{
	if (live != NULL)
		recent_alerts_add(live->alerts, line, count);
}

void live_state_account(struct live_state *live, const struct run_accounting *accounting)
{
	if (live == NULL)
		return;
	const struct source_counters *source = &accounting->source;
	const struct capture_accounting capture = capture_accounting_of(accounting);
	const struct live_count count = {
	    .capture = capture,
	    .packets = source->packets,
	    .bytes = source->bytes,
	    .lost = capture_accounting_lost(&capture),
	};
	const struct live_rate_counts rates = {
	    .packets = source->packets,
	    .bytes = source->bytes,
	    .segments = accounting->worker.segments_tracked + accounting->worker.segments_no_mail,
	    .sessions = live->sessions,
	    .alerts = recent_alerts_all(live->alerts),
	    .lost = count.lost,
	};
	live_windows_account(live->windows, accounting->time, &count);
	live_rates_note(&live->rates, monotonic_now(), &rates);
}
