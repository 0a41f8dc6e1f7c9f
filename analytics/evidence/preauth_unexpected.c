// SPDX-License-Identifier: Apache-2.0
// An IMAP server that greets others with OK, or has STARTTLS by the user's list, greets this client with PREAUTH, behind which STARTTLS is not
// allowed (RFC 9051 7.1.4).
#include "analytics/detector.h"

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	const struct server_history *server = input->server;
	bool listed = detector_is_listed(server);
	bool greets_with_ok = server->greeted_ok > 0 && server->greeted_preauth == 0;
	if (!record->session->greeting_preauth || record->tls_port || !(greets_with_ok || listed))
		return false;
	evidence->confidence = CONFIDENCE_PROBABLE;
	evidence_number(evidence, "greeted_ok", server->greeted_ok);
	if (listed)
		evidence_bool(evidence, "listed_as_good", true);
	return true;
}

const struct detector_ops preauth_unexpected = {
    .kind = EVIDENCE_PREAUTH_UNEXPECTED, .strips = true, .detect = detect};
