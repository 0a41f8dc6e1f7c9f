// SPDX-License-Identifier: Apache-2.0
#include "decode/certificate_announcer.h"

#include "capture/base/quick_hash.h"

#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	PLACES = 2048,
	HEADS = 1024,
	LONG = 8 * 1024, // bytes of a certificate from which on it counts against LONG_KEPT_MAX
	LONG_KEPT_MAX = 4 << 20, // bytes of long ones that are kept together
	TAIL = 64, // bytes at the end, the signature's most likely: they tell certificates apart
};

// The bytes of a certificate, for its place in the table and for those that compare theirs with it.
struct kept_der {
	uint32_t references;
	uint32_t length;
	uint8_t bytes[];
};

// A certificate that was handed on.
struct announced {
	struct kept_der *kept; // NULL: none, or its bytes are not kept
	size_t length; // 0: none
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
};

struct certificate_announcer {
	struct memory *memory;
	certificate_sink *sink;
	void *context;
	struct hash_key key;
	EVP_MD *sha256; // fetched once: that costs as much as the hash of a certificate
	EVP_MD_CTX *digest;
	size_t long_kept; // bytes
	size_t hand; // the place where the next long one to give way is looked for
	struct announced places[PLACES];
	uint16_t by_head[HEADS]; // the place of the last certificate that began like this
};

_Static_assert(PLACES <= UINT16_MAX, "by_head has numbers of places");

struct certificate_announcer *certificate_announcer_create(
    struct memory *memory, const struct hash_key *key, certificate_sink *sink, void *context)
{
	struct certificate_announcer *announcer = calloc(1, sizeof *announcer);
	if (announcer == NULL)
		return NULL;
	announcer->memory = memory;
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

static bool is_long(size_t length)
{
	return length > LONG;
}

static void let_go(struct certificate_announcer *announcer, struct kept_der *kept)
{
	if (--kept->references == 0)
		memory_give(announcer->memory, kept);
}

static void drop_bytes(struct certificate_announcer *announcer, struct announced *place)
{
	if (place->kept == NULL)
		return;
	if (is_long(place->length))
		announcer->long_kept -= place->length;
	let_go(announcer, place->kept);
	place->kept = NULL;
}

static void forget(struct certificate_announcer *announcer, struct announced *place)
{
	drop_bytes(announcer, place);
	*place = (struct announced){.kept = NULL};
}

void certificate_announcer_destroy(struct certificate_announcer *announcer)
{
	if (announcer == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		forget(announcer, &announcer->places[i]);
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

static struct announced *place_of(struct certificate_announcer *announcer, struct view der)
{
	size_t tail = der.length < TAIL ? der.length : TAIL;
	uint64_t hash = quick_hash(&announcer->key, der.data + der.length - tail, tail);
	return &announcer->places[(hash ^ der.length) % PLACES];
}

// The bytes of other long certificates give way, in turn; what is known of them stays.
static void make_room(struct certificate_announcer *announcer, const struct announced *spared)
{
	while (announcer->long_kept > LONG_KEPT_MAX) {
		struct announced *place = &announcer->places[announcer->hand++ % PLACES];
		if (place != spared && is_long(place->length))
			drop_bytes(announcer, place);
	}
}

static uint16_t *head_of(
    struct certificate_announcer *announcer, const uint8_t *beginning, size_t length)
{
	uint64_t hash = quick_hash(&announcer->key, beginning, CERTIFICATE_HEAD);
	return &announcer->by_head[(hash ^ length) % HEADS];
}

// Without memory they are not kept.
static void keep_bytes(
    struct certificate_announcer *announcer, struct announced *place, struct view der)
{
	struct kept_der *kept = memory_take(announcer->memory, sizeof *kept + der.length);
	place->kept = kept;
	if (kept == NULL)
		return;
	kept->references = 1;
	kept->length = (uint32_t)der.length;
	memcpy(kept->bytes, der.data, der.length);
	if (der.length >= CERTIFICATE_HEAD)
		*head_of(announcer, der.data, der.length) = (uint16_t)(place - announcer->places);
	if (is_long(der.length)) {
		announcer->long_kept += der.length;
		make_room(announcer, place);
	}
}

const uint8_t *certificate_recall(
    struct certificate_announcer *announcer, struct view beginning, size_t length)
{
	if (beginning.length < CERTIFICATE_HEAD || beginning.length > length)
		return NULL;
	struct kept_der *kept =
	    announcer->places[*head_of(announcer, beginning.data, length)].kept;
	if (kept == NULL || kept->length != length ||
	    memcmp(kept->bytes, beginning.data, beginning.length) != 0)
		return NULL;
	kept->references++;
	return kept->bytes;
}

void certificate_let_go(struct certificate_announcer *announcer, const uint8_t *der)
{
	let_go(announcer, (struct kept_der *)(uintptr_t)(der - offsetof(struct kept_der, bytes)));
}

static void remember(struct certificate_announcer *announcer, struct announced *place,
    struct view der, const uint8_t *sha256)
{
	forget(announcer, place);
	place->length = der.length;
	memcpy(place->sha256, sha256, CERTIFICATE_HASH_BYTES);
	keep_bytes(announcer, place, der);
}

// It may be the very same, which was compared as it came.
static bool is_same(const struct kept_der *kept, struct view der)
{
	return der.data == kept->bytes || memcmp(kept->bytes, der.data, der.length) == 0;
}

bool certificate_announce(struct certificate_announcer *announcer, struct view der,
    enum direction sender, unsigned position, nanoseconds time,
    uint8_t sha256[CERTIFICATE_HASH_BYTES])
{
	if (der.length == 0)
		return false;
	struct announced *place = place_of(announcer, der);
	bool same_length = place->length == der.length;
	if (same_length && place->kept != NULL && is_same(place->kept, der)) {
		memcpy(sha256, place->sha256, CERTIFICATE_HASH_BYTES);
		return true;
	}
	if (!hash(announcer, der, sha256))
		return false;
	if (same_length && memcmp(place->sha256, sha256, CERTIFICATE_HASH_BYTES) == 0) {
		if (place->kept == NULL)
			keep_bytes(announcer, place, der); // announced, its bytes had given way
		return true;
	}
	remember(announcer, place, der, sha256);
	if (announcer->sink != NULL) {
		struct shown_certificate shown = {sha256, der, sender, position, time};
		announcer->sink(announcer->context, &shown);
	}
	return true;
}
