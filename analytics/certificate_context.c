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

enum { DECODERS_MAX = 64 };

static struct {
	pthread_once_t once;
	OSSL_PROVIDER *all; // the default provider, in a context of its own
	OSSL_ALGORITHM decoders[DECODERS_MAX + 1]; // of public keys, and an empty one at the end
	OSSL_LIB_CTX *context;
} made = {.once = PTHREAD_ONCE_INIT};

// A provider's answer to what it has of a kind (provider-base(7)).
static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	if (operation == OSSL_OP_DECODER) {
		*no_cache = 0;
		return made.decoders;
	}
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

// False: there are none, or more than there is room for.
static bool choose_decoders(void)
{
	int no_cache;
	const OSSL_ALGORITHM *one =
	    OSSL_PROVIDER_query_operation(made.all, OSSL_OP_DECODER, &no_cache);
	size_t count = 0;
	for (; one != NULL && one->algorithm_names != NULL; one++) {
		if (strstr(one->property_definition, "structure=SubjectPublicKeyInfo") == NULL)
			continue;
		if (count == DECODERS_MAX)
			return false;
		made.decoders[count++] = *one;
	}
	return count > 0;
}

static void make(void)
{
	static const char name[] = "mailtap";
	OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new(), *context = OSSL_LIB_CTX_new();
	if (whole != NULL && context != NULL)
		made.all = OSSL_PROVIDER_load(whole, "default");
	if (made.all != NULL && choose_decoders() &&
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
