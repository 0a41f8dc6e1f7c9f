// SPDX-License-Identifier: Apache-2.0
// Fuzzes TLS from the other side: the input chooses a handshake that is as it should be (handshake_model.h), how its
// messages lie in records and its records in segments. What the parser tells of it is just what the model knows, in its
// order, byte by byte; and so are the facts of the session: its fingerprint (JA3) and the hashes of its certificates,
// computed here by OpenSSL, some of them known from before.
#include "decode/certificate_announcer.h"
#include "decode/tls_facts.h"
#include "tests/fuzz/handshake_model.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

enum { BUDGET = 8 << 20, JA3_TEXT = 8192, SNI_MOST = 255, ALWAYS_AS_MANY = 0x80 };

static struct model model;

struct hearing {
	struct session session; // first: the context of tls_facts_sink
	unsigned heard; // events of the model
};

/* ---- what is told ---- */

static bool is_same(struct view one, struct view other)
{
	return (one.data == NULL) == (other.data == NULL) && one.length == other.length &&
	       (one.length == 0 || memcmp(one.data, other.data, one.length) == 0);
}

// The next event of the model, which has to be this one.
static const struct event *hear(struct hearing *hearing, enum event_kind kind)
{
	MUST(hearing->heard < model.event_count);
	const struct event *event = &model.events[hearing->heard++];
	MUST(event->kind == kind);
	return event;
}

static void check_client_lists(
    const struct tls_client_hello *told, const struct tls_client_hello *made)
{
	MUST(is_same(told->random, made->random) && is_same(told->session_id, made->session_id));
	MUST(is_same(told->cipher_suites, made->cipher_suites));
	MUST(is_same(told->compression, made->compression));
	MUST(is_same(told->extensions, made->extensions));
	MUST(is_same(told->server_name, made->server_name));
	MUST(is_same(told->alpn, made->alpn) && is_same(told->alpn_list, made->alpn_list));
	MUST(is_same(told->supported_versions, made->supported_versions));
	MUST(is_same(told->supported_groups, made->supported_groups));
	MUST(is_same(told->key_shares, made->key_shares));
	MUST(is_same(told->signature_algorithms, made->signature_algorithms));
	MUST(is_same(told->point_formats, made->point_formats));
	MUST(is_same(told->session_ticket, made->session_ticket));
}

static void on_client_hello(void *context, const struct tls_client_hello *told)
{
	const struct event *event = hear(context, EVENT_CLIENT_HELLO);
	const struct tls_client_hello *made = &model.clients[event->number];
	check_client_lists(told, made);
	MUST(told->legacy_version == made->legacy_version &&
	     told->highest_version == made->highest_version);
	MUST(!told->malformed && !told->sslv2_format && told->first == made->first);
	MUST(told->has_server_name == made->has_server_name);
	MUST(told->key_share_count == made->key_share_count &&
	     told->key_share_bytes == made->key_share_bytes);
	MUST(told->offers_psk == made->offers_psk && told->offers_ech == made->offers_ech &&
	     told->offers_ems == made->offers_ems && told->has_cookie == made->has_cookie &&
	     told->offers_early_data == made->offers_early_data);
	MUST(told->offers_renegotiation_info == made->offers_renegotiation_info);
	MUST(told->asks_ocsp == made->asks_ocsp && told->asks_timestamps == made->asks_timestamps);
	tls_facts_sink.client_hello(context, told);
}

static void on_server_hello(void *context, const struct tls_server_hello *told)
{
	const struct event *event = hear(context, EVENT_SERVER_HELLO);
	const struct tls_server_hello *made = &model.servers[event->number];
	MUST(told->legacy_version == made->legacy_version && told->version == made->version);
	MUST(told->cipher == made->cipher && told->compression == made->compression);
	MUST(is_same(told->random, made->random) && is_same(told->session_id, made->session_id));
	MUST(is_same(told->extensions, made->extensions) && is_same(told->alpn, made->alpn));
	MUST(told->group == made->group && told->timestamps == made->timestamps);
	MUST(told->hello_retry_request == made->hello_retry_request && !told->malformed);
	MUST(told->psk_accepted == made->psk_accepted && told->ems == made->ems &&
	     told->session_ticket == made->session_ticket);
	MUST(told->renegotiation_info == made->renegotiation_info &&
	     told->ocsp_staple_promised == made->ocsp_staple_promised);
	tls_facts_sink.server_hello(context, told);
}

static void on_certificate(void *context, enum direction sender, unsigned position, struct view der)
{
	const struct event *event = hear(context, EVENT_CERTIFICATE);
	MUST(event->from == sender && event->number == position && is_same(event->der, der));
	tls_facts_sink.certificate(context, sender, position, der);
}

