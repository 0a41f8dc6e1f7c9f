// SPDX-License-Identifier: Apache-2.0
#include "decode/certificate_announcer.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 4096 };

struct certificate_announcer {
	certificate_sink *sink;
	void *context;
	struct hash_key key;
	EVP_MD *sha256; // fetched once: that costs more than the hash of a certificate
	EVP_MD_CTX *digest;
	bool taken[PLACES];
	uint8_t announced[PLACES][CERTIFICATE_HASH_BYTES];
};

struct certificate_announcer *certificate_announcer_create(
    const struct hash_key *key, certificate_sink *sink, void *context)
{
	struct certificate_announcer *announcer = calloc(1, sizeof *announcer);
	if (announcer == NULL)
		return NULL;
	announcer->sink = sink;
	announcer->context = context;
	announcer->key = *key;
	announcer->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	announcer->digest = EVP_MD_CTX_new();
	if (announcer->sha256 != NULL && announcer->digest != NULL)
		return announcer;
	certificate_announcer_destroy(announcer);
	return NULL;
}

void certificate_announcer_destroy(struct certificate_announcer *announcer)
{
	if (announcer == NULL)
		return;
	EVP_MD_CTX_free(announcer->digest);
	EVP_MD_free(announcer->sha256);
	free(announcer);
}

static bool hash(struct certificate_announcer *announcer, struct view der, uint8_t *sha256)
{
	return EVP_DigestInit_ex2(announcer->digest, announcer->sha256, NULL) &&
	       EVP_DigestUpdate(announcer->digest, der.data, der.length) &&
	       EVP_DigestFinal_ex(announcer->digest, sha256, NULL);
}

// Remembers a certificate. False: it was remembered already.
static bool is_new(struct certificate_announcer *announcer, const uint8_t *sha256)
{
	size_t place =
	    hash_bytes(&announcer->key, sha256, CERTIFICATE_HASH_BYTES) % (uint64_t)PLACES;
	uint8_t *announced = announcer->announced[place];
	if (announcer->taken[place] && memcmp(announced, sha256, CERTIFICATE_HASH_BYTES) == 0)
		return false;
	announcer->taken[place] = true;
	memcpy(announced, sha256, CERTIFICATE_HASH_BYTES);
	return true;
}

bool certificate_announce(struct certificate_announcer *announcer, struct view der,
    enum direction sender, unsigned position, nanoseconds time,
    uint8_t sha256[CERTIFICATE_HASH_BYTES])
{
	if (!hash(announcer, der, sha256))
		return false;
	if (announcer->sink != NULL && is_new(announcer, sha256)) {
		struct shown_certificate shown = {sha256, der, sender, position, time};
		announcer->sink(announcer->context, &shown);
	}
	return true;
}
