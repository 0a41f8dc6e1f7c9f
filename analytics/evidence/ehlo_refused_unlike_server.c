// SPDX-License-Identifier: Apache-2.0
// EHLO is answered as a command that does not exist, and the client falls back to HELO, where there is no
// STARTTLS. Probable where this server takes EHLO from others, or has STARTTLS by the user's list; suspected where its own greeting says
// ESMTP, or it was seen to take it once. A server of which nothing is known may be that old.
#include "analytics/detector.h"
#include "decode/clues.h"

static bool says_unknown(const struct clue *answer)
{
	return answer->length >= 3 &&
	       (memcmp(answer->bytes, "500", 3) == 0 || memcmp(answer->bytes, "502", 3) == 0);
}

static bool greets_with_esmtp(const struct session *session)
{
	const struct text *banner = session->server_banner;
	struct line line = {0};
	if (banner == NULL)
		return false;
	line.bytes = banner->bytes;
	line.length = banner->length;
	return line_has_word(&line, "ESMTP");
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session *session = input->record->session;
	const struct server_history *server = input->server;
	struct clue answer;
	if (!clue_find(session, CLUE_EHLO_REFUSED, &answer) || !says_unknown(&answer))
		return false;
	bool listed = detector_is_listed(server);
	bool habit = listed || server->ehlo_taken >= DETECTOR_OFTEN;
	if (!habit && server->ehlo_taken == 0 && !greets_with_esmtp(session))
		return false;
	evidence->confidence = habit ? CONFIDENCE_PROBABLE : CONFIDENCE_SUSPECTED;
	evidence_bytes(evidence, "reply", answer.bytes, answer.length);
	evidence_number(evidence, "ehlo_taken", server->ehlo_taken);
	evidence_number(evidence, "ehlo_networks", server->ehlo_networks);
	if (listed)
		evidence_bool(evidence, "listed_as_good", true);
	return true;
}

const struct detector_ops ehlo_refused_unlike_server = {
    .kind = EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER, .strips = true, .detect = detect};
