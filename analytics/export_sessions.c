// SPDX-License-Identifier: Apache-2.0
// sessions.jsonl, and the same lines on standard output: one JSON object per session, its keys and
// their meaning fixed by the record contract. Keys whose facts nothing gathers yet are null.
#include "analytics/community_id.h"
#include "analytics/exporter.h"
#include "analytics/facts_lookup.h"
#include "analytics/json_evidence.h"
#include "analytics/json_fields.h"
#include "analytics/mail_summary.h"
#include "analytics/record_outlet.h"
#include "analytics/session_id.h"
#include "decode/tls.h"
#include "decode/tls_facts.h"
#include "decode/tls_quality.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

struct sessions_export {
	struct record_outlet outlet; // of log and store, if they are asked for
	struct log_file *printed; // NULL: not asked for
	struct community_hash *community;
	struct facts_lookup *registered; // domains of names; NULL: DNS is not read
	const char *sensor;
	uint64_t written; // records, whatever the number of outputs
	bool anonymised;
	struct json json;
};

/* ---- the groups of the contract ---- */

static void write_identity(struct sessions_export *export, const struct session_record *record)
{
	struct json *json = &export->json;
	char community[COMMUNITY_ID_SIZE], id[SESSION_ID_SIZE];
	session_id_text(id, session_id_of(record));
	community_id(export->community, community, record->address, record->port);
	json_key_name(json, "session_id", id);
	json_key_name(json, "community_id", community);
	json_key(json, "sensor");
	if (export->sensor != NULL)
		json_bytes(json, (const uint8_t *)export->sensor, strlen(export->sensor));
	else
		json_null(json);
	json_mark(json, "anonymised", export->anonymised);
	json_key(json, "start");
	json_time(json, record->start);
	json_key(json, "end");
	json_time(json, record->end);
	json_key(json, "duration");
	json_duration(json, record->end - record->start);
	json_key_address(json, "client_ip", &record->address[FROM_CLIENT]);
	json_key_unsigned(json, "client_port", record->port[FROM_CLIENT]);
	json_key_address(json, "server_ip", &record->address[FROM_SERVER]);
	json_key_unsigned(json, "server_port", record->port[FROM_SERVER]);
	json_key(json, "vlan");
	json_array_begin(json);
	for (unsigned i = 0; i < record->vlan_count; i++)
		json_unsigned(json, record->vlans[i]);
	json_array_end(json);
}

static void write_capabilities(struct json *json, const struct text *capabilities)
{
	json_key(json, "capabilities");
	if (capabilities == NULL) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t start = 0; start < capabilities->length;) {
		const uint8_t *from = capabilities->bytes + start;
		const uint8_t *end = memchr(from, '\n', capabilities->length - start);
		size_t length = end != NULL ? (size_t)(end - from) : capabilities->length - start;
		json_bytes(json, from, length);
		start += length + 1;
	}
	json_array_end(json);
}

static void write_dialogue(struct json *json, const struct judged_session *judged)
{
	static const char *const modes[] = {[TLS_MODE_NOT_SEEN] = NULL,
	    [TLS_MODE_NONE] = "none",
	    [TLS_MODE_IMPLICIT] = "implicit",
	    [TLS_MODE_STARTTLS] = "starttls"};
	const struct session_record *record = judged->record;
	const struct session *session = record->session;
	json_key_name(json, "protocol", session_protocol_name(session));
	json_key_name(json, "hop", hop_name(judged->judgement.hop));
	json_key_name(json, "tls_mode", modes[record->tls_mode]);
	json_key_text(json, "server_banner", session->server_banner);
	json_key_text(json, "server_name", session->server_name);
	json_key_name(json, "server_software", judged->patterns.server_software);
	json_key_text(json, "client_name", session->client_name);
	json_key_seen(json, "esmtp", (enum seen)session->esmtp);
	write_capabilities(json, session->capabilities);
	json_key_seen(json, "starttls_offered", (enum seen)session->starttls_offered);
	json_key_seen(json, "starttls_requested", record->starttls_requested);
	json_key_name(json, "starttls_reply",
	    session->starttls_reply[0] != '\0' ? session->starttls_reply : NULL);
	json_key_seen(json, "starttls_accepted", record->starttls_accepted);
	json_key_seen(json, "tls_required_by_server", (enum seen)session->tls_required_by_server);
}

