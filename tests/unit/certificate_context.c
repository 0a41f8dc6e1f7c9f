// SPDX-License-Identifier: Apache-2.0
// The context that certificates are parsed in does with each kind of key what OpenSSL's default context does.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytics/certificate_context.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

static EVP_PKEY *key_of_kind(const char *kind, const char *curve)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;
	assert_non_null(context);
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	if (curve != NULL)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(context, curve), 1);
	assert_int_equal(EVP_PKEY_generate(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	return key;
}

// A certificate of that key, signed with another. To be freed by OPENSSL_free.
static unsigned char *certificate_with(
    EVP_PKEY *key, EVP_PKEY *signer, const EVP_MD *digest, long *length)
{
	X509 *certificate = X509_new();
	unsigned char *der = NULL;
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 1000);
	assert_int_equal(X509_set_pubkey(certificate, key), 1);
	assert_true(X509_sign(certificate, signer, digest) > 0);
	*length = i2d_X509(certificate, &der);
	assert_true(*length > 0);
	X509_free(certificate);
	return der;
}

static OSSL_LIB_CTX *context_of(const unsigned char *der, long length)
{
	struct x509 facts;
	x509_read(view_of(der, (size_t)length), &facts);
	assert_non_null(facts.spki.data);
	assert_non_null(facts.signature_oid.data);
	return certificate_context(&facts);
}

static void check(const char *kind, const char *curve, const EVP_MD *digest)
{
	EVP_PKEY *key = key_of_kind(kind, curve);
	long length;
	unsigned char *der = certificate_with(key, key, digest, &length);
	const unsigned char *at = der;
	X509 *parsed = X509_new_ex(context_of(der, length), NULL), *usual;
	assert_non_null(d2i_X509(&parsed, &at, length));
	assert_non_null(X509_get0_pubkey(parsed));
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(parsed), key), 1);
	assert_int_equal(X509_verify(parsed, X509_get0_pubkey(parsed)), 1);
	// Beside one of the default context, as issuers and those that they sign.
	at = der;
	usual = d2i_X509(NULL, &at, length);
	assert_int_equal(X509_verify(parsed, X509_get0_pubkey(usual)), 1);
	assert_int_equal(X509_verify(usual, X509_get0_pubkey(parsed)), 1);
	// A signature that is not its own.
	der[length - 1] ^= 1;
	X509_free(parsed);
	parsed = X509_new_ex(context_of(der, length), NULL);
	at = der;
	assert_non_null(d2i_X509(&parsed, &at, length));
	assert_int_not_equal(X509_verify(parsed, X509_get0_pubkey(usual)), 1);
	X509_free(parsed);
	X509_free(usual);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
}

static void it_is_there(void **state)
{
	(void)state;
	for (int type = 0; type < X509_KEY_TYPES; type++) {
		const struct x509 facts = {.key_type = (enum x509_key_type)type};
		assert_non_null(certificate_context(&facts));
		assert_ptr_equal(certificate_context(&facts), certificate_context(&facts));
	}
}

static void rsa_keys(void **state)
{
	(void)state;
	check("RSA", NULL, EVP_sha256());
	check("RSA", NULL, EVP_sha1());
	check("RSA-PSS", NULL, EVP_sha512());
}

static void curve_keys(void **state)
{
	(void)state;
	check("EC", "P-256", EVP_sha256());
	check("EC", "P-384", EVP_sha384());
	check("EC", "P-521", EVP_sha512());
	check("EC", "secp256k1", EVP_sha256());
	check("EC", "brainpoolP256r1", EVP_sha256());
}

static void edwards_keys(void **state)
{
	(void)state;
	check("ED25519", NULL, NULL);
	check("ED448", NULL, NULL);
}

static X509 *parsed_with(EVP_PKEY *key, EVP_PKEY *signer, const EVP_MD *digest)
{
	long length;
	unsigned char *der = certificate_with(key, signer, digest, &length);
	const unsigned char *at = der;
	X509 *parsed = X509_new_ex(context_of(der, length), NULL);
	assert_non_null(d2i_X509(&parsed, &at, length));
	OPENSSL_free(der);
	return parsed;
}

// A certificate in the context of its own kind of key, signed by a key of another kind in the context of that.
static void issuers_of_other_kinds(void **state)
{
	static const struct {
		const char *kind, *curve;
		bool has_digest;
	} kinds[] = {{"RSA", NULL, true}, {"RSA-PSS", NULL, true}, {"EC", "P-256", true},
	    {"ED25519", NULL, false}};
	enum { KINDS = sizeof kinds / sizeof kinds[0] };
	EVP_PKEY *keys[KINDS];
	X509 *parsed[KINDS][KINDS];
	(void)state;
	for (size_t i = 0; i < KINDS; i++)
		keys[i] = key_of_kind(kinds[i].kind, kinds[i].curve);
	for (size_t of = 0; of < KINDS; of++)
		for (size_t by = 0; by < KINDS; by++)
			parsed[of][by] = parsed_with(
			    keys[of], keys[by], kinds[by].has_digest ? EVP_sha256() : NULL);
	for (size_t of = 0; of < KINDS; of++)
		for (size_t by = 0; by < KINDS; by++)
			for (size_t key = 0; key < KINDS; key++)
				assert_int_equal(X509_verify(parsed[of][by],
				                     X509_get0_pubkey(parsed[key][0])) == 1,
				    key == by);
	for (size_t i = 0; i < KINDS; i++)
		EVP_PKEY_free(keys[i]);
	for (size_t i = 0; i < KINDS * KINDS; i++)
		X509_free(parsed[i / KINDS][i % KINDS]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_is_there),
	    cmocka_unit_test(rsa_keys),
	    cmocka_unit_test(curve_keys),
	    cmocka_unit_test(edwards_keys),
	    cmocka_unit_test(issuers_of_other_kinds),
	};
	return cmocka_run_group_tests_name("certificate_context", tests, NULL, NULL);
}
