// SPDX-License-Identifier: Apache-2.0
// The client's STARTTLS or STLS was overwritten on its way: it arrives as filler of the same length and is
// not understood (the tap is behind the middlebox), or the server quotes another word than the client
// sent (before it).
#include "analytics/detector.h"
#include "decode/clues.h"

static bool arrived_garbled(const struct detector_input *input, struct evidence *evidence)
{
	const struct session *session = input->record->session;
	struct clue command, answer;
	if (!clue_find(session, CLUE_GARBLED_COMMAND, &command) ||
	    !clue_find(session, CLUE_GARBLED_ANSWER, &answer))
		return false;
	evidence_bytes(evidence, "command", command.bytes, command.length);
	evidence_bytes(evidence, "answer", answer.bytes, answer.length);
	return true;
}

static bool echoed_garbled(const struct detector_input *input, struct evidence *evidence)
{
	struct clue answer;
	if (!input->patterns->answer_echoes_filler ||
	    input->record->starttls_requested != SEEN_YES ||
	    !clue_find(input->record->session, CLUE_STARTTLS_ANSWER, &answer))
		return false;
	evidence_name(evidence, "command",
	    input->record->session->protocol == PROTOCOL_POP3 ? "STLS" : "STARTTLS");
	evidence_bytes(evidence, "answer", answer.bytes, answer.length);
	return true;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	evidence->confidence = CONFIDENCE_CONFIRMED;
	return arrived_garbled(input, evidence) || echoed_garbled(input, evidence);
}

const struct detector_ops command_garbled = {
    .kind = EVIDENCE_COMMAND_GARBLED, .strips = true, .detect = detect};