static void write_alert(struct json *json, const struct tls_facts *tls)
{
	char text[64];
	json_key(json, "tls_alert");
	if (!tls->alert_seen) {
		json_null(json);
		return;
	}
	const char *name = tls_alert_name(tls->alert_description);
	const char *sender = tls->alert_sender == FROM_CLIENT ? "client" : "server";
	if (name != NULL)
		snprintf(text, sizeof text, "%s:%s", sender, name);
	else
		snprintf(text, sizeof text, "%s:%u", sender, tls->alert_description);
	json_name(json, text);
}

static void write_version(struct json *json, const char *key, uint16_t version)
{
	if (version == TLS_VERSION_UNKNOWN)
		json_key_null(json, key);
	else
		json_key_code(json, key, tls_version_name(version), version);
}

static void write_cipher(struct json *json, const struct tls_facts *tls)
{
	if (tls->sslv2_cipher != 0)
		json_key_code(json, "tls_cipher", tls_sslv2_cipher_name(tls->sslv2_cipher),
		    tls->sslv2_cipher);
	else if (tls->cipher_seen)
		json_key_code(json, "tls_cipher", tls_cipher_name(tls->cipher), tls->cipher);
	else
		json_key_null(json, "tls_cipher");
}

static void write_hidden_flight(struct json *json, const struct text *flight)
{
	json_key(json, "tls_hidden_flight");
	if (flight == NULL) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t at = 0; at + 2 <= flight->length; at += 2)
		json_unsigned(json, (uint64_t)(flight->bytes[at] << 8 | flight->bytes[at + 1]));
	json_array_end(json);
}

static void key_hash(
    struct json *json, const char *key, bool known, const uint8_t *bytes, size_t length)
{
	json_key(json, key);
	if (known)
		json_hex(json, bytes, length);
	else
		json_null(json);
}

static void write_fingerprints(struct json *json, const struct tls_facts *tls)
{
	struct tls_offer offer;
	struct tls_answer answer;
	tls_facts_offer(tls, &offer);
	tls_facts_answer(tls, &answer);
	key_hash(json, "ja3", offer.has_ja3, offer.ja3, sizeof offer.ja3);
	key_hash(json, "ja3s", answer.has_ja3s, answer.ja3s, sizeof answer.ja3s);
	json_key(json, "ja4");
	if (offer.has_ja4)
		json_bytes(json, (const uint8_t *)offer.ja4, sizeof offer.ja4);
	else
		json_null(json);
}

static void write_weaknesses(struct json *json, const struct tls_quality *quality)
{
	json_key(json, "tls_cipher_weaknesses");
	if (!quality->suite_known) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (unsigned weakness = 0; weakness < TLS_WEAKNESSES; weakness++)
		if (quality->weaknesses >> weakness & 1)
			json_name(json, tls_weakness_name((enum tls_weakness)weakness));
	json_array_end(json);
}

static void write_tls_quality(struct json *json, const struct tls_quality *quality)
{
	json_key_seen(json, "tls_forward_secrecy", quality->forward_secrecy);
	json_key_seen(json, "tls_aead",
	    !quality->suite_known ? NOT_SEEN
	    : quality->aead       ? SEEN_YES
	                          : SEEN_NO);
	write_weaknesses(json, quality);
	json_key_seen(json, "tls_compression", quality->compression);
	json_key_seen(json, "tls_secure_renegotiation", quality->secure_renegotiation);
	json_key_seen(
	    json, "tls_secure_renegotiation_offered", quality->secure_renegotiation_offered);
	json_key_seen(json, "tls_extended_master_secret", quality->extended_master_secret);
	json_key_seen(json, "tls_ocsp_staple", quality->ocsp_staple);
	json_key_known(json, "tls_scts", quality->timestamps_seen, quality->timestamps);
	json_key_name(
	    json, "tls_post_quantum", tls_post_quantum_name(quality->post_quantum));
	json_key_seen(json, "tls_post_quantum_offered", quality->post_quantum_offered);
	json_key_known(
	    json, "tls_key_share_bytes", quality->key_share_seen, quality->key_share_bytes);
	json_key_seen(json, "tls_ech_offered", quality->ech_offered);
}

