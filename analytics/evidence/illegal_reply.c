// SPDX-License-Identifier: Apache-2.0
// STARTTLS or STLS was answered in a way that no standard has, as by a tool that makes up answers, or the
// IMAP greeting lacks its "* ", so that the client takes the server for one of before STARTTLS; and the
// session went on in the clear.
#include "analytics/detector.h"
#include "decode/clues.h"

// A legal "no" to STARTTLS: RFC 3207 4 and RFC 5321 4.2 (4xx, 5xx), RFC 9051 7.1 (NO, BAD behind the tag),
// RFC 1939 3 (-ERR).
static bool is_legal_refusal(const struct session_record *record, const struct clue *answer)
{
	const uint8_t *bytes = answer->bytes;
	const enum protocol spoken = (enum protocol)record->session->protocol;
	if (spoken == PROTOCOL_SMTP)
		return answer->length > 0 && (bytes[0] == '4' || bytes[0] == '5');
	if (spoken == PROTOCOL_IMAP)
		return record->session->starttls_reply[0] != '\0';
	return answer->length >= 4 && memcmp(bytes, "-ERR", 4) == 0;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *record = input->record;
	const struct text *banner = record->session->server_banner;
	struct clue answer;
	if (!record->in_the_clear)
		return false;
	evidence->confidence = CONFIDENCE_PROBABLE;
	if (clue_find(record->session, CLUE_STARTTLS_ANSWER, &answer) &&
	    !is_legal_refusal(record, &answer)) {
		evidence_bytes(evidence, "line", answer.bytes, answer.length);
		return true;
	}
	if (record->session->greeting_irregular && banner != NULL) {
		evidence_bytes(evidence, "line", banner->bytes, banner->length);
		return true;
	}
	return false;
}

const struct detector_ops illegal_reply = {
    .kind = EVIDENCE_ILLEGAL_REPLY, .strips = true, .detect = detect};
