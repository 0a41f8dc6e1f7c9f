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

// Some of a provider's algorithms, and an empty one at the end.
struct algorithms {
	OSSL_ALGORITHM list[ALGORITHMS_MAX + 1];
	size_t count;
};

static struct {
	pthread_once_t once;
	OSSL_PROVIDER *all; // the default provider, in a context of its own
	struct algorithms decoders; // of public keys
	struct algorithms keys; // kinds of keys that one of these decodes
	OSSL_LIB_CTX *context;
} made = {.once = PTHREAD_ONCE_INIT};

// A provider's answer to what it has of a kind (provider-base(7)).
static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	if (operation == OSSL_OP_DECODER)
		return made.decoders.list;
	if (operation == OSSL_OP_KEYMGMT)
		return made.keys.list;
	return OSSL_PROVIDER_query_operation(made.all, operation, no_cache);
}

static int begin_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
    const OSSL_DISPATCH **functions, void **provider)
{
	static const OSSL_DISPATCH own[] = {
	    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query}, {0, NULL}};
	(void)handle, (void)core;
	*functions = own;
	*provider = OSSL_PROVIDER_get0_provider_ctx(made.all);
	return 1;
}

static bool decodes_public_keys(const OSSL_ALGORITHM *decoder)
{
	return strstr(decoder->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

// By the first of its names, as decoders have one.
static bool is_decoded(const OSSL_ALGORITHM *key)
{
	size_t length = strcspn(key->algorithm_names, ":");
	for (size_t i = 0; i < made.decoders.count; i++) {
		const char *name = made.decoders.list[i].algorithm_names;
		if (strlen(name) == length && memcmp(name, key->algorithm_names, length) == 0)
			return true;
	}
	return false;
}

// False: there are none, or more than there is room for.
static bool choose(
    int operation, bool (*wanted)(const OSSL_ALGORITHM *one), struct algorithms *chosen)
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

static bool choose_algorithms(void)
{
	return choose(OSSL_OP_DECODER, decodes_public_keys, &made.decoders) &&
	       choose(OSSL_OP_KEYMGMT, is_decoded, &made.keys);
}

static void make(void)
{
	static const char name[] = "mailtap";
	OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new(), *context = OSSL_LIB_CTX_new();
	if (whole != NULL && context != NULL)
		made.all = OSSL_PROVIDER_load(whole, "default");
	if (made.all != NULL && choose_algorithms() &&
	    OSSL_PROVIDER_add_builtin(context, name, begin_provider) == 1 &&
	    OSSL_PROVIDER_load(context, name) != NULL) {
		made.context = context;
		return;
	}
	ERR_clear_error();
	OSSL_LIB_CTX_free(context);
	OSSL_LIB_CTX_free(whole);
}

OSSL_LIB_CTX *certificate_context(void)
{
	(void)pthread_once(&made.once, make);
	return made.context;
}
