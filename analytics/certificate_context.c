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

// Whose decoders a context has.
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
	struct algorithms keys; // kinds of keys that one of these decodes
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
		return made.keys.list;
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

static const struct {
	const char *name; // of its decoder; NULL: all of them
	OSSL_provider_init_fn *begin;
} kinds[SHARES] = {
    [SHARE_RSA] = {"RSA", begin_rsa},
    [SHARE_EC] = {"EC", begin_ec},
    [SHARE_ALL] = {NULL, begin_all},
};

// By the first of its names, as decoders have one.
static bool is_called(const OSSL_ALGORITHM *algorithm, const char *name)
{
	size_t length = strcspn(algorithm->algorithm_names, ":");
	return strlen(name) == length && memcmp(name, algorithm->algorithm_names, length) == 0;
}

static bool decodes_public_keys(const OSSL_ALGORITHM *decoder, const char *name)
{
	return strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") != NULL &&
	       (name == NULL || is_called(decoder, name));
}

static bool is_decoded(const OSSL_ALGORITHM *key, const char *name)
{
	const struct algorithms *decoders = &made.decoders[SHARE_ALL];
	(void)name;
	for (size_t i = 0; i < decoders->count; i++)
		if (is_called(key, decoders->list[i].algorithm_names))
			return true;
	return false;
}

// False: there are none, or more than there is room for.
static bool choose(int operation, bool (*wanted)(const OSSL_ALGORITHM *one, const char *name),
    const char *name, struct algorithms *chosen)
{
	int no_cache;
	const OSSL_ALGORITHM *one = OSSL_PROVIDER_query_operation(made.all, operation, &no_cache);
	for (; one != NULL && one->algorithm_names != NULL; one++) {
		if (!wanted(one, name))
			continue;
		if (chosen->count == ALGORITHMS_MAX)
			return false;
		chosen->list[chosen->count++] = *one;
	}
	return chosen->count > 0;
}

static bool choose_algorithms(void)
{
	for (int share = 0; share < SHARES; share++)
		if (!choose(OSSL_OP_DECODER, decodes_public_keys, kinds[share].name,
		        &made.decoders[share]))
			return false;
	return choose(OSSL_OP_KEYMGMT, is_decoded, NULL, &made.keys);
}

/* ---- contexts ---- */

// NULL: the default context serves.
static OSSL_LIB_CTX *make_context(enum share share)
{
	static const char name[] = "mailtap";
	OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
	if (context != NULL && OSSL_PROVIDER_add_builtin(context, name, kinds[share].begin) == 1 &&
	    OSSL_PROVIDER_load(context, name) != NULL)
		return context;
	OSSL_LIB_CTX_free(context);
	return NULL;
}

static void make(void)
{
	made.all = OSSL_PROVIDER_try_load(NULL, "default", 1);
	if (made.all != NULL && choose_algorithms()) {
		for (int share = 0; share < SHARES; share++)
			made.contexts[share] = make_context((enum share)share);
	}
	ERR_clear_error();
}

OSSL_LIB_CTX *certificate_context(enum x509_key_type key)
{
	(void)pthread_once(&made.once, make);
	return made.contexts[key == X509_KEY_RSA  ? SHARE_RSA
	                     : key == X509_KEY_EC ? SHARE_EC
	                                          : SHARE_ALL];
}
