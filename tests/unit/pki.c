// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/pki.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEYS_MAX = 64 };

struct made {
	X509 *certificate; // without the damage
	uint8_t *der;
	size_t length;
};

struct pki {
	const struct pki_certificate *certificates;
	const struct pki_crl *crls;
	size_t certificate_count, crl_count;
	struct made *made, *made_crls;
	const char *key_names[KEYS_MAX];
	EVP_PKEY *keys[KEYS_MAX];
};

int64_t pki_time(const char *text)
{
	int number[6] = {1970, 1, 1, 0, 0, 0};
	sscanf(text, "%4d%2d%2d%2d%2d%2d", &number[0], &number[1], &number[2], &number[3],
	    &number[4], &number[5]);
	struct tm broken_down = {.tm_year = number[0] - 1900,
	    .tm_mon = number[1] - 1,
	    .tm_mday = number[2],
	    .tm_hour = number[3],
	    .tm_min = number[4],
	    .tm_sec = number[5]};
	return timegm(&broken_down);
}

/* ---- keys ---- */

static EVP_PKEY *generate_dsa(unsigned bits)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL);
	EVP_PKEY *parameters = NULL, *key = NULL;
	assert_int_equal(EVP_PKEY_paramgen_init(context), 1);
	assert_int_equal(EVP_PKEY_CTX_set_dsa_paramgen_bits(context, (int)bits), 1);
	assert_int_equal(EVP_PKEY_paramgen(context, &parameters), 1);
	EVP_PKEY_CTX_free(context);
	context = EVP_PKEY_CTX_new(parameters, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(context), 1);
	assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(parameters);
	return key;
}

static EVP_PKEY *generate(const char *name)
{
	unsigned bits;
	if (sscanf(name, "rsa%u", &bits) == 1)
		return EVP_RSA_gen(bits);
	if (sscanf(name, "dsa%u", &bits) == 1)
		return generate_dsa(bits);
	if (strncmp(name, "p192", 4) == 0)
		return EVP_EC_gen("prime192v1");
	if (strncmp(name, "p224", 4) == 0)
		return EVP_EC_gen("secp224r1");
	if (strncmp(name, "p256", 4) == 0)
		return EVP_EC_gen("prime256v1");
	if (strncmp(name, "p384", 4) == 0)
		return EVP_EC_gen("secp384r1");
	if (strncmp(name, "ed25519", 7) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	fail_msg("%s: no such kind of key", name);
	return NULL;
}

static EVP_PKEY *key_of(struct pki *pki, const char *name)
{
	size_t i = 0;
	while (i < KEYS_MAX && pki->key_names[i] != NULL && strcmp(pki->key_names[i], name) != 0)
		i++;
	assert_true(i < KEYS_MAX);
	if (pki->key_names[i] == NULL) {
		pki->key_names[i] = name;
		pki->keys[i] = generate(name);
		assert_non_null(pki->keys[i]);
	}
	return pki->keys[i];
}

/* ---- certificates ---- */

static size_t index_of(const struct pki *pki, const char *name)
{
	for (size_t i = 0; i < pki->certificate_count; i++)
		if (strcmp(pki->certificates[i].name, name) == 0)
			return i;
	fail_msg("%s: no such certificate", name);
	return 0;
}

static void set_time(ASN1_TIME *time, const char *text)
{
	char full[] = "00000101000000Z";
	memcpy(full, text, strlen(text));
	assert_int_equal(ASN1_TIME_set_string_X509(time, full), 1);
}

static void set_name(X509_NAME *name, const char *text)
{
	int type = text[0] == '!' ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
	text += text[0] == '!';
	if (text[0] == '\0')
		return;
	assert_int_equal(
	    X509_NAME_add_entry_by_txt(name, "CN", type, (const unsigned char *)text, -1, -1, 0),
	    1);
}

typedef void add_extension(void *to, X509_EXTENSION *extension);

static void add_to_certificate(void *to, X509_EXTENSION *extension)
{
	assert_int_equal(X509_add_ext(to, extension, -1), 1);
}

static void add_to_crl(void *to, X509_EXTENSION *extension)
{
	assert_int_equal(X509_CRL_add_ext(to, extension, -1), 1);
}

static void add_extensions(void *to, add_extension *add, X509V3_CTX *context, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, '=');
		assert_non_null(value);
		*value++ = '\0';
		X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, context, line, value);
		if (extension == NULL)
			fail_msg("%s=%s: no such extension", line, value);
		add(to, extension);
		X509_EXTENSION_free(extension);
	}
	free(copy);
}

static struct made *make(struct pki *pki, size_t index);

static void sign(struct pki *pki, X509 *certificate, const struct pki_certificate *wanted)
{
	const struct pki_certificate *issuer =
	    wanted->issuer != NULL ? &pki->certificates[index_of(pki, wanted->issuer)] : wanted;
	EVP_PKEY *key =
	    key_of(pki, wanted->signing_key != NULL ? wanted->signing_key : issuer->key);
	const EVP_MD *digest = EVP_sha256();
	if (wanted->digest != NULL)
		digest = EVP_get_digestbyname(wanted->digest);
	if (EVP_PKEY_get_id(key) == EVP_PKEY_ED25519)
		digest = NULL;
	assert_true(X509_sign(certificate, key, digest) > 0);
}

