// SPDX-License-Identifier: Apache-2.0
// The certificates of a run: a hash table by SHA-256 and one of issuers by subject, both of a size fixed
// by the limit; entries are in the order of their use. What OpenSSL parsed is several times the size of
// a certificate, and of one made for it fifty times: it is kept for issuers that were vouched for,
// which verify others again and again, and of these only the last ones used; all else is given back in
// the next trim.
#include "analytics/certificate_store.h"

#include "analytics/certificate_context.h"
#include "analytics/name_key.h"
#include "capture/base/hash.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum {
	BYTES_PER_BUCKET = 1024, // of the limit
	BUCKETS_MIN = 64,
	MEMORY_SHARE = 8, // the hashes of evicted ones have an eighth of the limit
	SET_SIZE = 8, // hashes that share a place there
	LARGEST_SHARE = 4, // no certificate may have more than a quarter of the limit
	PARSED_KEPT_MAX = 256, // issuers
	PARSED_KEPT_DER_MAX = 4096, // bytes
	PARSED_BYTES = 4096, // of a parsed certificate, and
	PARSED_BYTES_PER_BYTE = 4, // for each of its DER: on average, in OpenSSL 3.0
	ISSUERS_LOOKED_AT = 64, // in a bucket, of either kind
	EXPONENT_BITS_MAX = 64, // of an RSA key that is used
};

struct entry {
	struct certificate certificate; // first: what is handed out
	struct entry *next; // in its bucket
	struct entry *older, *newer; // by use
	struct entry *next_issuer, *previous_issuer; // in its bucket of issuers
	struct entry *next_parsed, *previous_parsed; // by use
	uint64_t subject_key, number;
	X509 *parsed;
	bool issuer, vouched, unreadable;
	uint64_t parsed_in; // the last turn in which `parsed` was asked for
	uint8_t der[];
};

// Issuers of subjects that share a bucket.
struct issuers {
	struct entry *vouched, *others; // newest first
};

struct certificate_store {
	struct hash_key key;
	size_t limit; // bytes of entries and of what OpenSSL parsed
	struct entry **buckets;
	struct issuers *issuers;
	size_t bucket_count; // of both, a power of two
	uint64_t *evicted; // sets of SET_SIZE hashes, 0: free; allocated with the first eviction
	size_t evicted_sets; // a power of two
	struct entry *oldest, *newest;
	struct entry *parsed_oldest, *parsed_newest;
	size_t parsed_count;
	uint64_t turn; // trims so far
	uint64_t last_number;
	struct certificate_store_counters counters;
};

/* ---- what was evicted ---- */

static uint64_t hash_of(const struct certificate_store *store, const uint8_t *sha256)
{
	return hash_bytes(&store->key, sha256, SHA256_BYTES) | 1; // 0 stands for none
}

static uint64_t *evicted_set(const struct certificate_store *store, uint64_t hash)
{
	return store->evicted + (hash >> 32 & (store->evicted_sets - 1)) * SET_SIZE;
}

static bool was_evicted(const struct certificate_store *store, uint64_t hash)
{
	if (store->evicted == NULL)
		return false;
	const uint64_t *set = evicted_set(store, hash);
	for (size_t i = 0; i < SET_SIZE; i++)
		if (set[i] == hash)
			return true;
	return false;
}

// The oldest of the set gives way.
static void remember_evicted(struct certificate_store *store, uint64_t hash)
{
	if (store->evicted == NULL)
		store->evicted = calloc(store->evicted_sets * SET_SIZE, sizeof *store->evicted);
	if (store->evicted == NULL) {
		store->counters.forgotten++;
		return;
	}
	if (was_evicted(store, hash))
		return;
	uint64_t *set = evicted_set(store, hash);
	store->counters.forgotten += set[SET_SIZE - 1] != 0;
	memmove(set + 1, set, (SET_SIZE - 1) * sizeof *set);
	set[0] = hash;
}

/* ---- lists ---- */

static void use_append(struct certificate_store *store, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = store->newest;
	*(store->newest != NULL ? &store->newest->newer : &store->oldest) = entry;
	store->newest = entry;
}

static void use_remove(struct certificate_store *store, struct entry *entry)
{
	*(entry->older != NULL ? &entry->older->newer : &store->oldest) = entry->newer;
	*(entry->newer != NULL ? &entry->newer->older : &store->newest) = entry->older;
}

