// SPDX-License-Identifier: Apache-2.0
// STARTTLS or STLS is refused, though this server accepts it from others, or the user's list says so. A server whose set-up broke a
// moment ago does the same. What says that the command does not exist is other evidence.
#include "analytics/detector.h"
#include "decode/clues.h"

static bool says_no(const struct detector_input *input)
{
	const char *reply = input->record->session->starttls_reply;
	if (strcmp(reply, "500") == 0 || strcmp(reply, "502") == 0)
		return false;
	return reply[0] == '4' || reply[0] == '5' || strcmp(reply, "NO") == 0 ||
	       (strcmp(reply, "-ERR") == 0 && !input->patterns->answer_unknown_command);
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	const struct server_history *server = input->server;
	struct clue answer;
	bool accepts = server->accepted > 0 && server->established > 0 &&
	               record->end - server->accepted_last <= DETECTOR_MEMORY;
	bool listed = detector_is_listed(server);
	if (record->starttls_accepted != SEEN_NO || !says_no(input) || !(accepts || listed))
		return false;
	evidence->confidence = CONFIDENCE_SUSPECTED;
	if (clue_find(record->session, CLUE_STARTTLS_ANSWER, &answer))
		evidence_bytes(evidence, "reply", answer.bytes, answer.length);
	evidence_number(evidence, "accepted", server->accepted);
	if (server->accepted > 0)
		evidence_time(evidence, "accepted_last", server->accepted_last);
	if (listed)
		evidence_bool(evidence, "listed_as_good", true);
	return true;
}

const struct detector_ops refusal_unlike_server = {
    .kind = EVIDENCE_REFUSAL_UNLIKE_SERVER, .strips = true, .detect = detect};
