// SPDX-License-Identifier: Apache-2.0
// The facts of a session as its line in sessions.jsonl tells them. Lines may come from a newer mailtap,
// or be damaged: what is not known is counted as not seen, and said.
#include "analytics/chain_judge.h"
#include "analytics/server_key.h"
#include "analytics/session_facts.h"
#include "analytics/time_text.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct reading {
	const json_t *record;
	bool damaged, in_part;
};

// All keys of the record contract, in the order of the alphabet.
static const char *const known_keys[] = {"alpn", "anonymised", "auth_mechanism", "capabilities",
    "certificate_expires_soon", "certificate_missing_issuer", "certificate_name_in",
    "certificate_name_match", "certificate_name_source", "certificate_status",
    "certificate_untrusted_because", "client_bytes", "client_certificate_requested",
    "client_certificate_status", "client_chain", "client_ip", "client_missing_bytes", "client_name",
    "client_packets", "client_port", "client_verifies", "community_id", "confidence",
    "credentials_exposed", "dane", "dane_dnssec", "dane_matching_type", "dane_name", "dane_records",
    "dane_selector", "dane_usage", "directions", "dns_read", "duration", "end", "end_reason", "esmtp",
    "evidence", "hop", "ja3", "ja3s", "ja4", "login_outcome", "mail_headers", "message_bytes", "messages", "mx_names",
    "protocol", "reason",
    "saw_start", "sensor", "server_banner", "server_bytes", "server_certificate_source",
    "server_chain", "server_ip", "server_missing_bytes", "server_name",
    "server_operator", "server_packets",
    "server_port", "server_software", "session_id", "sni", "start", "starttls_accepted",
    "starttls_offered", "starttls_reply", "starttls_requested", "tls_aead", "tls_alert",
    "tls_cipher", "tls_cipher_weaknesses", "tls_client_version", "tls_compression",
    "tls_ech_offered", "tls_established", "tls_extended_master_secret", "tls_forward_secrecy",
    "tls_group", "tls_hidden_flight", "tls_key_share_bytes", "tls_mode", "tls_ocsp_staple",
    "tls_post_quantum", "tls_post_quantum_offered", "tls_required_by_server", "tls_resumed",
    "tls_scts", "tls_secure_renegotiation", "tls_secure_renegotiation_offered", "tls_version",
    "verdict", "vlan"};

enum { KNOWN_KEYS = sizeof known_keys / sizeof known_keys[0] };

