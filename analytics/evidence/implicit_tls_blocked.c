// SPDX-License-Identifier: Apache-2.0
// A client tried the server's port for TLS from the start in vain, and then goes to the one in the clear,
// though the first works for others, or is on the user's list of good ones.
#include "analytics/detector.h"

// The ports in the clear that a client goes to from this one.
static bool is_fallback(uint16_t blocked, uint16_t port)
{
	switch (blocked) {
	case 465:
		return port == 25 || port == 587;
	case 993:
		return port == 143;
	case 995:
		return port == 110;
	default:
		return false;
	}
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	const struct failed_attempt *blocked = &input->client->blocked;
	nanoseconds before = record->start - blocked->time;
	bool soon = blocked->time != 0 && before <= DETECTOR_SOON && before >= -DETECTOR_SOON;
	bool listed = input->implicit->baseline && input->implicit->baseline_tls;
	bool works = listed || input->implicit->established > 0;
	if (!soon || !works || !record->in_the_clear || record->tls_established == SEEN_YES ||
	    !is_fallback(blocked->port, record->port[FROM_SERVER]))
		return false;
	evidence->confidence = CONFIDENCE_SUSPECTED;
	evidence_number(evidence, "port", blocked->port);
	evidence_name(evidence, "how", tls_failure_name(blocked->failure.kind));
	evidence_duration(evidence, "seconds", before > 0 ? before : 0);
	evidence_number(evidence, "established_with_others", input->implicit->established);
	if (listed)
		evidence_bool(evidence, "listed_as_good", true);
	return true;
}

const struct detector_ops implicit_tls_blocked = {
    .kind = EVIDENCE_IMPLICIT_TLS_BLOCKED, .strips = true, .detect = detect};
