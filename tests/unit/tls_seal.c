// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tls_seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>

// ---- sealing

// By OpenSSL's own TLS 1.3 key derivation, not by the one under test.
static void expand(const uint8_t *secret, const char *label, uint8_t *out, size_t length)
{
	char prefix[] = "tls13 ", hash[] = "SHA256", mode[] = "EXPAND_ONLY", text[16];
	uint8_t key[32];
	memcpy(key, secret, sizeof(key));
	snprintf(text, sizeof(text), "%s", label);
	OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash, 0),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof(key)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX, prefix, strlen(prefix)),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, text, strlen(text)),
	    OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	assert_int_equal(EVP_KDF_derive(context, out, length, parameters), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

void seal(struct conversation *conversation, enum direction sender, struct sealer *sealer,
    uint8_t type, const void *content, size_t length, size_t padding)
{
	static uint8_t inside[1 << 15], record[5 + (1 << 15)];
	uint8_t key[16], nonce[12];
	size_t whole = length + 1 + padding, body = whole + 16;
	int taken;
	assert_true(body + 5 <= sizeof(record));
	memset(inside, 0, sizeof(inside));
	if (length > 0)
		memcpy(inside, content, length);
	inside[length] = type;
	memcpy(record, (uint8_t[]){23, 3, 3, (uint8_t)(body >> 8), (uint8_t)body}, 5);
	expand(sealer->secret, "key", key, sizeof(key));
	expand(sealer->secret, "iv", nonce, sizeof(nonce));
	for (int i = 0; i < 8; i++)
		nonce[11 - i] ^= (uint8_t)(sealer->sequence >> 8 * i);
	sealer->sequence++;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce), 1);
	assert_int_equal(EVP_EncryptUpdate(context, NULL, &taken, record, 5), 1);
	assert_int_equal(EVP_EncryptUpdate(context, record + 5, &taken, inside, (int)whole), 1);
	assert_int_equal(EVP_EncryptFinal_ex(context, record + 5 + whole, &taken), 1);
	assert_int_equal(
	    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, record + 5 + whole), 1);
	EVP_CIPHER_CTX_free(context);
	conversation_add(conversation, sender, record, 5 + body);
}

// ---- key logs

struct tls_keylog *keylog_of_text(const char *text)
{
	struct tls_keylog *keylog = tls_keylog_create();
	assert_non_null(keylog);
	tls_keylog_add(keylog, (const uint8_t *)text, strlen(text));
	tls_keylog_end(keylog);
	return keylog;
}

static size_t put_line(
    char *text, const char *label, const uint8_t *client_random, const uint8_t *secret)
{
	size_t length = (size_t)sprintf(text, "%s ", label);
	for (int i = 0; i < 32; i++)
		length += (size_t)sprintf(text + length, "%02x", client_random[i]);
	text[length++] = ' ';
	for (int i = 0; i < 32; i++)
		length += (size_t)sprintf(text + length, "%02x", secret[i]);
	text[length++] = '\n';
	text[length] = 0;
	return length;
}

struct tls_keylog *keylog_of_secrets(
    const uint8_t *client_random, const uint8_t *client_secret, const uint8_t *server_secret)
{
	char text[512];
	size_t length =
	    put_line(text, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", client_random, client_secret);
	put_line(text + length, "SERVER_HANDSHAKE_TRAFFIC_SECRET", client_random, server_secret);
	return keylog_of_text(text);
}

// ---- watching

static struct watched watched;
static const char *forbidden_text;

bool __real_tls_decrypt(const struct tls_protection *protection,
    const struct tls_protected_record *record, uint8_t *room, struct tls_opened_record *opened);
bool __wrap_tls_decrypt(const struct tls_protection *protection,
    const struct tls_protected_record *record, uint8_t *room, struct tls_opened_record *opened);

bool __wrap_tls_decrypt(const struct tls_protection *protection,
    const struct tls_protected_record *record, uint8_t *room, struct tls_opened_record *opened)
{
	memset(room, 0, record->body.length);
	bool good = __real_tls_decrypt(protection, record, room, opened);
	watched.calls++;
	watched.opened += good;
	if (forbidden_text != NULL &&
	    memmem(room, record->body.length, forbidden_text, strlen(forbidden_text)) != NULL)
		watched.saw_forbidden = true;
	return good;
}

void watch_begin(const char *forbidden)
{
	watched = (struct watched){0};
	forbidden_text = forbidden;
}

struct watched watch_end(void)
{
	forbidden_text = NULL;
	return watched;
}