static void write_tls(struct json *json, const struct judged_session *judged)
{
	const struct session_record *record = judged->record;
	const struct tls_facts *tls = &record->session->tls;
	json_key_seen(json, "tls_established", record->tls_established);
	write_version(json, "tls_version", tls->version);
	write_cipher(json, tls);
	if (tls->group != 0)
		json_key_code(json, "tls_group", tls_group_name(tls->group), tls->group);
	else
		json_key_null(json, "tls_group");
	write_version(json, "tls_client_version", tls->client_version);
	json_key_text(json, "sni", tls->sni);
	json_key_text(json, "alpn", tls->alpn);
	write_fingerprints(json, tls);
	json_key_seen(json, "tls_resumed", (enum seen)tls->resumed);
	json_key_seen(
	    json, "client_certificate_requested", (enum seen)tls->client_certificate_requested);
	write_alert(json, tls);
	write_hidden_flight(json, tls->hidden_flight);
	write_tls_quality(json, &judged->quality);
}

static void write_hashes(struct json *json, const uint8_t *hashes, size_t length)
{
	json_array_begin(json);
	for (size_t at = 0; at + JSON_HASH_BYTES <= length; at += JSON_HASH_BYTES)
		json_hex(json, hashes + at, JSON_HASH_BYTES);
	json_array_end(json);
}

static void write_chain(
    struct json *json, const char *key, const struct tls_facts *tls, enum direction sender)
{
	const struct text *chain = tls->chain[sender];
	json_key(json, key);
	if (!tls->chain_ended[sender])
		json_null(json);
	else if (chain != NULL)
		write_hashes(json, chain->bytes, chain->length);
	else
		write_hashes(json, NULL, 0);
}

// Without a trust store a list without faults is not known to be good: null, not empty.
static void write_status(struct json *json, const char *key, bool judged,
    const struct chain_judgement *chain, unsigned faults)
{
	json_key(json, key);
	if (!judged || (faults == 0 && !chain->trust_known)) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (unsigned i = 0; i < FAULTS; i++)
		if (faults >> i & 1)
			json_name(json, certificate_fault_name((enum certificate_fault)(1u << i)));
	json_array_end(json);
}

static const char *name_source_name(enum name_source source)
{
	switch (source) {
	case NAME_FROM_SNI:
		return "sni";
	case NAME_FROM_MX:
		return "mx";
	case NAME_FROM_DIALOGUE:
		return "server_name";
	}
	return NULL;
}

static void write_name_match(struct json *json, const struct certificate_judgement *certificates)
{
	static const char *const places[] = {[NAME_UNKNOWN] = NULL,
	    [NAME_MATCH_SAN] = "subject_alt_name",
	    [NAME_MATCH_COMMON_NAME_ONLY] = "common_name",
	    [NAME_MISMATCH] = NULL};
	bool known = certificates->name_match != NAME_UNKNOWN;
	json_key_seen(json, "certificate_name_match",
	    !known                                       ? NOT_SEEN
	    : certificates->name_match == NAME_MATCH_SAN ? SEEN_YES
	                                                 : SEEN_NO);
	json_key_name(json, "certificate_name_in", places[certificates->name_match]);
	json_key_name(json, "certificate_name_source",
	    known ? name_source_name(certificates->name_source) : NULL);
}

static void write_mx_names(struct json *json, const struct mx_names *names)
{
	json_key(json, "mx_names");
	if (names->count == 0) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (unsigned i = 0; i < names->count; i++)
		json_bytes(json, (const uint8_t *)names->names[i].text, names->names[i].length);
	json_array_end(json);
}

static void write_dane(struct json *json, const struct dane_judgement *dane)
{
	static const char *const outcomes[] = {[DANE_NOT_KNOWN] = NULL,
	    [DANE_MATCH] = "match",
	    [DANE_MISMATCH] = "mismatch"};
	static const char *const statuses[] = {[DNSSEC_CANNOT_TELL] = NULL,
	    [DNSSEC_SECURE] = "secure",
	    [DNSSEC_INSECURE] = "insecure",
	    [DNSSEC_BOGUS] = "bogus"};
	bool seen = dane->name.length > 0;
	json_key_name(json, "dane", outcomes[dane->outcome]);
	json_key_name(json, "dane_name", seen ? dane->name.text : NULL);
	json_key_known(json, "dane_records", seen, dane->records);
	json_key_known(json, "dane_usage", dane->shown, dane->usage);
	json_key_known(json, "dane_selector", dane->shown, dane->selector);
	json_key_known(json, "dane_matching_type", dane->shown, dane->matching_type);
	json_key_name(json, "dane_dnssec", statuses[dane->status]);
}

