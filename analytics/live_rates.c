// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_rates.h"

#define SAMPLE_EVERY SECONDS(1)
#define OLDEST SECONDS(15) // of the latest: how things go now is not known then

void live_rates_note(struct live_rates *rates, int64_t now, const struct live_rate_counts *counts)
{
	const struct live_rate_sample *last =
	    &rates->samples[(rates->next + LIVE_RATE_SAMPLES_MAX - 1) % LIVE_RATE_SAMPLES_MAX];
	rates->latest = (struct live_rate_sample){now, *counts};
	if (rates->count > 0 && now - last->time < SAMPLE_EVERY)
		return;
	rates->samples[rates->next] = rates->latest;
	rates->next = (rates->next + 1) % LIVE_RATE_SAMPLES_MAX;
	rates->count += rates->count < LIVE_RATE_SAMPLES_MAX;
}

bool live_rates_now(
    const struct live_rates *rates, int64_t now, struct live_rate_counts *counts, nanoseconds *over)
{
	const struct live_rate_sample *latest = &rates->latest;
	unsigned first =
	    (rates->next + LIVE_RATE_SAMPLES_MAX - rates->count) % LIVE_RATE_SAMPLES_MAX;
	const struct live_rate_sample *before = &rates->samples[first];
	*over = latest->time - before->time;
	if (rates->count == 0 || now - latest->time > OLDEST || *over < SAMPLE_EVERY / 2)
		return false;
	*counts = (struct live_rate_counts){latest->counts.packets - before->counts.packets,
	    latest->counts.bytes - before->counts.bytes,
	    latest->counts.segments - before->counts.segments,
	    latest->counts.sessions - before->counts.sessions,
	    latest->counts.alerts - before->counts.alerts,
	    latest->counts.lost - before->counts.lost};
	return true;
}
