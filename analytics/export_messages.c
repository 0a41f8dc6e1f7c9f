// SPDX-License-Identifier: Apache-2.0
// messages.jsonl (--mail-headers), and the same in the store: one JSON object per mail transaction in the clear of which
// a message crossed or something was refused, and per message that was fetched from a mail store or put into it, when
// its session is written. Signatures are verified here, as late as can be: the key may
// be asked for behind the message.
#include "analytics/anonymise_text.h"
#include "analytics/dkim_verify.h"
#include "analytics/exporter.h"
#include "analytics/facts_lookup.h"
#include "analytics/json_fields.h"
#include "analytics/record_outlet.h"
#include "analytics/session_id.h"

#include <stdlib.h>

struct messages_export {
	struct record_outlet outlet;
	struct facts_lookup *registered; // domains of names
	const struct dns_memory *keys; // NULL: answers of DNS are not read
	struct anonymiser *anonymiser; // NULL: names are the real ones
	const char *sensor; // or NULL
	struct json json;
	struct message_facts facts; // of the line at hand
};

static void *messages_open(const struct exporter_settings *settings, struct error *error)
{
	if (!settings->mail_headers || !record_outlet_wanted(settings))
		return NULL;
	struct messages_export *export = calloc(1, sizeof *export);
	if (export == NULL) {
		error_set(error, "no memory for the log of messages");
		return NULL;
	}
	export->keys = settings->keys;
	export->anonymiser = settings->anonymiser;
	export->sensor = settings->sensor;
	export->registered = facts_lookup_open(error);
	if (export->registered != NULL &&
	    record_outlet_open(&export->outlet, settings, STORE_MESSAGES, error))
		return export;
	facts_lookup_close(export->registered);
	free(export);
	return NULL;
}

/* ---- values ---- */

static void key_text(
    struct messages_export *export, const char *key, const uint8_t *text, size_t length)
{
	uint8_t other[MESSAGE_NAME_MAX + ANONYMISE_TEXT_GROWTH];
	json_key(&export->json, key);
	if (length == 0)
		json_null(&export->json);
	else if (export->anonymiser == NULL)
		json_bytes(&export->json, text, length);
	else
		json_bytes(
		    &export->json, other, anonymise_text(export->anonymiser, text, length, other));
}

static const char *transport_name(enum message_transport transport)
{
	static const char *const names[] = {[BY_DATA] = "data",
	    [BY_BDAT] = "bdat",
	    [BY_FETCH] = "fetch",
	    [BY_APPEND] = "append",
	    [BY_RETR] = "retr",
	    [BY_TOP] = "top"};
	return transport == NO_MESSAGE ? NULL : names[transport];
}

static const char *part_name(enum message_part part)
{
	static const char *const names[] = {[PART_WHOLE] = "whole",
	    [PART_HEADER] = "header",
	    [PART_BEGINNING] = "beginning",
	    [PART_DECODED] = "decoded"};
	return names[part];
}

static const char *protection_name(enum body_protection protection)
{
	static const char *const names[] = {
	    [BODY_UNPROTECTED] = "none", [BODY_PGP_MIME] = "pgp_mime", [BODY_SMIME] = "smime"};
	return protection == BODY_PROTECTION_NOT_SEEN ? NULL : names[protection];
}

static const char *outcome_name(enum message_outcome outcome)
{
	static const char *const names[] = {[MESSAGE_ACCEPTED] = "accepted",
	    [MESSAGE_REFUSED] = "refused",
	    [MESSAGE_DEFERRED] = "deferred"};
	return outcome == OUTCOME_NOT_SEEN ? NULL : names[outcome];
}

static const char *stage_name(enum refusal_stage stage)
{
	static const char *const names[] = {[REFUSED_AT_MAIL] = "mail",
	    [REFUSED_AT_RCPT] = "rcpt",
	    [REFUSED_AT_DATA] = "data",
	    [REFUSED_AT_MESSAGE] = "message"};
	return stage == REFUSED_NOWHERE ? NULL : names[stage];
}

/* ---- lists ---- */

