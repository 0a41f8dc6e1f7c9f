// SPDX-License-Identifier: Apache-2.0
#include "analytics/detector.h"

// A new kind of evidence is one file and one row.
static const struct detector_ops *const table[] = {
    &capability_garbled,
    &banner_garbled,
    &capability_removed,
    &command_garbled,
    &illegal_reply,
    &refusal_contradicts_offer,
    &refusal_unlike_server,
    &offer_ignored_unlike_client,
    &ehlo_refused_unlike_server,
    &tls_broken_then_cleartext,
    &injected_segment,
    &path_difference,
    &certificate_substituted,
    &preauth_unexpected,
    &implicit_tls_blocked,
    &tls_downgrade_sentinel,
    &starttls_command_injection,
    &starttls_response_injection,
};

enum { DETECTORS = sizeof table / sizeof table[0] };

_Static_assert(DETECTORS == (int)EVIDENCE_KINDS, "each kind has a row");

bool detector_is_listed(const struct server_history *server)
{
	return server->baseline && !server->baseline_tls;
}

// Facts are written before they are counted: they need no clearing, of which there would be ten thousand bytes
// a session.
static void begin(struct evidence *evidence, const struct detector_ops *detector)
{
	evidence->kind = detector->kind;
	evidence->confidence = CONFIDENCE_NONE;
	evidence->strips = detector->strips;
	evidence->fact_count = 0;
}

size_t detectors_run(const struct detector_input *input, struct evidence found[EVIDENCE_KINDS])
{
	size_t count = 0;
	for (size_t i = 0; i < DETECTORS; i++) {
		begin(&found[count], table[i]);
		if (table[i]->detect(input, &found[count]))
			count++;
	}
	return count;
}