static bool key_is_known(const char *key)
{
	size_t low = 0, high = KNOWN_KEYS;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(key, known_keys[middle]);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

/* ---- values ---- */

// NULL: null, or not there.
static const json_t *value_of(const struct reading *reading, const char *key)
{
	const json_t *value = json_object_get(reading->record, key);
	return value == NULL || json_is_null(value) ? NULL : value;
}

static enum seen seen_of(struct reading *reading, const char *key)
{
	const json_t *value = value_of(reading, key);
	if (value == NULL)
		return NOT_SEEN;
	reading->damaged |= !json_is_boolean(value);
	return json_is_true(value) ? SEEN_YES : SEEN_NO;
}

// NULL: null, or no text.
static const json_t *text_of(struct reading *reading, const char *key)
{
	const json_t *value = value_of(reading, key);
	bool text = json_is_string(value);
	reading->damaged |= value != NULL && !text;
	return text ? value : NULL;
}

static const json_t *list_of(struct reading *reading, const char *key)
{
	const json_t *value = value_of(reading, key);
	bool list = json_is_array(value);
	reading->damaged |= value != NULL && !list;
	return list ? value : NULL;
}

static uint64_t number_of(struct reading *reading, const char *key, uint64_t most, bool *known)
{
	const json_t *value = value_of(reading, key);
	json_int_t number = json_integer_value(value);
	bool good = json_is_integer(value) && number >= 0 && (uint64_t)number <= most;
	reading->damaged |= value != NULL && !good;
	*known = good;
	return good ? (uint64_t)number : 0;
}

// How a program's own names are found again: their number, or `none` where there is no text.
struct name_set {
	const char *(*name)(int number);
	int count;
};

static int find_name(const struct name_set *set, const json_t *text)
{
	for (int number = 0; number < set->count; number++) {
		const char *name = set->name(number);
		if (name != NULL && json_string_length(text) == strlen(name) &&
		    strcmp(json_string_value(text), name) == 0)
			return number;
	}
	return -1;
}

static int name_of(struct reading *reading, const char *key, const struct name_set *set, int none)
{
	const json_t *text = text_of(reading, key);
	if (text == NULL)
		return none;
	int number = find_name(set, text);
	reading->in_part |= number < 0;
	return number < 0 ? none : number;
}

static const char *name_of_protocol(int number)
{
	return protocol_name((enum protocol)number);
}

static const char *name_of_hop(int number)
{
	return hop_name((enum hop)number);
}

static const char *name_of_verdict(int number)
{
	return verdict_name((enum verdict)number);
}

static const char *name_of_reason(int number)
{
	return reason_name((enum reason)number);
}

static const char *name_of_mode(int number)
{
	static const char *const names[] = {[TLS_MODE_NOT_SEEN] = NULL,
	    [TLS_MODE_NONE] = "none",
	    [TLS_MODE_IMPLICIT] = "implicit",
	    [TLS_MODE_STARTTLS] = "starttls"};
	return names[number];
}

static const char *name_of_fault(int number)
{
	return certificate_fault_name((enum certificate_fault)(1u << number));
}

static const char *name_of_kind(int number)
{
	return evidence_kind_name((enum evidence_kind)number);
}

static const char *name_of_confidence(int number)
{
	return confidence_name((enum confidence)number);
}

static const char *name_of_post_quantum(int number)
{
	return tls_post_quantum_name((enum tls_post_quantum)number);
}

static const char *name_of_weakness(int number)
{
	return tls_weakness_name((enum tls_weakness)number);
}

static const struct name_set protocols = {name_of_protocol, PROTOCOL_UNKNOWN + 1},
                             hops = {name_of_hop, HOPS}, verdicts = {name_of_verdict, VERDICTS},
                             reasons = {name_of_reason, REASONS},
                             modes = {name_of_mode, TLS_MODE_STARTTLS + 1},
                             faults = {name_of_fault, FAULTS},
                             kinds = {name_of_kind, EVIDENCE_KINDS},
                             confidences = {name_of_confidence, CONFIDENCES},
                             weaknesses = {name_of_weakness, TLS_WEAKNESSES},
                             post_quantums = {name_of_post_quantum, POST_QUANTUM_PURE + 1};

// RFC 3339, UTC, as records have it.
static nanoseconds time_of(struct reading *reading, const char *key)
{
	const json_t *value = text_of(reading, key);
	nanoseconds time = 0;
	reading->damaged |=
	    value == NULL || !time_text_read(json_string_value(value), &time);
	return time;
}

static struct ip_address address_of(struct reading *reading, const char *key)
{
	struct ip_address address = {{0}};
	const json_t *value = text_of(reading, key);
	const char *text = value != NULL ? json_string_value(value) : "";
	reading->damaged |= !server_address_read(text, &address);
	return address;
}

static void host_of(struct reading *reading, const char *key, struct host_name *name)
{
	const json_t *value = text_of(reading, key);
	if (value != NULL)
		(void)host_name_read(
		    view_of((const uint8_t *)json_string_value(value), json_string_length(value)),
		    name);
}

// The names of a list as bits.
static unsigned bits_of(struct reading *reading, const json_t *list, const struct name_set *set)
{
	unsigned bits = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *text = json_array_get(list, i);
		int number = json_is_string(text) ? find_name(set, text) : -1;
		reading->in_part |= number < 0;
		bits |= number >= 0 ? 1u << number : 0;
	}
	return bits;
}

/* ---- the groups ---- */

static void read_dialogue(struct reading *reading, struct session_facts *facts)
{
	host_of(reading, "client_name", &facts->client_name);
	host_of(reading, "server_name", &facts->server_name);
	host_of(reading, "sni", &facts->asked_name);
	facts->greeted = text_of(reading, "server_banner") != NULL ? SEEN_YES
	                 : facts->verdict == VERDICT_NO_MAIL       ? SEEN_NO
	                                                           : NOT_SEEN;
	facts->listed = list_of(reading, "capabilities") != NULL ? SEEN_YES
	                : seen_of(reading, "esmtp") == SEEN_NO   ? SEEN_NO
	                                                         : NOT_SEEN;
	facts->starttls_offered = seen_of(reading, "starttls_offered");
	facts->starttls_requested = seen_of(reading, "starttls_requested");
	facts->starttls_accepted = seen_of(reading, "starttls_accepted");
	facts->tls_required = seen_of(reading, "tls_required_by_server");
}

static void name_text_of(
    struct reading *reading, const char *key, char room[TLS_NAME_MAX + 1])
{
	const json_t *text = text_of(reading, key);
	size_t length = text != NULL ? json_string_length(text) : 0;
	reading->in_part |= length > TLS_NAME_MAX;
	if (length > 0 && length <= TLS_NAME_MAX)
		memcpy(room, json_string_value(text), length);
}

static void read_tls(struct reading *reading, struct session_facts *facts)
{
	const json_t *list = list_of(reading, "tls_cipher_weaknesses");
	unsigned weak = bits_of(reading, list, &weaknesses);
	facts->tls_established = seen_of(reading, "tls_established");
	name_text_of(reading, "tls_version", facts->tls_version);
	name_text_of(reading, "tls_cipher", facts->tls_cipher);
	name_text_of(reading, "tls_group", facts->tls_group);
	facts->post_quantum = (enum tls_post_quantum)name_of(
	    reading, "tls_post_quantum", &post_quantums, POST_QUANTUM_NOT_SEEN);
	facts->cipher_known = list != NULL;
	facts->cipher_breakable = (weak & FACTS_BREAKABLE) != 0;
	facts->anonymous = (weak >> TLS_WEAK_ANONYMOUS & 1) != 0;
}