// There are none of these keys where nobody reads DNS.
static void write_dns(struct json *json, const struct certificate_judgement *certificates)
{
	if (certificates->dane == NULL)
		return;
	json_key_bool(json, "dns_read", true);
	write_mx_names(json, certificates->mx_names);
	write_dane(json, certificates->dane);
}

static void write_certificates(struct json *json, const struct tls_facts *tls,
    const struct certificate_judgement *certificates)
{
	static const char *const sources[] = {[CERTIFICATES_NOT_SEEN] = NULL,
	    [CERTIFICATES_IN_HANDSHAKE] = "handshake",
	    [CERTIFICATES_IN_KEYLOG] = "keylog",
	    [CERTIFICATES_IN_MEMORY] = "memory"};
	const struct chain_judgement *server = &certificates->chain[FROM_SERVER];
	bool judged = certificates->judged[FROM_SERVER];
	if (certificates->source == CERTIFICATES_IN_MEMORY) {
		json_key(json, "server_chain");
		write_hashes(json, certificates->remembered_leaf, JSON_HASH_BYTES);
	} else {
		write_chain(json, "server_chain", tls, FROM_SERVER);
	}
	write_chain(json, "client_chain", tls, FROM_CLIENT);
	write_status(json, "certificate_status", judged, server, certificates->faults);
	json_key_name(json, "server_certificate_source", sources[certificates->source]);
	write_name_match(json, certificates);
	json_key_name(json, "certificate_untrusted_because", judged ? server->reason : NULL);
	json_key_hash(json, "certificate_missing_issuer",
	    judged && server->issuer_missing ? server->missing_issuer : NULL);
	json_key_seen(json, "certificate_expires_soon",
	    !judged                      ? NOT_SEEN
	    : certificates->expires_soon ? SEEN_YES
	                                 : SEEN_NO);
	write_status(json, "client_certificate_status", certificates->judged[FROM_CLIENT],
	    &certificates->chain[FROM_CLIENT], certificates->chain[FROM_CLIENT].faults);
	json_key_seen(json, "client_verifies", certificates->client_verifies);
	write_dns(json, certificates);
}

// Nothing where headers were not read.
static void write_mail(struct json *json, const struct session_record *record)
{
	const struct mail_summary mail = mail_summary_of(record);
	if (!mail.known)
		return;
	json_key(json, "mail_headers");
	json_object_begin(json);
	for (int i = 0; i < MAIL_FIGURES; i++)
		json_key_unsigned(json, mail_figure_name((enum mail_figure)i), mail.figures[i]);
	json_object_end(json);
}

static void write_clear(struct json *json, const struct session_record *record)
{
	const struct session *session = record->session;
	json_key_text(json, "auth_mechanism", session->auth_mechanism);
	json_key_seen(json, "credentials_exposed", record->credentials_exposed);
	json_key_name(json, "login_outcome",
	    session->login_succeeded == SEEN_YES  ? "success"
	    : session->login_succeeded == SEEN_NO ? "failure"
	                                          : NULL);
	json_key_known(json, "messages", record->messages_known, session->messages);
	json_key_known(json, "message_bytes", record->message_bytes_known, session->message_bytes);
	write_mail(json, record);
}

static void write_judgement(struct json *json, const struct judged_session *judged)
{
	const struct judgement *judgement = &judged->judgement;
	json_key_name(json, "verdict", verdict_name(judgement->verdict));
	json_key_name(json, "reason", reason_name(judgement->reason));
	json_key_name(json, "confidence", confidence_name(judgement->confidence));
	json_key_evidence(json, judged->evidence, judged->evidence_count);
}

