// SPDX-License-Identifier: Apache-2.0
// Two different payloads for the same bytes of a direction, in the dialogue in the clear. Where one of them
// came in packets that are unlike the rest of the direction, somebody else sent it; where they look
// alike, a sender that changed its mind is as likely.
#include "analytics/detector.h"
#include "decode/clues.h"

static void add_look(
    struct evidence *evidence, const char *const keys[3], const struct segment_look *look)
{
	evidence_number(evidence, keys[0], look->ttl);
	evidence_number(evidence, keys[1], look->ip_id);
	evidence_number(evidence, keys[2], look->window);
}

// The first conflict that is unlike, or else the first one. False: there is none.
static bool find_conflict(
    const struct session *session, struct clue_conflict *conflict, struct clue *found)
{
	size_t position = 0;
	struct clue clue;
	bool any = false;
	while (clue_next(session, &position, &clue)) {
		if (clue.kind != CLUE_CONFLICT || clue.length < sizeof *conflict)
			continue;
		struct clue_conflict this;
		memcpy(&this, clue.bytes, sizeof this);
		if (any && !(this.unlike && !conflict->unlike))
			continue;
		*conflict = this;
		*found = clue;
		any = true;
	}
	return any;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	static const char *const usual[] = {"usual_ttl", "usual_ip_id", "usual_window"};
	static const char *const first[] = {"first_ttl", "first_ip_id", "first_window"};
	static const char *const second[] = {"second_ttl", "second_ip_id", "second_window"};
	struct clue_conflict conflict = {0};
	struct clue clue, ignored;
	if (!find_conflict(input->record->session, &conflict, &clue))
		return false;
	const uint8_t *bytes = clue.bytes + sizeof conflict;
	size_t have = clue.length - sizeof conflict, first_length = conflict.first_length;
	if (first_length + conflict.second_length > have)
		return false;
	evidence->confidence = conflict.unlike ? CONFIDENCE_CONFIRMED : CONFIDENCE_SUSPECTED;
	evidence_name(evidence, "direction", conflict.from == FROM_CLIENT ? "client" : "server");
	evidence_number(evidence, "offset", conflict.offset);
	evidence_number(evidence, "differing_bytes", conflict.length);
	if (first_length + conflict.second_length > 0) {
		evidence_bytes(evidence, "first_bytes", bytes, first_length);
		evidence_bytes(
		    evidence, "second_bytes", bytes + first_length, conflict.second_length);
	}
	add_look(evidence, usual, &conflict.usual);
	add_look(evidence, first, &conflict.first);
	add_look(evidence, second, &conflict.second);
	if (clue_find(input->record->session, CLUES_LEFT_OUT, &ignored))
		evidence_bool(evidence, "more_left_out", true);
	return true;
}

const struct detector_ops injected_segment = {
    .kind = EVIDENCE_INJECTED_SEGMENT, .strips = true, .detect = detect};
