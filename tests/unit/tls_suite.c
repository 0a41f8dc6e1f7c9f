// SPDX-License-Identifier: Apache-2.0
// What the number of a suite or a group says: by hand for the odd ones, against OpenSSL for all it has.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/tls.h"
#include "decode/tls_suite.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

struct expected {
	uint16_t cipher;
	enum tls_exchange exchange;
	bool aead;
	const char *weaknesses; // names in order, a space between
};

static const struct expected table[] = {
    {0x0000, TLS_EXCHANGE_STATIC, false, "anonymous no_encryption"}, // NULL_WITH_NULL_NULL
    {0x0001, TLS_EXCHANGE_STATIC, false, "no_encryption md5"}, // RSA_WITH_NULL_MD5
    {0x0003, TLS_EXCHANGE_STATIC, false, "export rc4 md5"}, // RSA_EXPORT_WITH_RC4_40_MD5
    {0x0005, TLS_EXCHANGE_STATIC, false, "rc4"}, // RSA_WITH_RC4_128_SHA
    {0x0006, TLS_EXCHANGE_STATIC, false, "export rc2 short_block md5"},
    {0x0007, TLS_EXCHANGE_STATIC, false, "short_block"}, // RSA_WITH_IDEA_CBC_SHA
    {0x0008, TLS_EXCHANGE_STATIC, false, "export des short_block"}, // RSA_EXPORT_WITH_DES40_CBC_SHA
    {0x0009, TLS_EXCHANGE_STATIC, false, "des short_block"}, // RSA_WITH_DES_CBC_SHA
    {0x000a, TLS_EXCHANGE_STATIC, false, "3des short_block"}, // RSA_WITH_3DES_EDE_CBC_SHA
    {0x000d, TLS_EXCHANGE_STATIC, false, "3des short_block"}, // DH_DSS_WITH_3DES_EDE_CBC_SHA
    {0x0016, TLS_EXCHANGE_EPHEMERAL, false, "3des short_block"}, // DHE_RSA_WITH_3DES_EDE_CBC_SHA
    {0x0017, TLS_EXCHANGE_EPHEMERAL, false, "anonymous export rc4 md5"},
    {0x001d, TLS_EXCHANGE_STATIC, false, "short_block"}, // SSL_FORTEZZA_KEA_WITH_FORTEZZA_CBC_SHA
    {0x0022, TLS_EXCHANGE_STATIC, false, "des short_block md5"}, // KRB5_WITH_DES_CBC_MD5
    {0x002f, TLS_EXCHANGE_STATIC, false, ""}, // RSA_WITH_AES_128_CBC_SHA
    {0x0033, TLS_EXCHANGE_EPHEMERAL, false, ""}, // DHE_RSA_WITH_AES_128_CBC_SHA
    {0x0062, TLS_EXCHANGE_STATIC, false,
        "export des short_block"}, // RSA_EXPORT1024_WITH_DES_CBC_SHA
    {0x0065, TLS_EXCHANGE_EPHEMERAL, false, "export rc4"}, // DHE_DSS_EXPORT1024_WITH_RC4_56_SHA
    {0x0081, TLS_EXCHANGE_STATIC, false, "short_block"}, // GOSTR341001_WITH_28147_CNT_IMIT
    {0x00a6, TLS_EXCHANGE_EPHEMERAL, true, "anonymous"}, // DH_anon_WITH_AES_128_GCM_SHA256
    {0x00ae, TLS_EXCHANGE_STATIC, false, ""}, // PSK_WITH_AES_128_CBC_SHA256
    {0x00c6, TLS_EXCHANGE_BY_EXTENSION, true, ""}, // SM4_GCM_SM3
    {0x1301, TLS_EXCHANGE_BY_EXTENSION, true, ""},
    {0x1303, TLS_EXCHANGE_BY_EXTENSION, true, ""}, // CHACHA20_POLY1305_SHA256
    {0x1306, TLS_EXCHANGE_BY_EXTENSION, true, ""}, // AEGIS_256_SHA512
    {0xc004, TLS_EXCHANGE_STATIC, false, ""}, // ECDH_ECDSA_WITH_AES_128_CBC_SHA
    {0xc007, TLS_EXCHANGE_EPHEMERAL_GROUP, false, "rc4"}, // ECDHE_ECDSA_WITH_RC4_128_SHA
    {0xc010, TLS_EXCHANGE_EPHEMERAL_GROUP, false, "no_encryption"}, // ECDHE_RSA_WITH_NULL_SHA
    {0xc018, TLS_EXCHANGE_EPHEMERAL_GROUP, false, "anonymous"}, // ECDH_anon_WITH_AES_128_CBC_SHA
    {0xc01d, TLS_EXCHANGE_EPHEMERAL, false, ""}, // SRP_SHA_WITH_AES_128_CBC_SHA
    {0xc02f, TLS_EXCHANGE_EPHEMERAL_GROUP, true, ""}, // ECDHE_RSA_WITH_AES_128_GCM_SHA256
    {0xc0a8, TLS_EXCHANGE_STATIC, true, ""}, // PSK_WITH_AES_128_CCM_8
    {0xc0aa, TLS_EXCHANGE_EPHEMERAL, true, ""}, // PSK_DHE_WITH_AES_128_CCM_8
    {0xc0b0, TLS_EXCHANGE_EPHEMERAL_GROUP, true, ""}, // ECCPWD_WITH_AES_128_GCM_SHA256
    {0xc0b4, TLS_EXCHANGE_BY_EXTENSION, false, "no_encryption"}, // SHA256_SHA256
    {0xc101, TLS_EXCHANGE_STATIC, false, "short_block"}, // GOSTR341112_256_WITH_MAGMA_CTR_OMAC
    {0xc103, TLS_EXCHANGE_STATIC, true, ""}, // GOSTR341112_256_WITH_KUZNYECHIK_MGM_L
    {0xcca8, TLS_EXCHANGE_EPHEMERAL_GROUP, true, ""}, // ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256
    {0xfeff, TLS_EXCHANGE_STATIC, false, "3des short_block"}, // SSL_RSA_FIPS_WITH_3DES_EDE_CBC_SHA
};

