// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_facts.h"

#include "decode/certificate_announcer.h"
#include "decode/tls_suite.h"

#include <string.h>

enum {
	SHA256_BYTES = 32,
	CHAIN_MAX = 32, // certificates of a chain whose hashes are kept
	SNI_MAX = 255, // bytes
	ALPN_MAX = 64,
	ALERT_FATAL = 2,
	CLOSE_NOTIFY = 0,
};

_Static_assert(sizeof(struct tls_offer) == TLS_JA3_BYTES + TLS_JA4_LENGTH + 12, "no padding");
_Static_assert(sizeof(struct tls_answer) == TLS_JA3_BYTES + 8, "no padding");

static bool lists_post_quantum(struct view groups)
{
	while (groups.length >= 2) {
		uint16_t group = view_u16(&groups);
		if (group >= TLS_POST_QUANTUM_FIRST &&
		    tls_group_post_quantum(group) >= POST_QUANTUM_HYBRID)
			return true;
	}
	return false;
}

// The first hello counts: it is the client's own choice, the second does as it was told.
static void keep_offer(struct session *session, const struct tls_client_hello *hello)
{
	if (hello->malformed || session->tls.offer != NULL)
		return;
	struct tls_client_fingerprint fingerprint = {.has_ja3 = false};
	bool first = hello->first && session->tls.client_version == TLS_VERSION_UNKNOWN;
	if (first && session->shared->fingerprints != NULL)
		fingerprint = tls_fingerprint_client(session->shared->fingerprints, hello);
	struct tls_offer offer = {
	    .key_share_bytes = first ? hello->key_share_bytes : 0,
	    .has_ja3 = fingerprint.has_ja3,
	    .has_ja4 = fingerprint.has_ja4,
	    .first = first,
	    .secure_renegotiation = hello->offers_renegotiation_info,
	    .asks_ocsp = hello->asks_ocsp,
	    .asks_timestamps = hello->asks_timestamps,
	    .ech = hello->offers_ech,
	    .post_quantum = lists_post_quantum(hello->supported_groups),
	};
	memcpy(offer.ja3, fingerprint.ja3, sizeof offer.ja3);
	memcpy(offer.ja4, fingerprint.ja4, sizeof offer.ja4);
	session_set_text(
	    session, &session->tls.offer, (const uint8_t *)&offer, sizeof offer, sizeof offer);
}

static void on_client_hello(void *context, const struct tls_client_hello *hello)
{
	struct session *session = context;
	keep_offer(session, hello);
	session->tls.client_version = hello->highest_version;
	if (hello->server_name.data != NULL)
		session_set_text(session, &session->tls.sni, hello->server_name.data,
		    hello->server_name.length, SNI_MAX);
	if (hello->alpn.data != NULL && session->tls.alpn == NULL)
		session_set_text(
		    session, &session->tls.alpn, hello->alpn.data, hello->alpn.length, ALPN_MAX);
}

static void keep_answer(struct session *session, const struct tls_server_hello *hello)
{
	bool proper =
	    !hello->malformed && !hello->hello_retry_request && hello->version != TLS_SSL2;
	if (!proper || session->tls.answer != NULL)
		return;
	struct tls_fingerprints *fingerprints = session->shared->fingerprints;
	struct tls_answer answer = {
	    .timestamps = hello->timestamps,
	    .key_share = hello->group != 0,
	    .compression = hello->compression != 0,
	    .secure_renegotiation = hello->renegotiation_info,
	    .extended_master_secret = hello->ems,
	};
	answer.has_ja3s =
	    fingerprints != NULL && tls_fingerprint_server(fingerprints, hello, answer.ja3s);
	session_set_text(
	    session, &session->tls.answer, (const uint8_t *)&answer, sizeof answer, sizeof answer);
}

static enum downgrade_sentinel sentinel_of(const struct tls_server_hello *hello)
{
	enum { SENTINEL_LENGTH = 8 };
	static const uint8_t common[] = {'D', 'O', 'W', 'N', 'G', 'R', 'D'};
	struct view random = hello->random;
	if (random.data == NULL || random.length < SENTINEL_LENGTH || hello->hello_retry_request ||
	    hello->version == TLS_SSL2)
		return SENTINEL_NONE;
	const uint8_t *end = random.data + random.length - SENTINEL_LENGTH;
	if (memcmp(end, common, sizeof common) != 0)
		return SENTINEL_NONE;
	return end[7] == 1 ? SENTINEL_TLS_1_2 : end[7] == 0 ? SENTINEL_TLS_1_1 : SENTINEL_NONE;
}

static void on_server_hello(void *context, const struct tls_server_hello *hello)
{
	struct session *session = context;
	keep_answer(session, hello);
	session->tls.version = hello->version;
	session->tls.downgrade_sentinel = (uint8_t)sentinel_of(hello);
	session->tls.cipher = hello->cipher;
	session->tls.cipher_seen = hello->version != TLS_SSL2;
	if (hello->group != 0)
		session->tls.group = hello->group;
	if (hello->alpn.data != NULL)
		session_set_text(
		    session, &session->tls.alpn, hello->alpn.data, hello->alpn.length, ALPN_MAX);
}