static const uint8_t *on_recall(void *context, struct view beginning, size_t length)
{
	return tls_facts_sink.recall(context, beginning, length);
}

static void on_let_go(void *context, const uint8_t *der)
{
	tls_facts_sink.let_go(context, der);
}

static void on_chain_end(void *context, enum direction sender, unsigned count)
{
	const struct event *event = hear(context, EVENT_CHAIN_END);
	MUST(event->from == sender && event->number == count);
	tls_facts_sink.chain_end(context, sender, count);
}

static void on_key_exchange(void *context, uint16_t group)
{
	MUST(hear(context, EVENT_KEY_EXCHANGE)->number == group);
	tls_facts_sink.server_key_exchange(context, group);
}

static void on_request(void *context)
{
	hear(context, EVENT_REQUEST);
}

static void on_alert(void *context, enum direction sender, uint8_t level, uint8_t description)
{
	const struct event *event = hear(context, EVENT_ALERT);
	MUST(event->from == sender && event->level == level && event->number == description);
	tls_facts_sink.alert(context, sender, level, description);
}

static void on_flight(void *context, const uint16_t *lengths, unsigned count)
{
	hear(context, EVENT_FLIGHT);
	MUST(count == model.flight_count &&
	     memcmp(lengths, model.flight, count * sizeof lengths[0]) == 0);
	tls_facts_sink.hidden_flight(context, lengths, count);
}

static const struct tls_sink sink = {
    .client_hello = on_client_hello,
    .server_hello = on_server_hello,
    .certificate = on_certificate,
    .recall = on_recall,
    .let_go = on_let_go,
    .chain_end = on_chain_end,
    .server_key_exchange = on_key_exchange,
    .certificate_request = on_request,
    .alert = on_alert,
    .hidden_flight = on_flight,
};

/* ---- what stands in the session ---- */

static void check_text(const struct text *text, struct view made, size_t most)
{
	size_t length = made.length < most ? made.length : most;
	MUST((text != NULL) == (made.data != NULL));
	MUST(text == NULL ||
	     (text->length == length && memcmp(text->bytes, made.data, length) == 0));
}

static void check_chain(const struct session *session, enum direction from)
{
	unsigned count = 0;
	for (unsigned i = 0; i < model.event_count; i++) {
		const struct event *event = &model.events[i];
		uint8_t hash[SHA256_DIGEST_LENGTH];
		if (event->kind != EVENT_CERTIFICATE || event->from != from)
			continue;
		SHA256(event->der.data, event->der.length, hash);
		const struct text *chain = session->tls.chain[from];
		MUST(chain != NULL && chain->length >= (count + 1) * sizeof hash);
		MUST(memcmp(chain->bytes + count * sizeof hash, hash, sizeof hash) == 0);
		count++;
	}
	MUST(session->tls.certificates[from] == count);
}

static bool is_grease(uint16_t value) // RFC 8701 2
{
	return value % 0x1010 == 0x0a0a && value >> 8 == (value & 0xff);
}

// Numbers of `size` bytes, "-" between them, and a comma behind.
static size_t list_numbers(char *text, size_t at, struct view list, unsigned size)
{
	bool first = true;
	for (size_t i = 0; i + size <= list.length; i += size) {
		unsigned value = list.data[i];
		if (size == 2)
			value = value << 8 | list.data[i + 1];
		if (size == 2 && is_grease((uint16_t)value))
			continue;
		at += (size_t)snprintf(text + at, JA3_TEXT - at, first ? "%u" : "-%u", value);
		first = false;
	}
	return at;
}

// The first hello's, as github.com/salesforce/ja3 has it.
static void check_ja3(const struct tls_offer *offer)
{
	static char text[JA3_TEXT];
	uint8_t types[2 * MODEL_TYPES_MAX], hash[TLS_JA3_BYTES];
	const struct tls_client_hello *hello = &model.clients[0];
	for (unsigned i = 0; i < model.type_count; i++) {
		types[2 * i] = (uint8_t)(model.types[i] >> 8);
		types[2 * i + 1] = (uint8_t)model.types[i];
	}
	const struct view extensions = view_of(types, 2 * (size_t)model.type_count);
	size_t at = (size_t)snprintf(text, sizeof text, "%u,", hello->legacy_version);
	at = list_numbers(text, at, hello->cipher_suites, 2);
	text[at++] = ',';
	at = list_numbers(text, at, extensions, 2);
	text[at++] = ',';
	at = list_numbers(text, at, hello->supported_groups, 2);
	text[at++] = ',';
	at = list_numbers(text, at, hello->point_formats, 1);
	MUST(at < sizeof text && EVP_Digest(text, at, hash, NULL, EVP_md5(), NULL) == 1);
	MUST(offer->has_ja3 && memcmp(offer->ja3, hash, sizeof hash) == 0);
}

