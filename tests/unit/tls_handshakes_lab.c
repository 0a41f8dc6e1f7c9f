// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_handshakes_lab.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

static const struct scenario scenarios[] = {
    {"tls10", 0, TLS10, 0, 0, "AES128-SHA", NULL, NULL, NULL, TWIST_NONE, SEEN_YES, SEEN_NO,
        SEEN_NO, false, {"server hello TLSv1.0 TLS_RSA_WITH_AES_128_CBC_SHA -", "chain end 1 2"}},
    {"tls11", 0, TLS11, 0, 0, NULL, NULL, NULL, NULL, TWIST_NONE, SEEN_YES, SEEN_NO, SEEN_NO, false,
        {"key exchange x25519", "chain end 1 2"}},
    {"tls12", 0, TLS12, 0, 0, "ECDHE-RSA-AES256-GCM-SHA384", NULL, "P-384", NULL, TWIST_NONE,
        SEEN_YES, SEEN_NO, SEEN_NO, false,
        {"server hello TLSv1.2 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 -", "key exchange secp384r1",
            "chain end 1 2"}},
    {"tls12 dhe", 0, TLS12, 0, 0, "DHE-RSA-AES128-SHA256", NULL, NULL, NULL, TWIST_NONE, SEEN_YES,
        SEEN_NO, SEEN_NO, false, {"key exchange -", "chain end 1 2"}},
    {"tls12 anonymous", 0, TLS12, 0, 0, "AECDH-AES256-SHA", NULL, NULL, NULL, TWIST_NONE, SEEN_YES,
        SEEN_NO, SEEN_NO, false, {"key exchange x25519"}},
    {"tls12 anonymous dh", 0, TLS12, 0, 0, "ADH-AES256-SHA", NULL, NULL, NULL, TWIST_NONE, SEEN_YES,
        SEEN_NO, SEEN_NO, false, {"key exchange -"}},
    {"tls12 psk", 0, TLS12, 0, 0, "PSK-AES128-CBC-SHA", NULL, NULL, NULL, TWIST_PSK, SEEN_YES,
        SEEN_NO, SEEN_NO, false, {NULL}},
    {"tls12 ecdhe psk", 0, TLS12, 0, 0, "ECDHE-PSK-AES128-CBC-SHA", NULL, NULL, NULL, TWIST_PSK,
        SEEN_YES, SEEN_NO, SEEN_NO, false, {"key exchange x25519"}},
    {"tls12 by id", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_RESUME_ID, SEEN_YES, SEEN_YES,
        SEEN_NO, true, {NULL}},
    {"tls12 by ticket", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_RESUME_TICKET, SEEN_YES,
        SEEN_YES, SEEN_NO, true, {NULL}},
    {"tls12 client certificate", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_CERTIFICATE,
        SEEN_YES, SEEN_NO, SEEN_YES, false,
        {"certificate request", "chain end 1 2", "chain end 0 1"}},
    {"tls12 no client certificate", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_HAS_NONE,
        SEEN_YES, SEEN_NO, SEEN_YES, false,
        {"certificate request", "chain end 1 2", "chain end 0 0"}},
    {"tls12 stapled", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_STAPLE, SEEN_YES, SEEN_NO,
        SEEN_NO, false, {"chain end 1 2"}},
    {"tls12 rejected", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_REJECT, SEEN_NO, SEEN_NO,
        SEEN_NO, false, {"alert 0 2 unknown_ca", "chain end 1 2"}},
    {"tls12 client leaves", 0, TLS12, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_LEAVES, SEEN_NO,
        SEEN_NO, SEEN_NO, false, {"chain end 1 2"}},
    {"tls13", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_NONE, SEEN_YES, SEEN_NO, NOT_SEEN, true,
        {"server hello TLSv1.3 TLS_AES_256_GCM_SHA384 x25519"}},
    {"tls13 retry", 0, 0, 0, 0, NULL, NULL, "X25519:P-256", "P-256", TWIST_NONE, SEEN_YES, SEEN_NO,
        NOT_SEEN, true,
        {"server hello TLSv1.3 TLS_AES_256_GCM_SHA384 secp256r1 retry",
            "server hello TLSv1.3 TLS_AES_256_GCM_SHA384 secp256r1"}},
    {"tls13 resumed", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_RESUME_TICKET, SEEN_YES, SEEN_YES,
        NOT_SEEN, true, {"server hello TLSv1.3 TLS_AES_256_GCM_SHA384 x25519 psk"}},
    {"tls13 early data", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_EARLY_DATA, SEEN_YES, SEEN_YES,
        NOT_SEEN, true, {"server hello TLSv1.3 TLS_AES_256_GCM_SHA384 x25519 psk"}},
    {"tls13 client certificate", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_CERTIFICATE,
        SEEN_YES, SEEN_NO, NOT_SEEN, true, {NULL}},
    {"tls13 no client certificate", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_HAS_NONE,
        SEEN_YES, SEEN_NO, NOT_SEEN, true, {NULL}},
    {"tls13 stapled", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_STAPLE, SEEN_YES, SEEN_NO, NOT_SEEN,
        true, {NULL}},
    {"tls13 rejected", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_REJECT, SEEN_NO, SEEN_NO, NOT_SEEN,
        true, {"alert 0 2 unknown_ca"}},
    {"tls13 client leaves", 0, 0, 0, 0, NULL, NULL, NULL, NULL, TWIST_CLIENT_LEAVES, SEEN_NO,
        SEEN_NO, NOT_SEEN, true, {NULL}},
    {"no version", TLS13, TLS13, 0, TLS12, NULL, NULL, NULL, NULL, TWIST_NONE, SEEN_NO, NOT_SEEN,
        NOT_SEEN, false, {"alert 1 2 protocol_version"}},
    {"no cipher", 0, TLS12, 0, TLS12, "AES128-SHA", "AES256-SHA", NULL, NULL, TWIST_NONE, SEEN_NO,
        NOT_SEEN, NOT_SEEN, false, {"alert 1 2 handshake_failure"}},
};