static void use(struct certificate_store *store, struct entry *entry)
{
	if (store->newest == entry)
		return;
	use_remove(store, entry);
	use_append(store, entry);
}

static void parsed_push(struct certificate_store *store, struct entry *entry)
{
	entry->previous_parsed = NULL;
	entry->next_parsed = store->parsed_newest;
	*(store->parsed_newest != NULL ? &store->parsed_newest->previous_parsed
	                               : &store->parsed_oldest) = entry;
	store->parsed_newest = entry;
}

static void parsed_remove(struct certificate_store *store, struct entry *entry)
{
	*(entry->previous_parsed != NULL ? &entry->previous_parsed->next_parsed
	                                 : &store->parsed_newest) = entry->next_parsed;
	*(entry->next_parsed != NULL ? &entry->next_parsed->previous_parsed
	                             : &store->parsed_oldest) = entry->previous_parsed;
}

static struct issuers *issuers_of(const struct certificate_store *store, uint64_t subject_key)
{
	return &store->issuers[subject_key & (store->bucket_count - 1)];
}

// The list of issuers that an entry is in.
static struct entry **issuer_list(const struct certificate_store *store, const struct entry *entry)
{
	struct issuers *issuers = issuers_of(store, entry->subject_key);
	return entry->vouched ? &issuers->vouched : &issuers->others;
}

// Numbers grow towards the head of a list.
static void issuer_push(struct certificate_store *store, struct entry *entry)
{
	struct entry **list = issuer_list(store, entry);
	entry->number = ++store->last_number;
	entry->previous_issuer = NULL;
	entry->next_issuer = *list;
	if (*list != NULL)
		(*list)->previous_issuer = entry;
	*list = entry;
}

static void issuer_remove(const struct certificate_store *store, struct entry *entry)
{
	if (entry->previous_issuer != NULL)
		entry->previous_issuer->next_issuer = entry->next_issuer;
	else
		*issuer_list(store, entry) = entry->next_issuer;
	if (entry->next_issuer != NULL)
		entry->next_issuer->previous_issuer = entry->previous_issuer;
}

/* ---- entries ---- */

static struct entry *entry_of(const struct certificate *certificate)
{
	return (struct entry *)(uintptr_t)certificate; // its first member; the store's own
}

static size_t entry_bytes(const struct entry *entry)
{
	return sizeof *entry + entry->certificate.facts.der.length;
}

static size_t parsed_bytes(const struct entry *entry)
{
	return PARSED_BYTES + PARSED_BYTES_PER_BYTE * entry->certificate.facts.der.length;
}

static struct entry **bucket_of(const struct certificate_store *store, const uint8_t *sha256)
{
	return &store->buckets[hash_of(store, sha256) >> 1 & (store->bucket_count - 1)];
}

static struct entry *find(const struct certificate_store *store, const uint8_t *sha256)
{
	struct entry *entry = *bucket_of(store, sha256);
	while (entry != NULL && memcmp(entry->certificate.sha256, sha256, SHA256_BYTES) != 0)
		entry = entry->next;
	return entry;
}

static void free_parsed(struct certificate_store *store, struct entry *entry)
{
	if (entry->parsed == NULL)
		return;
	X509_free(entry->parsed);
	entry->parsed = NULL;
	parsed_remove(store, entry);
	store->parsed_count--;
	store->counters.bytes -= parsed_bytes(entry);
}

static void evict(struct certificate_store *store, struct entry *entry)
{
	struct entry **link = bucket_of(store, entry->certificate.sha256);
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	if (entry->issuer)
		issuer_remove(store, entry);
	use_remove(store, entry);
	free_parsed(store, entry);
	remember_evicted(store, hash_of(store, entry->certificate.sha256));
	store->counters.stored--;
	store->counters.evicted++;
	store->counters.bytes -= entry_bytes(entry);
	free(entry);
}

