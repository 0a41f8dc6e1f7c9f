// SPDX-License-Identifier: Apache-2.0
// The same connection was seen at two tap points, and the two copies differ in what was said before TLS:
// something between them rewrote it. Only copies of which nothing is missing are compared.
#include "analytics/detector.h"
#include "decode/clues.h"

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

// A tap point (headers.h) as what a person knows it by.
static void add_tap_point(struct evidence *evidence, const char *const keys[3], uint32_t tap_point)
{
	uint32_t vlan = tap_point >> 12 & 0xfff, inner_vlan = tap_point & 0xfff;
	evidence_number(evidence, keys[0], tap_point >> 24);
	if (vlan != 0)
		evidence_number(evidence, keys[1], vlan);
	if (inner_vlan != 0)
		evidence_number(evidence, keys[2], inner_vlan);
}

static void add_tap_points(struct evidence *evidence, const struct detector_input *input)
{
	static const char *const here[] = {"interface_here", "vlan_here", "inner_vlan_here"};
	static const char *const there[] = {"interface_there", "vlan_there", "inner_vlan_there"};
	add_tap_point(evidence, here, input->record->tap_point);
	add_tap_point(evidence, there, input->twin->tap_point);
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

// The command as it was seen: no fact if there was none.
static void add_command(
    struct evidence *evidence, const char *key, const struct session_record *record)
{
	struct clue garbled;
	if (record->starttls_requested == SEEN_YES)
		evidence_name(evidence, key,
		    record->session->protocol == PROTOCOL_POP3 ? "STLS" : "STARTTLS");
	else if (clue_find(record->session, CLUE_GARBLED_COMMAND, &garbled))
		evidence_bytes(evidence, key, garbled.bytes, garbled.length);
}

static void add_reply(struct evidence *evidence, const char *key, const struct session *session)
{
	const char *reply = session->starttls_reply;
	if (reply[0] != '\0')
		evidence_bytes(evidence, key, (const uint8_t *)reply, strlen(reply));
}

static bool answers_differ(const struct detector_input *input, struct evidence *evidence)
{
	const struct session_record *here = input->record, *there = input->twin;
	if (here->starttls_requested != there->starttls_requested) {
		evidence_name(evidence, "differs", "starttls_command");
		add_command(evidence, "here", here);
		add_command(evidence, "there", there);
		return true;
	}
	if (strcmp(here->session->starttls_reply, there->session->starttls_reply) == 0)
		return false;
	evidence_name(evidence, "differs", "starttls_reply");
	add_reply(evidence, "here", here->session);
	add_reply(evidence, "there", there->session);
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
