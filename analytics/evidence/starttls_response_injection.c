// SPDX-License-Identifier: Apache-2.0
// Server bytes in the clear behind its agreement to TLS and before its first record: meant to be taken for
// its first words in the protected session (CVE-2020-14093 and its family).
#include "analytics/detector.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	uint32_t bytes = input->record->session->injected_response_bytes;
	evidence->confidence = CONFIDENCE_PROBABLE;
	evidence_number(evidence, "bytes", bytes);
	return bytes > 0;
}

const struct detector_ops starttls_response_injection = {
    .kind = EVIDENCE_STARTTLS_RESPONSE_INJECTION, .detect = detect};
