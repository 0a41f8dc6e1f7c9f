// SPDX-License-Identifier: Apache-2.0
#include "analytics/anonymise_session.h"

#include "analytics/anonymise_text.h"

#include <stdlib.h>
#include <string.h>

struct session_anonymiser {
	struct anonymiser *anonymiser;
	struct text
	    *texts; // those in the place of others, linked by `next`; most sessions have none
	bool no_memory;
	struct judged_session judged;
	struct session_record record;
	struct session session;
	struct evidence evidence[EVIDENCE_KINDS];
	struct mx_names mx_names;
	struct dane_judgement dane;
};

struct session_anonymiser *session_anonymiser_create(struct anonymiser *anonymiser)
{
	struct session_anonymiser *sessions = calloc(1, sizeof *sessions);
	if (sessions != NULL)
		sessions->anonymiser = anonymiser;
	return sessions;
}

static void forget(struct session_anonymiser *sessions)
{
	while (sessions->texts != NULL) {
		struct text *text = sessions->texts;
		sessions->texts = (struct text *)(void *)text->in_store.next;
		free(text);
	}
}

void session_anonymiser_destroy(struct session_anonymiser *sessions)
{
	if (sessions == NULL)
		return;
	forget(sessions);
	free(sessions);
}

/* ---- texts ---- */

// NULL: no memory.
static struct text *other_text(
    struct session_anonymiser *sessions, const uint8_t *bytes, size_t length)
{
	struct text *text = malloc(sizeof *text + length + ANONYMISE_TEXT_GROWTH);
	if (text == NULL) {
		sessions->no_memory = true;
		return NULL;
	}
	text->in_store.next = (struct chained *)(void *)sessions->texts;
	text->references = 1;
	text->length = (uint32_t)anonymise_text(sessions->anonymiser, bytes, length, text->bytes);
	sessions->texts = text;
	return text;
}

static void replace_text(struct session_anonymiser *sessions, struct text **text)
{
	if (*text != NULL && text_has_address((*text)->bytes, (*text)->length))
		*text = other_text(sessions, (*text)->bytes, (*text)->length);
}

// The rest of a session's texts are hashes, numbers and what hellos say; clues are for the detectors, which
// have seen them.
static void replace_texts(struct session_anonymiser *sessions, struct session *session)
{
	_Static_assert(SESSION_TEXTS == 13, "a new text may have an address in it");
	struct text **texts[] = {&session->server_banner, &session->server_name,
	    &session->client_name, &session->capabilities, &session->auth_mechanism,
	    &session->tls.sni, &session->tls.alpn};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		replace_text(sessions, texts[i]);
	session->clues = NULL;
}

static void replace_facts(struct session_anonymiser *sessions, struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->fact_count; i++) {
		struct fact *fact = &evidence->facts[i];
		if (fact->type != FACT_BYTES || !text_has_address(fact->bytes, fact->length))
			continue;
		const struct text *text = other_text(sessions, fact->bytes, fact->length);
		fact->bytes = text != NULL ? text->bytes : NULL;
		fact->length = text != NULL ? text->length : 0;
	}
}

static void replace_name(struct session_anonymiser *sessions, struct host_name *name)
{
	uint8_t other[HOST_NAME_MAX_BYTES + ANONYMISE_TEXT_GROWTH];
	if (!text_has_address((const uint8_t *)name->text, name->length))
		return;
	size_t length = anonymise_text(
	    sessions->anonymiser, (const uint8_t *)name->text, name->length, other);
	(void)host_name_read(view_of(other, length), name);
}

// What DNS gave.
static void replace_names(
    struct session_anonymiser *sessions, struct certificate_judgement *certificates)
{
	if (certificates->dane == NULL)
		return;
	sessions->mx_names = *certificates->mx_names;
	sessions->dane = *certificates->dane;
	for (unsigned i = 0; i < sessions->mx_names.count; i++)
		replace_name(sessions, &sessions->mx_names.names[i]);
	replace_name(sessions, &sessions->dane.name);
	certificates->mx_names = &sessions->mx_names;
	certificates->dane = &sessions->dane;
}

/* ---- addresses ---- */

// The network of the other address is the other network: what addresses have in common stays so.
static void replace_networks(
    struct session_anonymiser *sessions, struct client_network *networks, size_t count)
{
	for (size_t i = 0; i < count && i < PATH_LISTED_MAX; i++) {
		struct ip_address address =
		    anonymise_address(sessions->anonymiser, &networks[i].address);
		networks[i] = client_network_of(&address);
	}
}

const struct judged_session *anonymise_session(
    struct session_anonymiser *sessions, const struct judged_session *judged)
{
	struct judged_session *other = &sessions->judged;
	struct path_networks *networks = &other->networks;
	forget(sessions);
	sessions->session = *judged->record->session;
	sessions->record = *judged->record;
	sessions->record.session = &sessions->session;
	*other = *judged;
	other->record = &sessions->record;
	other->anonymised = true;
	other->patterns.garbled_capability_line = view_of(NULL, 0); // in a fact, where it matters
	for (int side = FROM_CLIENT; side <= FROM_SERVER; side++)
		sessions->record.address[side] =
		    anonymise_address(sessions->anonymiser, &judged->record->address[side]);
	replace_texts(sessions, &sessions->session);
	replace_names(sessions, &other->certificates);
	if (judged->evidence_count > 0)
		memcpy(sessions->evidence, judged->evidence,
		    judged->evidence_count * sizeof sessions->evidence[0]);
	other->evidence = sessions->evidence;
	for (size_t i = 0; i < judged->evidence_count; i++)
		replace_facts(sessions, &sessions->evidence[i]);
	replace_networks(sessions, networks->stripped, networks->stripped_count);
	replace_networks(sessions, networks->clean, networks->clean_count);
	return sessions->no_memory || anonymiser_failed(sessions->anonymiser) ? NULL : other;
}
