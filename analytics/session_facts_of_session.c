// SPDX-License-Identifier: Apache-2.0
// The facts of a session of this run, as its record in sessions.jsonl has them.
#include "analytics/judged_session.h"
#include "analytics/session_facts.h"
#include "decode/tls.h"
#include "decode/tls_quality.h"

#include <stdio.h>
#include <string.h>

static void set_name(struct host_name *name, const struct text *text)
{
	(void)host_name_read(
	    text != NULL ? view_of(text->bytes, text->length) : view_of(NULL, 0), name);
}

static void set_dialogue(struct session_facts *facts, const struct session_record *record)
{
	const struct session *session = record->session;
	set_name(&facts->client_name, session->client_name);
	set_name(&facts->server_name, session->server_name);
	set_name(&facts->asked_name, session->tls.sni);
	facts->greeted = session->server_banner != NULL      ? SEEN_YES
	                 : facts->verdict == VERDICT_NO_MAIL ? SEEN_NO
	                                                     : NOT_SEEN;
	facts->listed = session->capabilities != NULL ? SEEN_YES
	                : session->esmtp == SEEN_NO   ? SEEN_NO
	                                              : NOT_SEEN;
	facts->starttls_offered = (enum seen)session->starttls_offered;
	facts->starttls_requested = record->starttls_requested;
	facts->starttls_accepted = record->starttls_accepted;
	facts->tls_required = (enum seen)session->tls_required_by_server;
}

// As json_key_code writes it.
static void set_code(char room[TLS_NAME_MAX + 1], const char *name, unsigned code)
{
	if (name != NULL)
		strncpy(room, name, TLS_NAME_MAX); // zero behind it
	else
		snprintf(room, TLS_NAME_MAX, "0x%04x", code);
}

static void set_tls_names(struct session_facts *facts, const struct tls_facts *tls)
{
	if (tls->version != TLS_VERSION_UNKNOWN)
		set_code(facts->tls_version, tls_version_name(tls->version), tls->version);
	if (tls->sslv2_cipher != 0)
		set_code(facts->tls_cipher, tls_sslv2_cipher_name(tls->sslv2_cipher),
		    tls->sslv2_cipher);
	else if (tls->cipher_seen)
		set_code(facts->tls_cipher, tls_cipher_name(tls->cipher), tls->cipher);
	if (tls->group != 0)
		set_code(facts->tls_group, tls_group_name(tls->group), tls->group);
}

static void set_tls(struct session_facts *facts, const struct judged_session *judged)
{
	const struct tls_quality *quality = &judged->quality;
	facts->tls_established = judged->record->tls_established;
	set_tls_names(facts, &judged->record->session->tls);
	facts->post_quantum = quality->post_quantum;
	facts->cipher_known = quality->suite_known;
	facts->cipher_breakable =
	    quality->suite_known && (quality->weaknesses & FACTS_BREAKABLE) != 0;
	facts->anonymous =
	    quality->suite_known && (quality->weaknesses >> TLS_WEAK_ANONYMOUS & 1) != 0;
}

static void set_certificates(
    struct session_facts *facts, const struct certificate_judgement *certificates)
{
	const struct chain_judgement *server = &certificates->chain[FROM_SERVER];
	enum name_match match = certificates->name_match;
	facts->certificate_seen = certificates->source != CERTIFICATES_NOT_SEEN;
	facts->certificate_recalled = certificates->source == CERTIFICATES_IN_MEMORY;
	facts->faults_known =
	    certificates->judged[FROM_SERVER] && (certificates->faults != 0 || server->trust_known);
	facts->faults = facts->faults_known ? certificates->faults : 0;
	facts->name_match = match == NAME_UNKNOWN     ? NOT_SEEN
	                    : match == NAME_MATCH_SAN ? SEEN_YES
	                                              : SEEN_NO;
	facts->client_verifies = certificates->client_verifies;
	facts->dns_read = certificates->dane != NULL;
}

// The highest confidence of each kind.
static void set_evidence(struct session_facts *facts, const struct judged_session *judged)
{
	for (size_t i = 0; i < judged->evidence_count; i++) {
		const struct evidence *piece = &judged->evidence[i];
		if (piece->confidence > facts->evidence[piece->kind])
			facts->evidence[piece->kind] = (uint8_t)piece->confidence;
	}
}

static void set_clear(struct session_facts *facts, const struct session_record *record)
{
	const struct session *session = record->session;
	const struct text *mechanism = session->auth_mechanism;
	if (mechanism != NULL && mechanism->length <= MECHANISM_MAX)
		memcpy(facts->mechanism, mechanism->bytes, mechanism->length);
	facts->credentials_exposed = record->credentials_exposed;
	facts->messages_known = record->messages_known;
	facts->messages = record->messages_known ? session->messages : 0;
	facts->message_bytes_known = record->message_bytes_known;
	facts->message_bytes = record->message_bytes_known ? session->message_bytes : 0;
}

void session_facts_of_session(struct session_facts *facts, const struct judged_session *judged)
{
	const struct session_record *record = judged->record;
	*facts = (struct session_facts){
	    .start = record->start,
	    .end = record->end,
	    .address = {record->address[FROM_CLIENT], record->address[FROM_SERVER]},
	    .anonymised = judged->anonymised,
	    .where = {judged->where[FROM_CLIENT], judged->where[FROM_SERVER]},
	    .server_port = record->port[FROM_SERVER],
	    .protocol = (enum protocol)record->session->protocol,
	    .hop = judged->judgement.hop,
	    .tls_mode = record->tls_mode,
	    .verdict = judged->judgement.verdict,
	    .reason = judged->judgement.reason,
	};
	const char *spoken = session_protocol_name(record->session);
	if (spoken != NULL)
		strncpy(facts->spoken, spoken, sizeof facts->spoken - 1); // zero behind it
	if (spoken != NULL && spoken != protocol_name(facts->protocol))
		facts->protocol = PROTOCOL_UNKNOWN; // it has a name all the same
	set_dialogue(facts, record);
	set_tls(facts, judged);
	set_certificates(facts, &judged->certificates);
	set_clear(facts, record);
	set_evidence(facts, judged);
	facts->mail = mail_summary_of(record);
}
