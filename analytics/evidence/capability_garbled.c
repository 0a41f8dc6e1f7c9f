// SPDX-License-Identifier: Apache-2.0
// In the list of capabilities a line of filler stands where STARTTLS or STLS would. Where the offer came
// through all the same, the filler hides something else.
#include "analytics/detector.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct pattern_findings *patterns = input->patterns;
	if (patterns->garbled_capability < 0 ||
	    input->record->session->starttls_offered == SEEN_YES)
		return false;
	bool offers = input->server->offer_proven;
	evidence->confidence = offers ? CONFIDENCE_CONFIRMED : CONFIDENCE_PROBABLE;
	evidence_bytes(evidence, "bytes", patterns->garbled_capability_line.data,
	    patterns->garbled_capability_line.length);
	evidence_number(evidence, "position", (uint64_t)patterns->garbled_capability);
	evidence_bool(evidence, "server_known_to_offer", offers);
	return true;
}

const struct detector_ops capability_garbled = {
    .kind = EVIDENCE_CAPABILITY_GARBLED, .strips = true, .detect = detect};