static void read_certificates(struct reading *reading, struct session_facts *facts)
{
	const json_t *status = list_of(reading, "certificate_status");
	const json_t *source = text_of(reading, "server_certificate_source");
	facts->certificate_seen = source != NULL;
	facts->certificate_recalled =
	    source != NULL && strcmp(json_string_value(source), "memory") == 0;
	facts->faults_known = status != NULL;
	facts->faults = bits_of(reading, status, &faults);
	facts->name_match = seen_of(reading, "certificate_name_match");
	facts->client_verifies = seen_of(reading, "client_verifies");
	facts->dns_read = seen_of(reading, "dns_read") == SEEN_YES;
}

static void read_clear(struct reading *reading, struct session_facts *facts)
{
	const json_t *mechanism = text_of(reading, "auth_mechanism");
	size_t length = mechanism != NULL ? json_string_length(mechanism) : 0;
	if (length <= MECHANISM_MAX && mechanism != NULL)
		memcpy(facts->mechanism, json_string_value(mechanism), length);
	facts->credentials_exposed = seen_of(reading, "credentials_exposed");
	facts->messages = number_of(reading, "messages", UINT32_MAX, &facts->messages_known);
	facts->message_bytes =
	    number_of(reading, "message_bytes", INT64_MAX, &facts->message_bytes_known);
}

static void read_mail(struct reading *reading, struct session_facts *facts)
{
	const json_t *object = value_of(reading, "mail_headers");
	struct reading figures = {.record = object};
	if (!json_is_object(object)) {
		reading->in_part |= object != NULL;
		return;
	}
	facts->mail.known = true;
	for (int i = 0; i < MAIL_FIGURES; i++) {
		bool known;
		facts->mail.figures[i] =
		    number_of(&figures, mail_figure_name((enum mail_figure)i), UINT32_MAX, &known);
		figures.in_part |= !known;
	}
	reading->damaged |= figures.damaged;
	reading->in_part |= figures.in_part || json_object_size(object) != MAIL_FIGURES;
}

static void read_evidence(struct reading *reading, struct session_facts *facts)
{
	const json_t *list = list_of(reading, "evidence");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *piece = json_array_get(list, i);
		int kind = find_name(&kinds, json_object_get(piece, "kind"));
		int confidence = find_name(&confidences, json_object_get(piece, "confidence"));
		reading->in_part |= kind < 0 || confidence < 0;
		if (kind >= 0 && confidence > facts->evidence[kind])
			facts->evidence[kind] = (uint8_t)confidence;
	}
}

// A name that is none of ours is of something else: what mail is not is told by many names.
static void read_protocol(struct reading *reading, struct session_facts *facts)
{
	const json_t *text = text_of(reading, "protocol");
	if (text == NULL)
		return; // undecided
	int number = find_name(&protocols, text);
	facts->protocol = number < 0 ? PROTOCOL_UNKNOWN : (enum protocol)number;
	snprintf(facts->spoken, sizeof facts->spoken, "%s", json_string_value(text));
}

static void read_identity(struct reading *reading, struct session_facts *facts)
{
	bool known;
	facts->start = time_of(reading, "start");
	facts->end = time_of(reading, "end");
	facts->address[FROM_CLIENT] = address_of(reading, "client_ip");
	facts->address[FROM_SERVER] = address_of(reading, "server_ip");
	facts->anonymised = seen_of(reading, "anonymised") == SEEN_YES;
	facts->server_port = (uint16_t)number_of(reading, "server_port", UINT16_MAX, &known);
	reading->damaged |= !known || value_of(reading, "verdict") == NULL;
	read_protocol(reading, facts);
	facts->hop = (enum hop)name_of(reading, "hop", &hops, HOP_NONE);
	facts->tls_mode = (enum tls_mode)name_of(reading, "tls_mode", &modes, TLS_MODE_NOT_SEEN);
	facts->verdict = (enum verdict)name_of(reading, "verdict", &verdicts, VERDICT_PARTIAL);
	facts->reason = (enum reason)name_of(reading, "reason", &reasons, REASON_NONE);
}

static enum facts_outcome read_record(struct session_facts *facts, const json_t *record)
{
	struct reading reading = {.record = record, .damaged = !json_is_object(record)};
	const char *key;
	json_t *value;
	*facts = (struct session_facts){0};
	read_identity(&reading, facts);
	read_dialogue(&reading, facts);
	read_tls(&reading, facts);
	read_certificates(&reading, facts);
	read_clear(&reading, facts);
	read_mail(&reading, facts);
	read_evidence(&reading, facts);
	json_object_foreach((json_t *)(uintptr_t)record, key, value) reading.in_part |=
	    !key_is_known(key);
	return reading.damaged   ? FACTS_DAMAGED
	       : reading.in_part ? FACTS_TAKEN_IN_PART
	                         : FACTS_TAKEN;
}

enum facts_outcome session_facts_of_line(
    struct session_facts *facts, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_ALLOW_NUL, NULL);
	enum facts_outcome outcome = read_record(facts, record);
	json_decref(record);
	return outcome;
}