static void write_quality(struct json *json, const struct session_record *record)
{
	static const char *const reasons[] = {[END_FIN] = "fin",
	    [END_RST] = "rst",
	    [END_TIMEOUT] = "timeout",
	    [END_OF_CAPTURE] = "end_of_capture",
	    [END_EVICTED] = "evicted"};
	bool client = record->packets[FROM_CLIENT] > 0, server = record->packets[FROM_SERVER] > 0;
	json_key_unsigned(json, "client_packets", record->packets[FROM_CLIENT]);
	json_key_unsigned(json, "server_packets", record->packets[FROM_SERVER]);
	json_key_unsigned(json, "client_bytes", record->bytes[FROM_CLIENT]);
	json_key_unsigned(json, "server_bytes", record->bytes[FROM_SERVER]);
	json_key_unsigned(json, "client_missing_bytes", record->missing[FROM_CLIENT]);
	json_key_unsigned(json, "server_missing_bytes", record->missing[FROM_SERVER]);
	json_key(json, "saw_start");
	json_bool(json, record->saw_start);
	json_key_name(json, "directions", client && server ? "both" : client ? "client" : "server");
	json_key_name(json, "end_reason", reasons[record->end_reason]);
}

/* ---- what the table calls ---- */

static bool export_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct sessions_export *export = exporter;
	(void)accounting;
	bool good = record_outlet_close(&export->outlet, error);
	good &= log_file_close(export->printed, error);
	json_release(&export->json);
	community_hash_destroy(export->community);
	facts_lookup_close(export->registered);
	free(export);
	return good;
}

static void *export_open(const struct exporter_settings *settings, struct error *error)
{
	if (!record_outlet_wanted(settings) && settings->records_path == NULL)
		return NULL;
	struct sessions_export *export = calloc(1, sizeof *export);
	if (export != NULL)
		export->community = community_hash_create();
	if (export == NULL || export->community == NULL) {
		error_set(error, "no memory for the session log");
		free(export);
		return NULL;
	}
	export->sensor = settings->sensor;
	export->anonymised = settings->anonymiser != NULL;
	bool good = record_outlet_open(&export->outlet, settings, STORE_SESSIONS, error);
	if (good && settings->names) {
		export->registered = facts_lookup_open(error);
		good = export->registered != NULL;
	}
	if (good && settings->records_path != NULL) {
		export->printed = log_file_at(settings->records_path, error);
		good = export->printed != NULL;
	}
	if (good)
		return export;
	struct error ignored;
	export_close(export, NULL, &ignored);
	return NULL;
}

// Only with --dns: what DNS says of a network is told by who receives there.
static void write_operator(struct sessions_export *export, const struct session *session)
{
	struct operator_name operator;
	if (export->registered == NULL)
		return;
	facts_lookup_operator(
	    export->registered, session->tls.sni, session->server_name, &operator);
	json_key_name(&export->json, "server_operator",
	    operator.text[0] != '\0' ? operator.text : NULL);
}

static bool export_session(void *exporter, const struct judged_session *judged, struct error *error)
{
	struct sessions_export *export = exporter;
	struct json *json = &export->json;
	json_clear(json);
	json_object_begin(json);
	write_identity(export, judged->record);
	write_dialogue(json, judged);
	write_tls(json, judged);
	write_certificates(json, &judged->record->session->tls, &judged->certificates);
	write_operator(export, judged->record->session);
	write_clear(json, judged->record);
	write_judgement(json, judged);
	write_quality(json, judged->record);
	json_object_end(json);
	json_line_end(json);
	if (json->failed) {
		error_set(error, "no memory to write a session record");
		return false;
	}
	if (!record_outlet_add(&export->outlet, json, error))
		return false;
	if (export->printed != NULL &&
	    !log_file_add(export->printed, json->text, json->length, error))
		return false;
	export->written++;
	return true;
}

static void export_written(const void *exporter, struct written_counters *counters)
{
	const struct sessions_export *export = exporter;
	counters->sessions += export->written;
}

// The log is looked after by its directory.
static bool export_second(void *exporter, struct error *error)
{
	struct sessions_export *export = exporter;
	return export->printed == NULL || log_file_flush(export->printed, error);
}

const struct exporter_ops sessions_exporter = {
    .name = "sessions",
    .open = export_open,
    .session = export_session,
    .written = export_written,
    .second = export_second,
    .close = export_close,
};
