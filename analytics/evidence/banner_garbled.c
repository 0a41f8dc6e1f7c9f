// SPDX-License-Identifier: Apache-2.0
// The greeting is overwritten with asterisks, as SMTP "fixup" firewalls do so that clients fall back to
// HELO, where there is no STARTTLS. It says nothing of TLS by itself, and supports what does.
#include "analytics/detector.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct text *banner = input->record->session->server_banner;
	if (!input->patterns->banner_garbled || banner == NULL)
		return false;
	evidence->confidence = CONFIDENCE_SUSPECTED;
	evidence_bytes(evidence, "banner", banner->bytes, banner->length);
	return true;
}

const struct detector_ops banner_garbled = {
    .kind = EVIDENCE_BANNER_GARBLED, .strips = true, .detect = detect};
