// SPDX-License-Identifier: Apache-2.0
#include "analytics/crl_store.h"

#include "analytics/name_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SHA256_SIZE = 32,
	// Hashing a list is what checking its signature costs. Somebody without a certificate from an
	// anchor can have that done over and over, so only up to this size (bytes).
	UNTRUSTED_MAX = 256 << 10,
};

struct crl {
	X509_CRL *parsed;
	uint64_t issuer_key;
	size_t size; // bytes of DER
	int64_t this_update;
	bool complete; // for all certificates of the issuer: neither a delta nor a part
	// The key (hash of its SubjectPublicKeyInfo) last found to have signed it, and not to have.
	bool has_signer, has_stranger;
	uint8_t signer[SHA256_SIZE], stranger[SHA256_SIZE];
};

struct crl_store {
	struct hash_key key;
	struct crl *crls; // by issuer_key
	size_t count, capacity;
};

// What a list says of a certificate.
enum listing {
	NOT_LISTED,
	LISTED,
	ON_HOLD,
	REMOVED, // a delta takes it off
};

/* ---- reading ---- */

static bool read_time(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm broken_down;
	if (time == NULL || ASN1_TIME_to_tm(time, &broken_down) != 1)
		return false;
	*seconds = timegm(&broken_down);
	return true;
}

static uint64_t key_of(const struct crl_store *store, const X509_NAME *name)
{
	const unsigned char *der;
	size_t length;
	if (X509_NAME_get0_der(name, &der, &length) != 1)
		return 0;
	return name_key(&store->key, view_of(der, length));
}

// RFC 5280 5.2: a list with a critical extension that is not understood must not be used.
static bool is_understood(const X509_CRL *crl)
{
	for (int i = 0; i < X509_CRL_get_ext_count(crl); i++) {
		X509_EXTENSION *extension = X509_CRL_get_ext(crl, i);
		int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
		if (X509_EXTENSION_get_critical(extension) && kind != NID_delta_crl &&
		    kind != NID_issuing_distribution_point && kind != NID_crl_number &&
		    kind != NID_authority_key_identifier && kind != NID_issuer_alt_name)
			return false;
	}
	return true;
}

static bool make_room(struct crl_store *store)
{
	if (store->count < store->capacity)
		return true;
	size_t capacity = store->capacity > 0 ? 2 * store->capacity : 16;
	struct crl *more = realloc(store->crls, capacity * sizeof *more);
	if (more == NULL)
		return false;
	store->crls = more;
	store->capacity = capacity;
	return true;
}

bool crl_store_add(struct crl_store *store, struct view der)
{
	const uint8_t *end = der.data;
	struct crl crl = {.parsed = d2i_X509_CRL(NULL, &end, (long)der.length)};
	bool good = crl.parsed != NULL && end == der.data + der.length &&
	            read_time(X509_CRL_get0_lastUpdate(crl.parsed), &crl.this_update) &&
	            is_understood(crl.parsed) && make_room(store);
	ERR_clear_error();
	if (!good) {
		X509_CRL_free(crl.parsed);
		return false;
	}
	crl.issuer_key = key_of(store, X509_CRL_get_issuer(crl.parsed));
	crl.size = der.length;
	crl.complete = X509_CRL_get_ext_by_NID(crl.parsed, NID_delta_crl, -1) < 0 &&
	               X509_CRL_get_ext_by_NID(crl.parsed, NID_issuing_distribution_point, -1) < 0;
	store->crls[store->count++] = crl;
	return true;
}

static int compare(const void *one, const void *other)
{
	const struct crl *a = one, *b = other;
	return a->issuer_key < b->issuer_key ? -1 : a->issuer_key > b->issuer_key;
}

void crl_store_prepare(struct crl_store *store)
{
	if (store->count > 0)
		qsort(store->crls, store->count, sizeof *store->crls, compare);
}

struct crl_store *crl_store_create(void)
{
	struct crl_store *store = calloc(1, sizeof *store);
	if (store != NULL)
		store->key = hash_key_random();
	return store;
}

void crl_store_destroy(struct crl_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->count; i++)
		X509_CRL_free(store->crls[i].parsed);
	free(store->crls);
	free(store);
}

/* ---- asking ---- */

// The lists of one issuer, as found by its key.
struct lists {
	struct crl *first, *end;
};