static const char *weaknesses(struct tls_suite suite)
{
	static char text[256];
	text[0] = '\0';
	for (unsigned weakness = 0; weakness < TLS_WEAKNESSES; weakness++) {
		if (!(suite.weaknesses >> weakness & 1))
			continue;
		if (text[0] != '\0')
			strcat(text, " ");
		strcat(text, tls_weakness_name((enum tls_weakness)weakness));
	}
	return text;
}

static void suites(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct tls_suite suite = tls_suite_of(table[i].cipher);
		if (!suite.known || suite.exchange != table[i].exchange ||
		    suite.aead != table[i].aead ||
		    strcmp(weaknesses(suite), table[i].weaknesses) != 0)
			fail_msg("%s: exchange %d, aead %d, weaknesses %s",
			    tls_cipher_name(table[i].cipher), suite.exchange, suite.aead,
			    weaknesses(suite));
	}
}

static void no_suites(void **state)
{
	(void)state;
	assert_false(tls_suite_of(0x00ff).known); // signals, no suites
	assert_false(tls_suite_of(0x5600).known);
	assert_false(tls_suite_of(0x0a0a).known);
	assert_false(tls_suite_of(0xfefd).known);
	assert_false(tls_suite_of_sslv2(0x123456).known);
}

static void sslv2_kinds(void **state)
{
	static const struct {
		uint32_t kind;
		const char *weaknesses;
	} kinds[] = {
	    {0x010080, "rc4 md5"},
	    {0x020080, "export rc4 md5"},
	    {0x030080, "rc2 short_block md5"},
	    {0x040080, "export rc2 short_block md5"},
	    {0x050080, "short_block md5"}, // IDEA
	    {0x060040, "des short_block md5"},
	    {0x0700c0, "3des short_block md5"},
	    {0x0701c0, "3des short_block"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		struct tls_suite suite = tls_suite_of_sslv2(kinds[i].kind);
		assert_true(suite.known);
		assert_false(suite.aead);
		assert_int_equal(suite.exchange, TLS_EXCHANGE_STATIC);
		assert_string_equal(weaknesses(suite), kinds[i].weaknesses);
	}
}

static enum tls_exchange exchange_of(const SSL_CIPHER *cipher)
{
	switch (SSL_CIPHER_get_kx_nid(cipher)) {
	case NID_kx_ecdhe:
	case NID_kx_ecdhe_psk:
		return TLS_EXCHANGE_EPHEMERAL_GROUP;
	case NID_kx_dhe:
	case NID_kx_dhe_psk:
	case NID_kx_srp:
		return TLS_EXCHANGE_EPHEMERAL;
	case NID_kx_any:
		return TLS_EXCHANGE_BY_EXTENSION;
	default:
		return TLS_EXCHANGE_STATIC;
	}
}

static void as_openssl_knows_them(void **state)
{
	SSL_CTX *context = SSL_CTX_new(TLS_method());
	unsigned compared = 0;
	(void)state;
	assert_non_null(context);
	SSL_CTX_set_security_level(context, 0);
	assert_true(SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL:@SECLEVEL=0"));
	STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(context);
	for (int i = 0; i < sk_SSL_CIPHER_num(list); i++, compared++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(list, i);
		struct tls_suite suite = tls_suite_of(SSL_CIPHER_get_protocol_id(cipher));
		bool anonymous = SSL_CIPHER_get_auth_nid(cipher) == NID_auth_null;
		bool plain = SSL_CIPHER_get_cipher_nid(cipher) == NID_undef;
		bool same = suite.aead == SSL_CIPHER_is_aead(cipher) &&
		            suite.exchange == exchange_of(cipher) &&
		            (suite.weaknesses >> TLS_WEAK_ANONYMOUS & 1) == anonymous &&
		            (suite.weaknesses >> TLS_WEAK_NO_ENCRYPTION & 1) == plain;
		if (!suite.known || !same)
			fail_msg("%s", SSL_CIPHER_standard_name(cipher));
	}
	assert_true(compared > 100);
	SSL_CTX_free(context);
}

// Also where two have one place.
static void what_is_remembered(void **state)
{
	static const uint16_t ciphers[] = {
	    0xc02f, 0xc02f, 0x002f, 0xc02f, 0x0000, 0x0000, 0x00ff, 0x00ff};
	struct tls_suite_memory memory = {0};
	(void)state;
	for (size_t i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++) {
		struct tls_suite suite = tls_suite_of(ciphers[i]);
		struct tls_suite recalled = tls_suite_recall(&memory, ciphers[i]);
		assert_int_equal(recalled.known, suite.known);
		assert_int_equal(recalled.aead, suite.aead);
		assert_int_equal(recalled.exchange, suite.exchange);
		assert_int_equal(recalled.weaknesses, suite.weaknesses);
	}
}

static void groups(void **state)
{
	(void)state;
	for (unsigned group = 0; group < TLS_POST_QUANTUM_FIRST; group++)
		assert_true(tls_group_post_quantum((uint16_t)group) <= POST_QUANTUM_NONE);
	assert_int_equal(tls_group_post_quantum(29), POST_QUANTUM_NONE); // x25519
	assert_int_equal(tls_group_post_quantum(256), POST_QUANTUM_NONE); // ffdhe2048
	assert_int_equal(tls_group_post_quantum(65281), POST_QUANTUM_NONE);
	assert_int_equal(tls_group_post_quantum(512), POST_QUANTUM_PURE); // MLKEM512
	assert_int_equal(tls_group_post_quantum(514), POST_QUANTUM_PURE);
	assert_int_equal(tls_group_post_quantum(4587), POST_QUANTUM_HYBRID); // SecP256r1MLKEM768
	assert_int_equal(tls_group_post_quantum(4588), POST_QUANTUM_HYBRID); // X25519MLKEM768
	assert_int_equal(tls_group_post_quantum(4589), POST_QUANTUM_HYBRID);
	assert_int_equal(
	    tls_group_post_quantum(25497), POST_QUANTUM_HYBRID); // X25519Kyber768Draft00
	assert_int_equal(tls_group_post_quantum(25498), POST_QUANTUM_HYBRID);
	assert_int_equal(tls_group_post_quantum(0xfe31), POST_QUANTUM_NOT_SEEN); // private use
	assert_int_equal(tls_group_post_quantum(0x0a0a), POST_QUANTUM_NOT_SEEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(suites),
	    cmocka_unit_test(no_suites),
	    cmocka_unit_test(sslv2_kinds),
	    cmocka_unit_test(as_openssl_knows_them),
	    cmocka_unit_test(what_is_remembered),
	    cmocka_unit_test(groups),
	};
	return cmocka_run_group_tests_name("tls_suite", tests, NULL, NULL);
}
