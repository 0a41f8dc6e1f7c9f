// SPDX-License-Identifier: Apache-2.0
// A provider of our own that hands on what the default provider offers. Whatever it is asked for, OpenSSL gives it the
// default provider's context, as that is what the algorithms need; so what it hands on stands here, written once.
#include "analytics/certificate_context.h"

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { ALGORITHMS_MAX = 64 };

// What a context is for: certificates with such a key that are signed by RSA or ECDSA, or all.
enum share { SHARE_RSA, SHARE_EC, SHARE_ALL, SHARES };

// Some of a provider's algorithms, and an empty one at the end.
struct algorithms {
	OSSL_ALGORITHM list[ALGORITHMS_MAX + 1];
	size_t count;
};

static struct {
	pthread_once_t once;
	OSSL_PROVIDER *all; // the default context's default provider
	struct algorithms decoders[SHARES]; // of public keys
	struct algorithms keys[SHARES]; // kinds of keys
	OSSL_LIB_CTX *contexts[SHARES];
} made = {.once = PTHREAD_ONCE_INIT};

/* ---- providers ---- */

// A provider's answer to what it has of a kind (provider-base(7)).
static const OSSL_ALGORITHM *answer(enum share share, int operation, int *no_cache)
{
	*no_cache = 0;
	if (operation == OSSL_OP_DECODER)
		return made.decoders[share].list;
	if (operation == OSSL_OP_KEYMGMT)
		return made.keys[share].list;
	return OSSL_PROVIDER_query_operation(made.all, operation, no_cache);
}

// A function for each, as OpenSSL does not say which provider it asks.
static const OSSL_ALGORITHM *query_rsa(void *provider, int operation, int *no_cache)
{
	(void)provider;
	return answer(SHARE_RSA, operation, no_cache);
}

static const OSSL_ALGORITHM *query_ec(void *provider, int operation, int *no_cache)
{
	(void)provider;
	return answer(SHARE_EC, operation, no_cache);
}

static const OSSL_ALGORITHM *query_all(void *provider, int operation, int *no_cache)
{
	(void)provider;
	return answer(SHARE_ALL, operation, no_cache);
}

static int begin(OSSL_FUNC_provider_query_operation_fn *query, OSSL_DISPATCH own[2],
    const OSSL_DISPATCH **functions, void **provider)
{
	own[0] = (OSSL_DISPATCH){OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query};
	*functions = own;
	*provider = OSSL_PROVIDER_get0_provider_ctx(made.all);
	return 1;
}

static int begin_rsa(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
    const OSSL_DISPATCH **functions, void **provider)
{
	static OSSL_DISPATCH own[2];
	(void)handle, (void)core;
	return begin(query_rsa, own, functions, provider);
}

static int begin_ec(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
    const OSSL_DISPATCH **functions, void **provider)
{
	static OSSL_DISPATCH own[2];
	(void)handle, (void)core;
	return begin(query_ec, own, functions, provider);
}

static int begin_all(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
    const OSSL_DISPATCH **functions, void **provider)
{
	static OSSL_DISPATCH own[2];
	(void)handle, (void)core;
	return begin(query_all, own, functions, provider);
}

/* ---- what they hand on ---- */

// By the first of its names, as decoders have one.
static bool is_called(const OSSL_ALGORITHM *algorithm, const char *name)
{
	size_t length = strcspn(algorithm->algorithm_names, ":");
	return strlen(name) == length && memcmp(name, algorithm->algorithm_names, length) == 0;
}

static bool decodes_public_keys(const OSSL_ALGORITHM *decoder)
{
	return strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

static bool decodes_rsa(const OSSL_ALGORITHM *decoder)
{
	return decodes_public_keys(decoder) && is_called(decoder, "RSA");
}

static bool decodes_ec(const OSSL_ALGORITHM *decoder)
{
	return decodes_public_keys(decoder) && is_called(decoder, "EC");
}

static bool is_decoded(const OSSL_ALGORITHM *key)
{
	const struct algorithms *decoders = &made.decoders[SHARE_ALL];
	for (size_t i = 0; i < decoders->count; i++)
		if (is_called(key, decoders->list[i].algorithm_names))
			return true;
	return false;
}

// Makes such signatures.
static bool is_rsa_or_ec(const OSSL_ALGORITHM *key)
{
	return is_called(key, "RSA") || is_called(key, "RSA-PSS") || is_called(key, "EC");
}

typedef bool chooser(const OSSL_ALGORITHM *one);

// SHARE_ALL first, whose decoders its keys go by.
static const struct {
	enum share share;
	chooser *decoders, *keys;
	OSSL_provider_init_fn *begin;
} kinds[SHARES] = {
    {SHARE_ALL, decodes_public_keys, is_decoded, begin_all},
    {SHARE_RSA, decodes_rsa, is_rsa_or_ec, begin_rsa},
    {SHARE_EC, decodes_ec, is_rsa_or_ec, begin_ec},
};

// False: there are none, or more than there is room for.
static bool choose(int operation, chooser *wanted, struct algorithms *chosen)
{
	int no_cache;
	const OSSL_ALGORITHM *one = OSSL_PROVIDER_query_operation(made.all, operation, &no_cache);
	for (; one != NULL && one->algorithm_names != NULL; one++) {
		if (!wanted(one))
			continue;
		if (chosen->count == ALGORITHMS_MAX)
			return false;
		chosen->list[chosen->count++] = *one;
	}
	return chosen->count > 0;
}

/* ---- contexts ---- */

// NULL: the default context serves.
static OSSL_LIB_CTX *make_context(OSSL_provider_init_fn *begin_it)
{
	static const char name[] = "mailtap";
	OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
	if (context != NULL && OSSL_PROVIDER_add_builtin(context, name, begin_it) == 1 &&
	    OSSL_PROVIDER_load(context, name) != NULL)
		return context;
	OSSL_LIB_CTX_free(context);
	return NULL;
}

static void make(void)
{
	made.all = OSSL_PROVIDER_try_load(NULL, "default", 1);
	for (size_t i = 0; made.all != NULL && i < SHARES; i++) {
		enum share share = kinds[i].share;
		if (choose(OSSL_OP_DECODER, kinds[i].decoders, &made.decoders[share]) &&
		    choose(OSSL_OP_KEYMGMT, kinds[i].keys, &made.keys[share]))
			made.contexts[share] = make_context(kinds[i].begin);
	}
	ERR_clear_error();
}

static bool starts(struct view oid, const void *with, size_t length)
{
	return oid.length >= length && memcmp(oid.data, with, length) == 0;
}

// PKCS #1 (RFC 8017), or X9.62 4 (RFC 5758).
static bool is_signed_by_rsa_or_ec(const struct x509 *facts)
{
	static const uint8_t rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01};
	static const uint8_t ecdsa[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04};
	return starts(facts->signature_oid, rsa, sizeof rsa) ||
	       starts(facts->signature_oid, ecdsa, sizeof ecdsa);
}

OSSL_LIB_CTX *certificate_context(const struct x509 *facts)
{
	enum share share = SHARE_ALL;
	(void)pthread_once(&made.once, make);
	if (facts->key_type == X509_KEY_RSA && is_signed_by_rsa_or_ec(facts))
		share = SHARE_RSA;
	if (facts->key_type == X509_KEY_EC && is_signed_by_rsa_or_ec(facts))
		share = SHARE_EC;
	return made.contexts[share];
}