static void write_hops(struct json *json, const struct message_facts *facts)
{
	json_array_begin(json);
	for (size_t i = 0; i < facts->hop_count; i++) {
		const struct received_hop *hop = &facts->hops[i];
		json_object_begin(json);
		json_key_name(json, "with", hop_protocol_name((enum hop_protocol)hop->protocol));
		json_key_seen(json, "tls", hop_is_protected(hop));
		json_key_name(json, "tls_version", hop_tls_name((enum hop_tls)hop->tls));
		json_key_bool(json, "cipher_named", hop->cipher);
		json_key_seen(json, "internal", (enum seen)hop->internal);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_forms(struct json *json, const struct dkim_signature *signature)
{
	static const char *const names[] = {[DKIM_SIMPLE] = "simple",
	    [DKIM_RELAXED] = "relaxed",
	    [DKIM_OTHER_CANONICALISATION] = "other"};
	char text[32];
	int length = snprintf(
	    text, sizeof text, "%s/%s", names[signature->header_form], names[signature->body_form]);
	json_quoted(json, text, (size_t)length);
}

static void write_signature(struct messages_export *export, const struct dkim_signature *signature)
{
	static const char *const algorithms[] = {[DKIM_RSA_SHA256] = "rsa-sha256",
	    [DKIM_RSA_SHA1] = "rsa-sha1",
	    [DKIM_ED25519_SHA256] = "ed25519-sha256",
	    [DKIM_OTHER_ALGORITHM] = "other"};
	static const char *const authors[] = {
	    [AUTHOR_SAME] = "same", [AUTHOR_BENEATH] = "beneath", [AUTHOR_OTHER] = "other"};
	struct json *json = &export->json;
	struct dkim_verdict verdict = dkim_verify(export->keys, signature, export->facts.time);
	json_object_begin(json);
	key_text(export, "domain", signature->domain, signature->domain_length);
	key_text(export, "selector", signature->selector, signature->selector_length);
	json_key_name(json, "algorithm", algorithms[signature->algorithm]);
	json_key(json, "canonicalisation");
	write_forms(json, signature);
	json_key_bool(json, "length_tag", signature->length_tag);
	json_key_name(json, "author_domain",
	    signature->author == AUTHOR_NOT_SEEN ? NULL : authors[signature->author]);
	json_key_name(json, "result", verdict.result);
	json_key_name(json, "why", verdict.why);
	json_object_end(json);
}

static void write_results(struct json *json, const struct message_facts *facts)
{
	json_array_begin(json);
	for (size_t i = 0; i < facts->result_count; i++) {
		const struct authentication_result *result = &facts->results[i];
		json_object_begin(json);
		json_key_name(
		    json, "method", result_method_name((enum result_method)result->method));
		json_key_name(
		    json, "result", result_outcome_name((enum result_outcome)result->outcome));
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_causes(struct json *json, unsigned causes)
{
	json_array_begin(json);
	for (unsigned i = 0; i < CAUSES_MAX; i++)
		if (causes & 1u << i)
			json_name(json, refusal_cause_name((enum refusal_cause)(1u << i)));
	json_array_end(json);
}

/* ---- the line ---- */

// A list of a header of which nothing was seen is not known to be empty.
static bool header_seen(const struct message_facts *facts)
{
	return facts->complete || facts->header_bytes > 0;
}

static void key_operator(struct messages_export *export, const char *key, const struct text *name,
    const struct text *other)
{
	struct operator_name operator;
	facts_lookup_operator(export->registered, name, other, &operator);
	json_key_name(&export->json, key, operator.text[0] != '\0' ? operator.text : NULL);
}

static void write_identity(struct messages_export *export, const struct judged_session *judged,
    const struct message_facts *facts)
{
	const struct session_record *record = judged->record;
	const struct session *session = record->session;
	struct json *json = &export->json;
	char id[SESSION_ID_SIZE];
	session_id_text(id, session_id_of(record));
	json_key(json, "time");
	json_time(json, facts->time);
	json_key_name(json, "session_id", id);
	json_key_unsigned(json, "transaction", facts->number);
	json_key(json, "sensor");
	if (export->sensor != NULL)
		json_bytes(json, (const uint8_t *)export->sensor, strlen(export->sensor));
	else
		json_null(json);
	json_mark(json, "anonymised", export->anonymiser != NULL);
	json_key_address(json, "client_ip", &record->address[FROM_CLIENT]);
	json_key_unsigned(json, "client_port", record->port[FROM_CLIENT]);
	key_operator(export, "client_operator", session->client_name, NULL);
	json_key_address(json, "server_ip", &record->address[FROM_SERVER]);
	json_key_unsigned(json, "server_port", record->port[FROM_SERVER]);
	key_operator(export, "server_operator", session->tls.sni, session->server_name);
	json_key_name(json, "protocol", session_protocol_name(record->session));
	json_key_name(json, "hop", hop_name(judged->judgement.hop));
}

static void write_header(struct messages_export *export, const struct message_facts *facts)
{
	struct json *json = &export->json;
	bool crossed = facts->transport != NO_MESSAGE, seen = crossed && header_seen(facts);
	json_key_name(json, "transport", transport_name((enum message_transport)facts->transport));
	json_key_name(
	    json, "part", crossed ? part_name((enum message_part)facts->part) : NULL);
	json_key_known(json, "header_bytes", seen, facts->header_bytes);
	json_key_seen(json, "complete", !crossed ? NOT_SEEN : facts->complete ? SEEN_YES : SEEN_NO);
	json_key(json, "hops");
	if (seen)
		write_hops(json, facts);
	else
		json_null(json);
	json_key_known(json, "hops_left_out", seen, facts->hops_left_out);
	json_key(json, "dkim");
	if (seen) {
		json_array_begin(json);
		for (size_t i = 0; i < facts->signature_count; i++)
			write_signature(export, &facts->signatures[i]);
		json_array_end(json);
	} else {
		json_null(json);
	}
	json_key_known(json, "dkim_left_out", seen, facts->signatures_left_out);
	key_text(export, "authentication_server", facts->server, facts->server_length);
	json_key(json, "authentication_results");
	if (seen)
		write_results(json, facts);
	else
		json_null(json);
	json_key_known(json, "authentication_results_left_out", seen, facts->results_left_out);
	json_key_name(
	    json, "body_protection", protection_name((enum body_protection)facts->body_protection));
}

static void write_outcome(struct json *json, const struct message_facts *facts)
{
	bool refused = facts->refusal_code != 0;
	json_key_name(json, "outcome", outcome_name((enum message_outcome)facts->outcome));
	json_key_name(json, "refused_at", stage_name((enum refusal_stage)facts->refused_at));
	json_key_known(json, "refusal_code", refused, facts->refusal_code);
	json_key_name(json, "refusal_status",
	    facts->refusal_status[0] != '\0' ? facts->refusal_status : NULL);
	json_key(json, "refusal_causes");
	if (refused)
		write_causes(json, facts->causes);
	else
		json_null(json);
}

static bool write_line(struct messages_export *export, const struct judged_session *judged,
    const struct message_facts *facts, struct error *error)
{
	struct json *json = &export->json;
	json_clear(json);
	json_object_begin(json);
	write_identity(export, judged, facts);
	write_header(export, facts);
	write_outcome(json, facts);
	json_object_end(json);
	json_line_end(json);
	if (json->failed || (export->anonymiser != NULL && anonymiser_failed(export->anonymiser))) {
		error_set(error, "no memory to write a message's line");
		return false;
	}
	return record_outlet_add(&export->outlet, json, error);
}

static bool messages_session(
    void *exporter, const struct judged_session *judged, struct error *error)
{
	struct messages_export *export = exporter;
	struct view messages = judged->record->messages;
	while (message_facts_take(&messages, &export->facts))
		if (!write_line(export, judged, &export->facts, error))
			return false;
	return true;
}

static bool messages_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct messages_export *export = exporter;
	(void)accounting;
	bool good = record_outlet_close(&export->outlet, error);
	facts_lookup_close(export->registered);
	json_release(&export->json);
	free(export);
	return good;
}

const struct exporter_ops messages_exporter = {
    .name = "messages",
    .open = messages_open,
    .session = messages_session,
    .close = messages_close,
};