static X509 *build(struct pki *pki, size_t index)
{
	const struct pki_certificate *wanted = &pki->certificates[index];
	X509 *certificate = X509_new();
	X509 *issuer = wanted->issuer != NULL
	                   ? make(pki, index_of(pki, wanted->issuer))->certificate
	                   : certificate;
	set_name(X509_get_subject_name(certificate), wanted->subject);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), index + 1);
	set_time(X509_getm_notBefore(certificate), wanted->from != NULL ? wanted->from : "2020");
	set_time(X509_getm_notAfter(certificate), wanted->until != NULL ? wanted->until : "2030");
	X509_set_pubkey(certificate, key_of(pki, wanted->key));
	if (wanted->extensions != NULL) {
		X509V3_CTX context;
		X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
		X509_set_version(certificate, X509_VERSION_3);
		add_extensions(certificate, add_to_certificate, &context, wanted->extensions);
	}
	sign(pki, certificate, wanted);
	return certificate;
}

static struct made *make(struct pki *pki, size_t index)
{
	struct made *made = &pki->made[index];
	if (made->certificate != NULL)
		return made;
	made->certificate = build(pki, index);
	int length = i2d_X509(made->certificate, &made->der);
	assert_true(length > 0);
	made->length = (size_t)length;
	if (pki->certificates[index].damage != NULL)
		pki->certificates[index].damage(&made->der, &made->length);
	return made;
}

struct view pki_der(struct pki *pki, const char *name)
{
	const struct made *made = make(pki, index_of(pki, name));
	return view_of(made->der, made->length);
}

/* ---- CRLs ---- */

static void add_entry(struct pki *pki, X509_CRL *crl, const char *text)
{
	char name[64], date[32];
	int reason = -1;
	assert_true(sscanf(text, "%63s %31s %d", name, date, &reason) >= 2);
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *time = ASN1_TIME_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_INTEGER_set_uint64(serial, index_of(pki, name) + 1);
	set_time(time, date);
	X509_REVOKED_set_serialNumber(entry, serial);
	X509_REVOKED_set_revocationDate(entry, time);
	if (reason >= 0) {
		ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
		ASN1_ENUMERATED_set(value, reason);
		assert_int_equal(X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0), 1);
		ASN1_ENUMERATED_free(value);
	}
	assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
	ASN1_TIME_free(time);
	ASN1_INTEGER_free(serial);
}

static X509_CRL *build_crl(struct pki *pki, const struct pki_crl *wanted)
{
	X509_CRL *crl = X509_CRL_new();
	size_t index = index_of(pki, wanted->issuer);
	X509 *issuer = make(pki, index)->certificate;
	ASN1_TIME *time = ASN1_TIME_new();
	set_time(time, wanted->update);
	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer));
	X509_CRL_set1_lastUpdate(crl, time);
	time_t next = (time_t)pki_time(wanted->update) + 30 * 86400;
	ASN1_TIME_set(time, next);
	X509_CRL_set1_nextUpdate(crl, time);
	ASN1_TIME_free(time);
	char *copy = strdup(wanted->entries), *rest = copy, *entry;
	while ((entry = strsep(&rest, ",")) != NULL && entry[0] != '\0')
		add_entry(pki, crl, entry);
	free(copy);
	if (wanted->extensions != NULL) {
		X509V3_CTX context;
		X509V3_set_ctx(&context, issuer, NULL, NULL, crl, 0);
		add_extensions(crl, add_to_crl, &context, wanted->extensions);
	}
	X509_CRL_sort(crl);
	EVP_PKEY *key =
	    key_of(pki, wanted->key != NULL ? wanted->key : pki->certificates[index].key);
	assert_true(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	return crl;
}

struct view pki_crl_der(struct pki *pki, const char *name)
{
	size_t i = 0;
	while (i < pki->crl_count && strcmp(pki->crls[i].name, name) != 0)
		i++;
	if (i == pki->crl_count)
		fail_msg("%s: no such CRL", name);
	struct made *made = &pki->made_crls[i];
	if (made->der == NULL) {
		X509_CRL *crl = build_crl(pki, &pki->crls[i]);
		int length = i2d_X509_CRL(crl, &made->der);
		assert_true(length > 0);
		made->length = (size_t)length;
		X509_CRL_free(crl);
	}
	return view_of(made->der, made->length);
}

/* ---- the whole ---- */

struct pki *pki_create(const struct pki_certificate *certificates, size_t certificate_count,
    const struct pki_crl *crls, size_t crl_count)
{
	struct pki *pki = calloc(1, sizeof *pki);
	assert_non_null(pki);
	pki->certificates = certificates;
	pki->certificate_count = certificate_count;
	pki->crls = crls;
	pki->crl_count = crl_count;
	pki->made = calloc(certificate_count, sizeof *pki->made);
	pki->made_crls = calloc(crl_count + 1, sizeof *pki->made_crls);
	return pki;
}

void pki_destroy(struct pki *pki)
{
	for (size_t i = 0; i < pki->certificate_count; i++) {
		X509_free(pki->made[i].certificate);
		OPENSSL_free(pki->made[i].der);
	}
	for (size_t i = 0; i < pki->crl_count; i++)
		OPENSSL_free(pki->made_crls[i].der);
	for (size_t i = 0; i < KEYS_MAX; i++)
		EVP_PKEY_free(pki->keys[i]);
	free(pki->made);
	free(pki->made_crls);
	free(pki);
}

void pki_write_pem(const char *path, const char *mode, const char *label, struct view der)
{
	FILE *file = fopen(path, mode);
	assert_non_null(file);
	assert_true(PEM_write(file, label, "", der.data, (long)der.length) > 0);
	assert_int_equal(fclose(file), 0);
}