_Static_assert(sizeof(scenarios) / sizeof(scenarios[0]) == SCENARIOS, "a handshake for each");

// ---- certificates

// Made once for all.
static EVP_PKEY *key;
static X509 *leaf, *issuer;

static X509 *make_certificate(const char *name)
{
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_NAME *subject = X509_get_subject_name(certificate);
	X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

// ---- both ends

struct ends {
	SSL_CTX *client_context, *server_context;
	SSL *client, *server;
	struct conversation *conversation;
};

// Where the client's key log goes.
static struct tls_keylog *keylog_written;

static void write_keylog(const SSL *ssl, const char *log_line)
{
	(void)ssl;
	tls_keylog_add(keylog_written, (const uint8_t *)log_line, strlen(log_line));
	tls_keylog_end(keylog_written);
}

static unsigned psk_client(SSL *ssl, const char *hint, char *identity, unsigned identity_length,
    unsigned char *psk, unsigned psk_length)
{
	(void)ssl, (void)hint, (void)identity_length, (void)psk_length;
	strcpy(identity, "me");
	memset(psk, 7, 16);
	return 16;
}

static unsigned psk_server(SSL *ssl, const char *identity, unsigned char *psk, unsigned psk_length)
{
	(void)ssl, (void)identity, (void)psk_length;
	memset(psk, 7, 16);
	return 16;
}

static int accept_any(int preverified, X509_STORE_CTX *store)
{
	(void)preverified, (void)store;
	return 1;
}

static void set_limits(SSL_CTX *context, int lowest, int highest, const char *ciphers)
{
	char list[128];
	SSL_CTX_set_min_proto_version(context, lowest != 0 ? lowest : TLS10);
	SSL_CTX_set_max_proto_version(context, highest);
	snprintf(list, sizeof(list), "%s:@SECLEVEL=0",
	    ciphers != NULL ? ciphers : "ALL:COMPLEMENTOFDEFAULT");
	assert_int_equal(SSL_CTX_set_cipher_list(context, list), 1);
}

static void set_groups(SSL_CTX *context, const char *groups)
{
	char list[64]; // the macro takes no const
	if (groups == NULL)
		return;
	snprintf(list, sizeof(list), "%s", groups);
	SSL_CTX_set1_groups_list(context, list);
}

// Any bytes: the client does not look into them.
static int staple(SSL *ssl, void *unused)
{
	unsigned char *response = OPENSSL_zalloc(300);
	(void)unused;
	SSL_set_tlsext_status_ocsp_resp(ssl, response, 300);
	return SSL_TLSEXT_ERR_OK;
}

static void set_twist(struct ends *ends, enum twist twist)
{
	if (twist == TWIST_CLIENT_CERTIFICATE || twist == TWIST_CLIENT_HAS_NONE)
		SSL_CTX_set_verify(ends->server_context, SSL_VERIFY_PEER, accept_any);
	if (twist == TWIST_CLIENT_CERTIFICATE) {
		SSL_CTX_use_certificate(ends->client_context, leaf);
		SSL_CTX_use_PrivateKey(ends->client_context, key);
	}
	if (twist == TWIST_REJECT)
		SSL_CTX_set_verify(ends->client_context, SSL_VERIFY_PEER, NULL);
	if (twist == TWIST_RESUME_ID)
		SSL_CTX_set_options(ends->server_context, SSL_OP_NO_TICKET);
	if (twist == TWIST_EARLY_DATA)
		SSL_CTX_set_max_early_data(ends->server_context, 4096);
	if (twist == TWIST_STAPLE) {
		SSL_CTX_set_tlsext_status_type(ends->client_context, TLSEXT_STATUSTYPE_ocsp);
		SSL_CTX_set_tlsext_status_cb(ends->server_context, staple);
	}
	if (twist == TWIST_PSK) {
		SSL_CTX_set_psk_client_callback(ends->client_context, psk_client);
		SSL_CTX_set_psk_server_callback(ends->server_context, psk_server);
	}
}

static void ends_create(
    struct ends *ends, const struct scenario *scenario, struct conversation *conversation)
{
	memset(ends, 0, sizeof(*ends));
	ends->conversation = conversation;
	ends->client_context = SSL_CTX_new(TLS_client_method());
	ends->server_context = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_keylog_callback(ends->client_context, write_keylog);
	set_limits(ends->client_context, scenario->client_min, scenario->client_max,
	    scenario->client_ciphers);
	set_limits(ends->server_context, scenario->server_min, scenario->server_max,
	    scenario->server_ciphers);
	set_groups(ends->client_context, scenario->client_groups);
	set_groups(ends->server_context, scenario->server_groups);
	SSL_CTX_use_certificate(ends->server_context, leaf);
	SSL_CTX_use_PrivateKey(ends->server_context, key);
	SSL_CTX_add1_chain_cert(ends->server_context, issuer);
	SSL_CTX_set_session_id_context(ends->server_context, (const unsigned char *)"t", 1);
	SSL_CTX_set_dh_auto(ends->server_context, 1);
	set_twist(ends, scenario->twist);
}

static void ends_connect(struct ends *ends, SSL_SESSION *session)
{
	ends->client = SSL_new(ends->client_context);
	ends->server = SSL_new(ends->server_context);
	SSL_set_bio(ends->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_bio(ends->server, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(ends->client);
	SSL_set_accept_state(ends->server);
	char name[] = "mail.example"; // the macro takes no const
	SSL_set_tlsext_host_name(ends->client, name);
	if (session != NULL)
		SSL_set_session(ends->client, session);
}

static void ends_disconnect(struct ends *ends)
{
	SSL_free(ends->client);
	SSL_free(ends->server);
	ends->client = ends->server = NULL;
}

static void ends_destroy(struct ends *ends)
{
	SSL_CTX_free(ends->client_context);
	SSL_CTX_free(ends->server_context);
	ERR_clear_error();
}

// Carries what one end wrote to the other, past the tap. False: there was nothing.
static bool carry(struct ends *ends, enum direction sender)
{
	SSL *from = sender == FROM_CLIENT ? ends->client : ends->server;
	SSL *to = sender == FROM_CLIENT ? ends->server : ends->client;
	char *bytes;
	long length = BIO_get_mem_data(SSL_get_wbio(from), &bytes);
	if (length <= 0)
		return false;
	conversation_add(ends->conversation, sender, bytes, (size_t)length);
	BIO_write(SSL_get_rbio(to), bytes, (int)length);
	BIO_reset(SSL_get_wbio(from));
	return true;
}

static void shake_hands(struct ends *ends, enum twist twist)
{
	char byte;
	for (int round = 0; round < 10; round++) {
		if (twist == TWIST_CLIENT_LEAVES && round == 1)
			return;
		SSL_do_handshake(ends->client);
		bool more = carry(ends, FROM_CLIENT);
		if (twist == TWIST_EARLY_DATA && !SSL_is_init_finished(ends->server)) {
			char early[64];
			size_t read;
			while (SSL_read_early_data(ends->server, early, sizeof(early), &read) ==
			       SSL_READ_EARLY_DATA_SUCCESS)
				;
		}
		SSL_do_handshake(ends->server);
		more |= carry(ends, FROM_SERVER);
		if (!more)
			break;
	}
	SSL_peek(ends->client, &byte, 1); // takes tickets in
}

// A greeting and a command, so that there is application data.
static void talk(struct ends *ends)
{
	char text[64];
	if (!SSL_is_init_finished(ends->client) || !SSL_is_init_finished(ends->server))
		return;
	SSL_write(ends->server, "* OK ready\r\n", 12);
	carry(ends, FROM_SERVER);
	SSL_read(ends->client, text, sizeof(text));
	SSL_write(ends->client, "a LOGIN somebody something\r\n", 28);
	carry(ends, FROM_CLIENT);
	SSL_read(ends->server, text, sizeof(text));
	SSL_shutdown(ends->client);
	carry(ends, FROM_CLIENT);
	SSL_shutdown(ends->server);
	carry(ends, FROM_SERVER);
}

static void send_early_data(struct ends *ends)
{
	size_t written;
	SSL_write_early_data(ends->client, "a NOOP\r\n", 8, &written);
	carry(ends, FROM_CLIENT);
}

static void make_conversation(
    const struct scenario *scenario, struct conversation *conversation, struct tls_keylog *keylog)
{
	struct ends ends;
	SSL_SESSION *session = NULL;
	enum twist twist = scenario->twist;
	keylog_written = keylog;
	conversation_clear(conversation);
	ends_create(&ends, scenario, conversation);
	if (twist == TWIST_RESUME_ID || twist == TWIST_RESUME_TICKET || twist == TWIST_EARLY_DATA) {
		ends_connect(&ends, NULL);
		shake_hands(&ends, TWIST_NONE);
		talk(&ends); // properly closed, or it may not be resumed
		session = SSL_get1_session(ends.client);
		ends_disconnect(&ends);
		conversation_clear(conversation);
	}
	ends_connect(&ends, session);
	if (twist == TWIST_EARLY_DATA)
		send_early_data(&ends);
	shake_hands(&ends, twist);
	talk(&ends);
	ends_disconnect(&ends);
	SSL_SESSION_free(session);
	ends_destroy(&ends);
	conversation->closed[FROM_CLIENT] = conversation->closed[FROM_SERVER] = true;
}

struct handshake handshakes[SCENARIOS];

int make_handshakes(void **state)
{
	(void)state;
	key = EVP_RSA_gen(2048);
	leaf = make_certificate("mail.example");
	issuer = make_certificate("issuer.example");
	for (unsigned i = 0; i < SCENARIOS; i++) {
		struct handshake *handshake = &handshakes[i];
		handshake->scenario = &scenarios[i];
		handshake->keylog = tls_keylog_create();
		make_conversation(handshake->scenario, &handshake->conversation, handshake->keylog);
		facts_of(&handshake->conversation, &(struct feeding){0}, &handshake->whole);
		watch_begin("some"); // of what is said inside
		facts_of(&handshake->conversation, &(struct feeding){.keylog = handshake->keylog},
		    &handshake->opened);
		handshake->watched = watch_end();
	}
	return 0;
}

int free_handshakes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SCENARIOS; i++)
		tls_keylog_destroy(handshakes[i].keylog);
	X509_free(leaf);
	X509_free(issuer);
	EVP_PKEY_free(key);
	return 0;
}

void for_each_handshake(void (*check)(const struct handshake *handshake))
{
	for (unsigned i = 0; i < SCENARIOS; i++)
		check(&handshakes[i]);
}

// The record of a direction that begins at `at`; OpenSSL begins each segment with one.
size_t record_length(const struct conversation *talk, enum direction sender, size_t at)
{
	size_t position = 0;
	for (unsigned i = 0; i < talk->count; i++) {
		const struct segment *segment = &talk->segments[i];
		if (segment->sender != sender)
			continue;
		if (at >= position && at < position + segment->length) {
			const uint8_t *header = talk->bytes + segment->offset + (at - position);
			return 5 + (size_t)(header[3] << 8 | header[4]);
		}
		position += segment->length;
	}
	return 1;
}

static uint32_t seed = 1;

size_t chance(size_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

// Any hole of a direction, half of them short; none in one of four.
struct hole chance_hole(const struct conversation *talk, enum direction sender)
{
	size_t length = conversation_length(talk, sender);
	size_t kind = chance(4);
	if (length == 0 || kind == 0)
		return (struct hole){0, 0};
	size_t from = chance(length), most = length - from;
	return (struct hole){from, 1 + chance(kind > 1 && most > 100 ? 100 : most)};
}
