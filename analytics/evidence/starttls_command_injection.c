// SPDX-License-Identifier: Apache-2.0
// Client bytes in the clear behind STARTTLS or STLS and before the server's answer: meant to be taken into
// the protected session (CVE-2011-0411). A hasty client does the same.
#include "analytics/detector.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	uint32_t bytes = input->record->session->injected_command_bytes;
	evidence->confidence = CONFIDENCE_SUSPECTED;
	evidence_number(evidence, "bytes", bytes);
	return bytes > 0;
}

const struct detector_ops starttls_command_injection = {
    .kind = EVIDENCE_STARTTLS_COMMAND_INJECTION, .detect = detect};
