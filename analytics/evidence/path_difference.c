// SPDX-License-Identifier: Apache-2.0
// The same connection was seen at two tap points, and the two copies differ in what was said before TLS:
// something between them rewrote it. Only copies of which nothing is missing are compared.
#include "analytics/detector.h"

static bool whole(const struct session_record *record)
{
	const struct session *session = record->session;
	return record->saw_start && record->ended && !session->dialogue_gap[FROM_CLIENT] &&
	       !session->dialogue_gap[FROM_SERVER] &&
	       record->missing[FROM_CLIENT] + record->missing[FROM_SERVER] == 0;
}

static bool equal(const struct text *a, const struct text *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void add_text(struct evidence *evidence, const char *key, const struct text *text)
{
	if (text != NULL)
		evidence_bytes(evidence, key, text->bytes, text->length);
}

static void add_tap_points(struct evidence *evidence, const struct detector_input *input)
{
	evidence_number(evidence, "tap_point_here", input->record->tap_point);
	evidence_number(evidence, "tap_point_there", input->twin->tap_point);
}

// The first text of the dialogue that differs.
static bool texts_differ(const struct detector_input *input, struct evidence *evidence)
{
	const struct session *here = input->record->session, *there = input->twin->session;
	const struct {
		const char *name;
		const struct text *here, *there;
	} texts[] = {
	    {"server_banner", here->server_banner, there->server_banner},
	    {"capabilities", here->capabilities, there->capabilities},
	    {"client_name", here->client_name, there->client_name},
	};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (equal(texts[i].here, texts[i].there))
			continue;
		evidence_name(evidence, "differs", texts[i].name);
		add_text(evidence, "here", texts[i].here);
		add_text(evidence, "there", texts[i].there);
		return true;
	}
	return false;
}

static bool answers_differ(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *here = input->record, *there = input->twin;
	bool same = strcmp(here->session->starttls_reply, there->session->starttls_reply) == 0 &&
	            here->starttls_requested == there->starttls_requested;
	if (same)
		return false;
	evidence_name(evidence, "differs", "starttls");
	evidence_bool(evidence, "requested_here", here->starttls_requested == SEEN_YES);
	evidence_bool(evidence, "requested_there", there->starttls_requested == SEEN_YES);
	return true;
}

static bool detect(const struct detector_input *input, struct evidence *evidence)
{
	if (input->twin == NULL || !whole(input->record) || !whole(input->twin))
		return false;
	evidence->confidence = CONFIDENCE_CONFIRMED;
	if (!texts_differ(input, evidence) && !answers_differ(input, evidence))
		return false;
	add_tap_points(evidence, input);
	return true;
}

const struct detector_ops path_difference = {
    .kind = EVIDENCE_PATH_DIFFERENCE, .strips = true, .detect = detect};