// A copy of the certificate with its facts, in no list yet. NULL: no memory.
static struct entry *new_entry(const uint8_t *sha256, struct view der)
{
	struct entry *entry = malloc(sizeof *entry + der.length);
	if (entry == NULL)
		return NULL;
	*entry = (struct entry){0};
	memcpy(entry->der, der.data, der.length);
	memcpy(entry->certificate.sha256, sha256, SHA256_BYTES);
	x509_read(view_of(entry->der, der.length), &entry->certificate.facts);
	struct view spki = entry->certificate.facts.spki;
	if (spki.data != NULL)
		EVP_Digest(spki.data, spki.length, entry->certificate.spki_sha256, NULL,
		    EVP_sha256(), NULL);
	return entry;
}

static void insert(struct certificate_store *store, struct entry *entry)
{
	struct entry **bucket = bucket_of(store, entry->certificate.sha256);
	entry->next = *bucket;
	*bucket = entry;
	entry->issuer = entry->certificate.facts.is_ca;
	if (entry->issuer) {
		entry->subject_key = name_key(&store->key, entry->certificate.facts.subject);
		issuer_push(store, entry);
	}
	use_append(store, entry);
	store->counters.stored++;
	store->counters.bytes += entry_bytes(entry);
}

const struct certificate *certificate_store_add(struct certificate_store *store,
    const uint8_t sha256[SHA256_BYTES], struct view der, nanoseconds time,
    enum certificate_role role, bool *is_new)
{
	struct entry *entry = find(store, sha256);
	*is_new = false;
	if (entry != NULL) {
		use(store, entry);
		return &entry->certificate;
	}
	uint64_t hash = hash_of(store, sha256);
	*is_new = !was_evicted(store, hash);
	store->counters.distinct += *is_new;
	bool too_large = der.length > store->limit / LARGEST_SHARE;
	if (!too_large)
		entry = new_entry(sha256, der);
	if (entry == NULL) {
		store->counters.refused++;
		remember_evicted(store, hash);
		return NULL;
	}
	store->counters.returned += !*is_new;
	entry->certificate.first_seen = time;
	entry->certificate.role = role;
	insert(store, entry);
	return &entry->certificate;
}

const struct certificate *certificate_store_find(
    struct certificate_store *store, const uint8_t sha256[SHA256_BYTES])
{
	struct entry *entry = find(store, sha256);
	if (entry == NULL)
		return NULL;
	use(store, entry);
	return &entry->certificate;
}

/* ---- parsed certificates ---- */

// True if the parsed certificate is worth keeping until the next chain.
static bool is_kept(const struct entry *entry)
{
	return entry->vouched && entry->certificate.facts.der.length <= PARSED_KEPT_DER_MAX;
}