static struct lists lists_of(const struct crl_store *store, uint64_t key)
{
	size_t low = 0, high = store->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (store->crls[middle].issuer_key < key)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < store->count && store->crls[high].issuer_key == key; high++)
		;
	return (struct lists){store->crls + low, store->crls + high};
}

static bool hash_key_of(X509 *certificate, uint8_t hash[SHA256_SIZE])
{
	unsigned char *der = NULL;
	int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
	if (length <= 0)
		return false;
	bool good = EVP_Digest(der, (size_t)length, hash, NULL, EVP_sha256(), NULL) == 1;
	OPENSSL_free(der);
	return good;
}

// The question: a certificate, and who issued it.
struct question {
	X509 *certificate, *issuer;
	int64_t at;
	bool trusted;
	uint8_t key_hash[SHA256_SIZE]; // of the issuer's key
};

// True if the issuer signed the list, and may.
static bool is_signed(struct crl *crl, const struct question *question)
{
	if (X509_NAME_cmp(X509_CRL_get_issuer(crl->parsed),
	        X509_get_issuer_name(question->certificate)) != 0 ||
	    !(X509_get_key_usage(question->issuer) & KU_CRL_SIGN) ||
	    (crl->size > UNTRUSTED_MAX && !question->trusted))
		return false;
	if (crl->has_signer && memcmp(crl->signer, question->key_hash, SHA256_SIZE) == 0)
		return true;
	if (crl->has_stranger && memcmp(crl->stranger, question->key_hash, SHA256_SIZE) == 0)
		return false;
	EVP_PKEY *key = X509_get0_pubkey(question->issuer);
	bool good = key != NULL && X509_CRL_verify(crl->parsed, key) == 1;
	ERR_clear_error();
	*(good ? &crl->has_signer : &crl->has_stranger) = true;
	memcpy(good ? crl->signer : crl->stranger, question->key_hash, SHA256_SIZE);
	return good;
}

static bool is_hold(X509_REVOKED *entry)
{
	ASN1_ENUMERATED *reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	bool hold = reason != NULL && ASN1_ENUMERATED_get(reason) == CRL_REASON_CERTIFICATE_HOLD;
	ASN1_ENUMERATED_free(reason);
	return hold;
}

// *since: when it was revoked. An entry whose date cannot be read says nothing.
static enum listing look_up(const struct crl *crl, X509 *certificate, int64_t *since)
{
	X509_REVOKED *entry = NULL;
	int found = X509_CRL_get0_by_cert(crl->parsed, &entry, certificate);
	if (found == 2)
		return REMOVED;
	if (found != 1 || !read_time(X509_REVOKED_get0_revocationDate(entry), since))
		return NOT_LISTED;
	return is_hold(entry) ? ON_HOLD : LISTED;
}

// True if a list that came out after `held`, but not after the moment in question, takes the
// certificate off hold.
static bool is_released(struct lists lists, const struct crl *held, const struct question *question,
    struct time_span *span)
{
	bool released = false;
	for (struct crl *later = lists.first; later < lists.end; later++) {
		int64_t since;
		if (later->this_update <= held->this_update || !is_signed(later, question))
			continue;
		enum listing listing = look_up(later, question->certificate, &since);
		if (listing != REMOVED && (listing != NOT_LISTED || !later->complete))
			continue;
		time_span_cut(span, question->at, later->this_update);
		released = released || later->this_update <= question->at;
	}
	return released;
}

bool crl_store_revoked(struct crl_store *store, X509 *certificate, X509 *issuer, int64_t at,
    bool trusted, struct time_span *span)
{
	struct question question = {
	    .certificate = certificate, .issuer = issuer, .at = at, .trusted = trusted};
	if (store->count == 0)
		return false;
	struct lists lists = lists_of(store, key_of(store, X509_get_issuer_name(certificate)));
	if (lists.first == lists.end || !hash_key_of(issuer, question.key_hash))
		return false;
	bool revoked = false;
	for (struct crl *crl = lists.first; crl < lists.end; crl++) {
		int64_t since;
		enum listing listing = look_up(crl, certificate, &since);
		if ((listing != LISTED && listing != ON_HOLD) || !is_signed(crl, &question))
			continue;
		time_span_cut(span, at, since);
		if (since <= at)
			revoked = revoked || listing == LISTED ||
			          !is_released(lists, crl, &question, span);
	}
	return revoked;
}
