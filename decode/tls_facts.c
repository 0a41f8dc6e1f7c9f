// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_facts.h"

#include <openssl/evp.h>
#include <string.h>

enum {
	SHA256_BYTES = 32,
	CHAIN_MAX = 32, // certificates of a chain whose hashes are kept
	SNI_MAX = 255, // bytes
	ALPN_MAX = 64,
	ALERT_FATAL = 2,
	CLOSE_NOTIFY = 0,
};

static void on_client_hello(void *context, const struct tls_client_hello *hello)
{
	struct session *session = context;
	session->tls.client_version = hello->highest_version;
	if (hello->server_name.data != NULL)
		session_set_text(session, &session->tls.sni, hello->server_name.data,
		    hello->server_name.length, SNI_MAX);
	if (hello->alpn.data != NULL && session->tls.alpn == NULL)
		session_set_text(
		    session, &session->tls.alpn, hello->alpn.data, hello->alpn.length, ALPN_MAX);
}

static void on_server_hello(void *context, const struct tls_server_hello *hello)
{
	struct session *session = context;
	session->tls.version = hello->version;
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
	if (!EVP_Digest(der.data, der.length, hashes + have, NULL, EVP_sha256(), NULL))
		return;
	session->tls.certificates[sender]++;
	session_set_text(session, chain, hashes, have + SHA256_BYTES, sizeof hashes);
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

const struct tls_sink tls_facts_sink = {
    .client_hello = on_client_hello,
    .server_hello = on_server_hello,
    .certificate = on_certificate,
    .chain_end = on_chain_end,
    .server_key_exchange = on_key_exchange,
    .alert = on_alert,
    .hidden_flight = on_hidden_flight,
};

void tls_facts_conclude(struct session *session, const struct tls *tls)
{
	struct tls_outcome outcome = tls_outcome(tls);
	session->tls.established = (uint8_t)outcome.established;
	session->tls.resumed = (uint8_t)outcome.resumed;
	session->tls.client_certificate_requested = (uint8_t)outcome.client_certificate_requested;
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