// An RSA exponent as long as the modulus makes the check of a signature a hundred times dearer, and nobody
// has one: OpenSSL takes none above 64 bits with large moduli.
static bool is_cheap_to_use(const X509 *parsed)
{
	EVP_PKEY *key = X509_get0_pubkey(parsed);
	BIGNUM *exponent = NULL;
	if (key == NULL || !EVP_PKEY_is_a(key, "RSA") ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return true;
	bool cheap = BN_num_bits(exponent) <= EXPONENT_BITS_MAX;
	BN_free(exponent);
	return cheap;
}

// The certificate as OpenSSL reads it, extensions included. NULL: it does not, or it would cost too much.
static X509 *parse(const struct x509 *facts)
{
	struct view der = facts->der;
	const uint8_t *end = der.data;
	X509 *parsed = X509_new_ex(certificate_context(facts), NULL);
	bool good = parsed != NULL && d2i_X509(&parsed, &end, (long)der.length) != NULL &&
	            end == der.data + der.length && X509_check_purpose(parsed, -1, 0) == 1 &&
	            is_cheap_to_use(parsed);
	if (!good) {
		X509_free(parsed);
		parsed = NULL;
	}
	ERR_clear_error();
	return parsed;
}

X509 *certificate_store_parsed(
    struct certificate_store *store, const struct certificate *certificate)
{
	struct entry *entry = entry_of(certificate);
	use(store, entry);
	if (entry->parsed == NULL && !entry->unreadable) {
		entry->parsed = parse(&certificate->facts);
		entry->unreadable = entry->parsed == NULL;
		if (entry->parsed == NULL)
			return NULL;
		store->parsed_count++;
		store->counters.bytes += parsed_bytes(entry);
		parsed_push(store, entry);
	} else if (entry->parsed != NULL) {
		parsed_remove(store, entry);
		parsed_push(store, entry);
	}
	entry->parsed_in = store->turn;
	return entry->parsed;
}

// Gives back what is not worth keeping of what this turn parsed, and what too many are kept of.
static void trim_parsed(struct certificate_store *store)
{
	struct entry *entry = store->parsed_newest;
	while (entry != NULL && entry->parsed_in == store->turn) {
		struct entry *next = entry->next_parsed;
		if (!is_kept(entry))
			free_parsed(store, entry);
		entry = next;
	}
	while (store->parsed_count > PARSED_KEPT_MAX)
		free_parsed(store, store->parsed_oldest);
}

void certificate_store_trim(struct certificate_store *store)
{
	trim_parsed(store);
	while (store->counters.bytes > store->limit && store->oldest != NULL)
		evict(store, store->oldest);
	store->turn++;
}

/* ---- issuers ---- */

// Takes those with this subject from a list to *found, which has `count` of `most`.
static size_t take_issuers(const struct entry *list, uint64_t key, const struct certificate **found,
    size_t count, size_t most)
{
	for (size_t i = 0; list != NULL && count < most && i < ISSUERS_LOOKED_AT; i++) {
		if (list->subject_key == key)
			found[count++] = &list->certificate;
		list = list->next_issuer;
	}
	return count;
}

size_t certificate_store_issuers(struct certificate_store *store, struct view name,
    const struct certificate **found, size_t most)
{
	uint64_t key = name_key(&store->key, name);
	const struct issuers *issuers = issuers_of(store, key);
	size_t count = take_issuers(issuers->vouched, key, found, 0, most);
	return take_issuers(issuers->others, key, found, count, most);
}

void certificate_store_vouch(struct certificate_store *store, const struct certificate *certificate)
{
	struct entry *entry = entry_of(certificate);
	if (!entry->issuer || entry->vouched)
		return;
	issuer_remove(store, entry);
	entry->vouched = true;
	issuer_push(store, entry);
}

uint64_t certificate_store_name_key(const struct certificate_store *store, struct view name)
{
	return name_key(&store->key, name);
}

// The newest of that subject in a list.
static uint64_t first_number(const struct entry *list, uint64_t key)
{
	for (size_t i = 0; list != NULL && i < ISSUERS_LOOKED_AT; i++, list = list->next_issuer)
		if (list->subject_key == key)
			return list->number;
	return 0;
}

uint64_t certificate_store_newest_issuer(struct certificate_store *store, uint64_t key)
{
	const struct issuers *issuers = issuers_of(store, key);
	uint64_t vouched = first_number(issuers->vouched, key);
	uint64_t other = first_number(issuers->others, key);
	return vouched > other ? vouched : other;
}

/* ---- the whole ---- */

static size_t power_of_two(size_t wanted, size_t least)
{
	size_t power = least;
	while (power < wanted)
		power *= 2;
	return power;
}

struct certificate_store *certificate_store_create(size_t bytes)
{
	struct certificate_store *store = calloc(1, sizeof *store);
	if (store == NULL)
		return NULL;
	store->key = hash_key_random();
	store->evicted_sets =
	    power_of_two(bytes / MEMORY_SHARE / (SET_SIZE * sizeof(uint64_t)) / 2 + 1, 1);
	store->bucket_count = power_of_two(bytes / BYTES_PER_BUCKET, BUCKETS_MIN);
	size_t tables = bytes / MEMORY_SHARE +
	                store->bucket_count * (sizeof *store->buckets + sizeof *store->issuers);
	store->limit = bytes > tables ? bytes - tables : 0;
	store->buckets = calloc(store->bucket_count, sizeof *store->buckets);
	store->issuers = calloc(store->bucket_count, sizeof *store->issuers);
	if (store->buckets == NULL || store->issuers == NULL) {
		certificate_store_destroy(store);
		return NULL;
	}
	return store;
}

void certificate_store_destroy(struct certificate_store *store)
{
	if (store == NULL)
		return;
	while (store->oldest != NULL) {
		struct entry *entry = store->oldest;
		store->oldest = entry->newer;
		X509_free(entry->parsed);
		free(entry);
	}
	free(store->buckets);
	free(store->issuers);
	free(store->evicted);
	free(store);
}

struct certificate_store_counters certificate_store_counters(const struct certificate_store *store)
{
	return store->counters;
}