static void check_session(const struct session *session)
{
	const struct tls_client_hello *last = &model.clients[model.client_count - 1];
	struct tls_offer offer;
	MUST(session->tls.client_version == last->highest_version);
	MUST(session->tls.group == model.group &&
	     session->tls.established == model.outcome.established);
	for (enum direction from = FROM_CLIENT; from <= FROM_SERVER; from++)
		check_chain(session, from);
	if (model.client_count == 1)
		check_text(session->tls.sni, last->server_name, SNI_MOST);
	MUST(tls_facts_offer(&session->tls, &offer) && offer.first == model.clients[0].first);
	if (offer.first)
		check_ja3(&offer);
	MUST(session->tls.cipher_seen == (model.server_count > 0));
	if (model.server_count == 0)
		return;
	const struct tls_server_hello *server = &model.servers[model.server_count - 1];
	MUST(session->tls.version == server->version && session->tls.cipher == server->cipher);
}

static void check_outcome(const struct tls_outcome *told)
{
	const struct tls_outcome *made = &model.outcome;
	MUST(told->established == made->established && told->resumed == made->resumed);
	MUST(told->client_certificate_requested == made->client_certificate_requested);
	MUST(told->ocsp_staple == made->ocsp_staple && told->begun && told->sslv2_cipher == 0);
	MUST(told->server_certificate_hidden == made->server_certificate_hidden);
	for (enum direction from = FROM_CLIENT; from <= FROM_SERVER; from++)
		MUST(!told->application_data[from] || model.data_records[from] > 0);
	MUST(!told->client_went_on || model.data_records[FROM_CLIENT] > 2);
}

/* ---- feeding ---- */

// How many bytes come next: all, ever more and again few, or always as many.
static size_t piece(uint8_t cut, size_t number, size_t left)
{
	size_t size = cut >= ALWAYS_AS_MANY ? cut - ALWAYS_AS_MANY + 1u : 1 + cut * number % 1021;
	return cut == 0 || size > left ? left : size;
}

static void feed(struct tls *tls, const struct turn *turn, uint8_t cut)
{
	const uint8_t *bytes = model.records.data + turn->at;
	for (size_t at = 0, number = 1; at < turn->length; number++) {
		size_t left = turn->length - at, consumed;
		size_t size = piece(cut, number, left);
		uint8_t *copy = exact_copy(bytes + at, size);
		MUST(tls_feed(tls, turn->from, copy, size, &consumed) != TLS_FOREIGN);
		MUST(consumed == size);
		free(copy);
		at += size;
	}
}

static void shake_hands(struct memory *memory, const struct session_shared *shared, uint8_t cut)
{
	static struct hearing hearing;
	session_begin(&hearing.session, shared);
	hearing.heard = 0;
	struct tls *tls = tls_create(memory, &sink, &hearing);
	MUST(tls != NULL);
	for (unsigned i = 0; i < model.turn_count; i++)
		feed(tls, &model.turns[i], cut);
	for (enum direction from = FROM_CLIENT; from <= FROM_SERVER && model.closed; from++)
		tls_close(tls, from);
	MUST(hearing.heard == model.event_count);
	struct tls_outcome outcome = tls_outcome(tls);
	check_outcome(&outcome);
	tls_facts_conclude(&hearing.session, tls);
	tls_destroy(tls);
	check_session(&hearing.session);
	session_release(&hearing.session);
}

static struct tls_fingerprints *fingerprints(void)
{
	static struct tls_fingerprints *kept;
	if (kept == NULL)
		kept = tls_fingerprints_create();
	MUST(kept != NULL);
	return kept;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hash_key key = {{5, 6}};
	struct input input = {data, data + size};
	uint8_t cut = take(&input);
	model_make(&model, &input);
	struct memory *memory = memory_create(BUDGET);
	MUST(memory != NULL);
	const struct session_shared shared = {
	    .texts = text_store_create(memory, &key, 16),
	    .fingerprints = fingerprints(),
	    .certificates = certificate_announcer_create(memory, &key, NULL, NULL),
	};
	MUST(shared.texts != NULL && shared.certificates != NULL);
	shake_hands(memory, &shared, 0);
	shake_hands(memory, &shared, cut | 1); // its certificates are known now
	MUST(text_store_count(shared.texts) == 0);
	certificate_announcer_destroy(shared.certificates);
	text_store_destroy(shared.texts);
	MUST(memory_in_use(memory) == 0 && memory_refusals(memory) == 0);
	memory_destroy(memory);
	return 0;
}
