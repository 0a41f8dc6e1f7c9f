// SPDX-License-Identifier: Apache-2.0
// STARTTLS or STLS was offered in this session, and then answered as a command that does not exist: a
// server does not contradict itself like that.
#include "analytics/detector.h"
#include "decode/clues.h"

static bool says_unknown(const struct detector_input *input)
{
	const char *reply = input->record->session->starttls_reply;
	return strcmp(reply, "500") == 0 || strcmp(reply, "502") == 0 || strcmp(reply, "BAD") == 0 ||
	       (strcmp(reply, "-ERR") == 0 && input->patterns->answer_unknown_command);
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	struct clue answer;
	bool contradicts = record->session->starttls_offered == SEEN_YES &&
	                   record->starttls_requested == SEEN_YES &&
	                   record->starttls_accepted == SEEN_NO && says_unknown(input);
	if (!contradicts || input->patterns->answer_echoes_filler) // evidence of its own
		return false;
	evidence->confidence = CONFIDENCE_PROBABLE;
	evidence_name(
	    evidence, "offer", record->session->protocol == PROTOCOL_POP3 ? "STLS" : "STARTTLS");
	if (clue_find(record->session, CLUE_STARTTLS_ANSWER, &answer))
		evidence_bytes(evidence, "reply", answer.bytes, answer.length);
	return true;
}

const struct detector_ops refusal_contradicts_offer = {
    .kind = EVIDENCE_REFUSAL_CONTRADICTS_OFFER, .strips = true, .detect = detect};