static void on_key_exchange(void *context, uint16_t group)
{
	struct session *session = context;
	session->tls.group = group;
}

static void on_certificate(void *context, enum direction sender, unsigned position, struct view der)
{
	struct session *session = context;
	uint8_t hashes[CHAIN_MAX * SHA256_BYTES];
	struct text **chain = &session->tls.chain[sender];
	if (position >= CHAIN_MAX || position != session->tls.certificates[sender])
		return;
	size_t have = *chain != NULL ? (*chain)->length : 0;
	if (have > 0)
		memcpy(hashes, (*chain)->bytes, have);
	const struct session_shared *shared = session->shared;
	if (shared->certificates == NULL ||
	    !certificate_announce(shared->certificates, der, sender, position, shared->now, hashes + have))
		return;
	session_set_text(session, chain, hashes, have + SHA256_BYTES, sizeof hashes);
	if (*chain != NULL) // without memory the list is not known
		session->tls.certificates[sender]++;
}

static const uint8_t *on_recall(void *context, struct view beginning, size_t length)
{
	const struct session *session = context;
	struct certificate_announcer *certificates = session->shared->certificates;
	return certificates != NULL ? certificate_recall(certificates, beginning, length) : NULL;
}

static void on_let_go(void *context, const uint8_t *der)
{
	const struct session *session = context;
	certificate_let_go(session->shared->certificates, der);
}

static void on_chain_end(void *context, enum direction sender, unsigned count)
{
	struct session *session = context;
	session->tls.chain_ended[sender] = count <= session->tls.certificates[sender];
}

// close_notify is an end, not a failure, even where it is sent as fatal.
static void on_alert(void *context, enum direction sender, uint8_t level, uint8_t description)
{
	struct session *session = context;
	if (session->tls.alert_seen || level != ALERT_FATAL || description == CLOSE_NOTIFY)
		return;
	session->tls.alert_seen = true;
	session->tls.alert_sender = (uint8_t)sender;
	session->tls.alert_description = description;
}

static void on_hidden_flight(void *context, const uint16_t *lengths, unsigned count)
{
	struct session *session = context;
	uint8_t bytes[2 * TLS_FLIGHT_MAX];
	for (unsigned i = 0; i < count; i++) {
		bytes[2 * i] = (uint8_t)(lengths[i] >> 8);
		bytes[2 * i + 1] = (uint8_t)lengths[i];
	}
	session_set_text(
	    session, &session->tls.hidden_flight, bytes, 2 * (size_t)count, sizeof bytes);
}

static void on_timestamps(void *context, unsigned count)
{
	struct session *session = context;
	struct tls_answer answer;
	if (!tls_facts_answer(&session->tls, &answer))
		return;
	answer.timestamps = (uint16_t)count;
	session_set_text(
	    session, &session->tls.answer, (const uint8_t *)&answer, sizeof answer, sizeof answer);
}

static void on_server_alpn(void *context, struct view name)
{
	struct session *session = context;
	session_set_text(session, &session->tls.alpn, name.data, name.length, ALPN_MAX);
}

const struct tls_sink tls_facts_sink = {
    .client_hello = on_client_hello,
    .server_hello = on_server_hello,
    .certificate = on_certificate,
    .recall = on_recall,
    .let_go = on_let_go,
    .chain_end = on_chain_end,
    .server_key_exchange = on_key_exchange,
    .alert = on_alert,
    .hidden_flight = on_hidden_flight,
    .timestamps = on_timestamps,
    .server_alpn = on_server_alpn,
};

void tls_facts_conclude(struct session *session, const struct tls *tls)
{
	struct tls_outcome outcome = tls_outcome(tls);
	session->tls.established = (uint8_t)outcome.established;
	session->tls.client_went_on |= outcome.client_went_on;
	session->tls.resumed = (uint8_t)outcome.resumed;
	session->tls.client_certificate_requested = (uint8_t)outcome.client_certificate_requested;
	session->tls.ocsp_staple = (uint8_t)outcome.ocsp_staple;
	session->tls.begun |= outcome.begun;
	session->tls.sslv2_cipher = outcome.sslv2_cipher;
	// A handshake seen whole that showed no certificate had none: an empty chain, not a hidden one.
	if (outcome.established != SEEN_YES || outcome.server_certificate_hidden)
		return;
	if (session->tls.certificates[FROM_SERVER] == 0)
		session->tls.chain_ended[FROM_SERVER] = true;
	if (outcome.client_certificate_requested == SEEN_NO)
		session->tls.chain_ended[FROM_CLIENT] = true;
}

bool tls_facts_offer(const struct tls_facts *facts, struct tls_offer *offer)
{
	*offer = (struct tls_offer){.first = false};
	if (facts->offer != NULL)
		memcpy(offer, facts->offer->bytes, sizeof *offer);
	return facts->offer != NULL;
}

bool tls_facts_answer(const struct tls_facts *facts, struct tls_answer *answer)
{
	*answer = (struct tls_answer){.has_ja3s = false};
	if (facts->answer != NULL)
		memcpy(answer, facts->answer->bytes, sizeof *answer);
	return facts->answer != NULL;
}
