// SPDX-License-Identifier: Apache-2.0
// The server's random ends in the mark by which a server that can do more says that it was asked for less
// (RFC 8446 4.1.3), though this client's hello, as the tap saw it, offers more: on the way to the server
// it said something else. Honest servers set the mark for every old client: it is the offer that counts.
#include "analytics/detector.h"
#include "decode/tls.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct tls_facts *tls = &input->record->session->tls;
	bool contradicts =
	    (tls->downgrade_sentinel == SENTINEL_TLS_1_2 && tls->client_version >= TLS_1_3 &&
	        tls->version == TLS_1_2) ||
	    (tls->downgrade_sentinel == SENTINEL_TLS_1_1 && tls->client_version >= TLS_1_2 &&
	        tls->version < TLS_1_2);
	if (!contradicts || tls->version == 0)
		return false;
	evidence->confidence = CONFIDENCE_PROBABLE;
	evidence_name(evidence, "offered", tls_version_name(tls->client_version));
	evidence_name(evidence, "chosen", tls_version_name(tls->version));
	return true;
}

const struct detector_ops tls_downgrade_sentinel = {
    .kind = EVIDENCE_TLS_DOWNGRADE_SENTINEL, .detect = detect};
