// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/evidence_lab.h"

#include <string.h>

struct ip_address evidence_lab_address(uint8_t third, uint8_t last)
{
	struct ip_address address = {{[10] = 0xff, [11] = 0xff, [12] = 198, [13] = 51}};
	address.bytes[14] = third;
	address.bytes[15] = last;
	return address;
}

void evidence_lab_begin(struct evidence_lab *lab)
{
	static const struct hash_key key;
	memset(lab, 0, sizeof *lab);
	lab->memory = memory_create(8 << 20);
	lab->shared.texts = text_store_create(lab->memory, &key, 64);
	session_begin(&lab->session, &lab->shared);
	lab->session.protocol = PROTOCOL_SMTP;
	lab->session.greeted = lab->session.client_spoke = lab->session.mail_begun = true;
	lab->record = (struct session_record){.session = &lab->session,
	    .address = {evidence_lab_address(100, 10), evidence_lab_address(2, 25)},
	    .port = {40000, 25},
	    .packets = {9, 9},
	    .bytes = {90, 90},
	    .start = LAB_NOW,
	    .end = LAB_NOW + SECONDS(5),
	    .end_reason = END_FIN,
	    .saw_start = true,
	    .ended = true,
	    .in_the_clear = true,
	    .tls_established = SEEN_NO,
	    .starttls_requested = SEEN_NO};
	lab->patterns.garbled_capability = -1;
	lab->input = (struct detector_input){.record = &lab->record,
	    .judgement = &lab->judgement,
	    .certificates = &lab->certificates,
	    .patterns = &lab->patterns,
	    .server = &lab->server,
	    .implicit = &lab->implicit,
	    .client = &lab->client,
	    .path = &lab->path};
}

void evidence_lab_end(struct evidence_lab *lab)
{
	session_release(&lab->session);
	text_store_destroy(lab->shared.texts);
	memory_destroy(lab->memory);
}

void evidence_lab_text(struct evidence_lab *lab, struct text **slot, const char *text)
{
	session_set_text(&lab->session, slot, (const uint8_t *)text, strlen(text), TEXT_MAX);
}

enum confidence evidence_lab_confidence(struct evidence_lab *lab, enum evidence_kind kind)
{
	lab->count = detectors_run(&lab->input, lab->found);
	for (size_t i = 0; i < lab->count; i++)
		if (lab->found[i].kind == kind)
			return lab->found[i].confidence;
	return CONFIDENCE_NONE;
}

const struct evidence *evidence_lab_piece(struct evidence_lab *lab, enum evidence_kind kind)
{
	for (size_t i = 0; i < lab->count; i++)
		if (lab->found[i].kind == kind)
			return &lab->found[i];
	fail_msg("no %s", evidence_kind_name(kind));
	return NULL;
}

const struct fact *evidence_lab_fact(
    struct evidence_lab *lab, enum evidence_kind kind, const char *key)
{
	const struct evidence *piece = evidence_lab_piece(lab, kind);
	for (size_t i = 0; piece != NULL && i < piece->fact_count; i++)
		if (strcmp(piece->facts[i].key, key) == 0)
			return &piece->facts[i];
	fail_msg("%s has no %s", evidence_kind_name(kind), key);
	return NULL;
}
