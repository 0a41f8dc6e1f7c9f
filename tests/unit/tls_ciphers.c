// SPDX-License-Identifier: Apache-2.0
// Every cipher suite that OpenSSL has, opened by its key log: TLS 1.2 with both orders of encryption and
// MAC, TLS 1.3.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_seal.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

static const char inside[] = "* OK CANARY ready\r\n";

// Made once for all.
static EVP_PKEY *keys[2]; // RSA, ECDSA
static X509 *certificates[2];

static struct tls_keylog *keylog;
static struct conversation talk;
static struct facts facts;

static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
	return certificate;
}

static int make_keys(void **state)
{
	(void)state;
	keys[0] = EVP_RSA_gen(2048);
	keys[1] = EVP_EC_gen("P-256");
	for (int i = 0; i < 2; i++)
		certificates[i] = make_certificate(keys[i]);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		X509_free(certificates[i]);
		EVP_PKEY_free(keys[i]);
	}
	return 0;
}

static void write_keylog(const SSL *ssl, const char *log_line)
{
	(void)ssl;
	tls_keylog_add(keylog, (const uint8_t *)log_line, strlen(log_line));
	tls_keylog_end(keylog);
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

struct wanted {
	const char *name; // of the suite, as OpenSSL calls it
	bool modern; // TLS 1.3
	bool mac_last; // no encrypt-then-MAC
};

static SSL_CTX *context_of(const struct wanted *wanted, bool server)
{
	char list[96];
	SSL_CTX *context = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
	int version = wanted->modern ? TLS1_3_VERSION : TLS1_2_VERSION;
	SSL_CTX_set_min_proto_version(context, version);
	SSL_CTX_set_max_proto_version(context, version);
	SSL_CTX_set_security_level(context, 0);
	snprintf(list, sizeof(list), "%s", wanted->name);
	if (wanted->modern)
		assert_int_equal(SSL_CTX_set_ciphersuites(context, list), 1);
	else
		assert_int_equal(SSL_CTX_set_cipher_list(context, list), 1);
	if (wanted->mac_last)
		SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC);
	for (int i = 0; i < 2 && server; i++) {
		SSL_CTX_use_certificate(context, certificates[i]);
		SSL_CTX_use_PrivateKey(context, keys[i]);
	}
	SSL_CTX_set_dh_auto(context, 1);
	if (!wanted->modern && !server)
		SSL_CTX_set_psk_client_callback(context, psk_client);
	if (!wanted->modern && server)
		SSL_CTX_set_psk_server_callback(context, psk_server);
	SSL_CTX_set_keylog_callback(context, write_keylog);
	return context;
}

static SSL *end_of(SSL_CTX *context, bool server)
{
	SSL *ssl = SSL_new(context);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

static void carry(SSL *from, SSL *to, enum direction sender)
{
	char *bytes;
	long length = BIO_get_mem_data(SSL_get_wbio(from), &bytes);
	if (length <= 0)
		return;
	conversation_add(&talk, sender, bytes, (size_t)length);
	BIO_write(SSL_get_rbio(to), bytes, (int)length);
	BIO_reset(SSL_get_wbio(from));
}

// False: the two did not come together (a suite that needs what they have not).
static bool converse(const struct wanted *wanted)
{
	SSL_CTX *contexts[2] = {context_of(wanted, false), context_of(wanted, true)};
	SSL *client = end_of(contexts[0], false), *server = end_of(contexts[1], true);
	conversation_clear(&talk);
	for (int round = 0; round < 4; round++) {
		SSL_do_handshake(client);
		carry(client, server, FROM_CLIENT);
		SSL_do_handshake(server);
		carry(server, client, FROM_SERVER);
	}
	bool good = SSL_is_init_finished(client) && SSL_is_init_finished(server);
	if (good) {
		SSL_write(server, inside, sizeof(inside));
		carry(server, client, FROM_SERVER);
		SSL_write(client, inside, sizeof(inside));
		carry(client, server, FROM_CLIENT);
	}
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(contexts[0]);
	SSL_CTX_free(contexts[1]);
	ERR_clear_error();
	return good;
}

// How many records are opened; -1: there was no conversation.
static int opened_of(const struct wanted *wanted)
{
	keylog = tls_keylog_create();
	bool good = converse(wanted);
	watch_begin("CANARY");
	facts_of(&talk, &(struct feeding){.keylog = keylog}, &facts);
	struct watched watched = watch_end();
	tls_keylog_destroy(keylog);
	keylog = NULL;
	if (!good)
		return -1;
	assert_false(watched.saw_forbidden);
	assert_int_equal(watched.calls, watched.opened);
	assert_int_equal(facts.outcome.established, SEEN_YES);
	return (int)watched.opened;
}

// What is not opened: no encryption, or ciphers nobody should use.
static bool left_out(const char *name)
{
	static const char *const parts[] = {"NULL", "SEED", "RC4", "IDEA", "DES", "GOST"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(name, parts[i]) != NULL)
			return true;
	return false;
}

static bool is_classic(const SSL_CIPHER *cipher)
{
	return strncmp(SSL_CIPHER_get_name(cipher), "TLS_", 4) != 0;
}

static void suites_of_tls12(void **state)
{
	(void)state;
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_security_level(context, 0);
	assert_int_equal(SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL"), 1);
	STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context);
	unsigned opened = 0;
	for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
		struct wanted wanted = {.name = SSL_CIPHER_get_name(cipher)};
		for (int mac_last = 0; mac_last < 2 && is_classic(cipher); mac_last++) {
			wanted.mac_last = mac_last;
			int records = opened_of(&wanted);
			if (records >= 0 && records != (left_out(wanted.name) ? 0 : 2))
				fail_msg("%s: %d records opened", wanted.name, records);
			opened += records == 2;
		}
	}
	SSL_CTX_free(context);
	assert_true(opened >= 100);
}

static void suites_of_tls13(void **state)
{
	(void)state;
	static const char *const names[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
	    "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wanted wanted = {.name = names[i], .modern = true};
		assert_int_equal(opened_of(&wanted), 5);
		assert_true(facts_have(&facts, "chain end 1 1"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(suites_of_tls12),
	    cmocka_unit_test(suites_of_tls13),
	};
	return cmocka_run_group_tests_name("tls_ciphers", tests, make_keys, free_keys);
}
