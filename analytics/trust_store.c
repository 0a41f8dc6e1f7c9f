// SPDX-License-Identifier: Apache-2.0
// Anchors are kept as DER with their facts, sorted by a key of their subject; OpenSSL parses one when a
// chain first needs it (all of Debian's would cost a short run more than all else it does).
#include "analytics/trust_store.h"

#include "analytics/certificate_context.h"
#include "analytics/crl_store.h"
#include "analytics/name_key.h"
#include "analytics/trust_files.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DESCRIPTION_MAX = 1024 };

struct anchor {
	struct trust_anchor shown; // first: what is handed out
	uint64_t subject_key;
	X509 *parsed;
	bool unreadable;
	size_t der_length; // with OpenSSL's trust settings behind the certificate, if there are any
	uint8_t der[];
};

struct trust_store {
	struct hash_key key;
	struct anchor **anchors; // by subject_key, then as they were read
	size_t count, capacity;
	struct crl_store *crls;
	struct trust_store_counters counters;
	char description[DESCRIPTION_MAX];
};

/* ---- reading ---- */

// The length of the certificate itself: of its outer SEQUENCE. 0: it is none.
static size_t certificate_length(const uint8_t *der, size_t length)
{
	size_t octets, content = 0;
	if (length < 2 || der[0] != 0x30)
		return 0;
	if (der[1] < 0x80)
		return 2 + (size_t)der[1] <= length ? 2 + (size_t)der[1] : 0;
	octets = der[1] & 0x7f;
	if (octets == 0 || octets > 4 || 2 + octets > length)
		return 0;
	for (size_t i = 0; i < octets; i++)
		content = content << 8 | der[2 + i];
	return content <= length - 2 - octets ? 2 + octets + content : 0;
}

static bool make_room(struct trust_store *store)
{
	if (store->count < store->capacity)
		return true;
	size_t capacity = store->capacity > 0 ? 2 * store->capacity : 256;
	struct anchor **more = realloc(store->anchors, capacity * sizeof(struct anchor *));
	if (more == NULL)
		return false;
	store->anchors = more;
	store->capacity = capacity;
	return true;
}

static bool add_anchor(void *context, struct view der)
{
	struct trust_store *store = context;
	size_t own = certificate_length(der.data, der.length);
	struct anchor *anchor =
	    own > 0 && make_room(store) ? malloc(sizeof *anchor + der.length) : NULL;
	if (anchor == NULL)
		return false;
	*anchor = (struct anchor){.der_length = der.length};
	memcpy(anchor->der, der.data, der.length);
	x509_read(view_of(anchor->der, own), &anchor->shown.facts);
	if (anchor->shown.facts.subject.data == NULL || anchor->shown.facts.spki.data == NULL) {
		free(anchor);
		return false;
	}
	anchor->subject_key = name_key(&store->key, anchor->shown.facts.subject);
	store->anchors[store->count++] = anchor;
	return true;
}

static bool add_crl(void *context, struct view der)
{
	struct trust_store *store = context;
	return crl_store_add(store->crls, der);
}

/* ---- the description ---- */

// Adds a source to the description; cut where there are too many.
static void describe(struct trust_store *store, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void describe(struct trust_store *store, const char *path, const char *format, ...)
{
	size_t have = strlen(store->description), room = sizeof store->description - have;
	va_list arguments;
	int written =
	    snprintf(store->description + have, room, "%s%s (", have > 0 ? ", " : "", path);
	if (written < 0 || (size_t)written >= room)
		return;
	have += (size_t)written;
	va_start(arguments, format);
	vsnprintf(store->description + have, sizeof store->description - have, format, arguments);
	va_end(arguments);
}

static void describe_count(struct trust_store *store, const char *path, uint64_t count)
{
	describe(
	    store, path, "%llu certificate%s)", (unsigned long long)count, count == 1 ? "" : "s");
}

/* ---- sources ---- */

static const char *const certificate_labels[] = {
    PEM_STRING_X509, PEM_STRING_X509_OLD, PEM_STRING_X509_TRUSTED, NULL};
static const char *const crl_labels[] = {PEM_STRING_X509_CRL, NULL};

typedef bool reader(const char *option, const char *path, const struct trust_kind *kind,
    struct trust_counts *counts, struct error *error);

static bool read_anchors(struct trust_store *store, reader *read, const char *option,
    const char *path, struct error *error)
{
	struct trust_kind kind = {"certificate", certificate_labels, add_anchor, store};
	struct trust_counts counts = {0};
	bool good = read(option, path, &kind, &counts, error);
	store->counters.damaged += counts.damaged;
	if (good)
		describe_count(store, path, counts.taken);
	return good;
}

static bool read_crls(struct trust_store *store, const char *path, struct error *error)
{
	struct trust_kind kind = {"CRL", crl_labels, add_crl, store};
	struct trust_counts counts = {0};
	bool good = trust_directory_read("--crl-dir", path, &kind, &counts, error);
	store->counters.crls += counts.taken;
	store->counters.crls_damaged += counts.damaged;
	return good;
}

static void read_default(struct trust_store *store, const char *path)
{
	struct error error;
	if (!read_anchors(store, trust_file_read, "", path, &error))
		describe(store, path, "cannot be read)");
}

static bool read_sources(
    struct trust_store *store, const struct trust_store_options *options, struct error *error)
{
	for (size_t i = 0; i < options->ca_file_count; i++)
		if (!read_anchors(store, trust_file_read, "--ca-file", options->ca_files[i], error))
			return false;
	for (size_t i = 0; i < options->ca_directory_count; i++)
		if (!read_anchors(
		        store, trust_directory_read, "--ca-dir", options->ca_directories[i], error))
			return false;
	for (size_t i = 0; i < options->crl_directory_count; i++)
		if (!read_crls(store, options->crl_directories[i], error))
			return false;
	if (options->ca_file_count + options->ca_directory_count == 0)
		read_default(store,
		    options->default_file != NULL ? options->default_file : TRUST_STORE_DEFAULT);
	return true;
}

/* ---- order ---- */

static int compare(const void *one, const void *other)
{
	const struct anchor *a = *(struct anchor *const *)one, *b = *(struct anchor *const *)other;
	if (a->subject_key != b->subject_key)
		return a->subject_key < b->subject_key ? -1 : 1;
	if (a->der_length != b->der_length)
		return a->der_length < b->der_length ? -1 : 1;
	return memcmp(a->der, b->der, a->der_length);
}

static void free_anchor(struct anchor *anchor)
{
	X509_free(anchor->parsed);
	free(anchor);
}

// Sorts, drops doubles, links those of the same subject.
static void arrange(struct trust_store *store)
{
	size_t kept = 0;
	if (store->count > 0)
		qsort(store->anchors, store->count, sizeof *store->anchors, compare);
	for (size_t i = 0; i < store->count; i++) {
		struct anchor *anchor = store->anchors[i];
		struct anchor *before = kept > 0 ? store->anchors[kept - 1] : NULL;
		if (before != NULL && compare(&before, &anchor) == 0) {
			free_anchor(anchor);
			continue;
		}
		if (before != NULL && before->subject_key == anchor->subject_key)
			before->shown.next_same = &anchor->shown;
		store->anchors[kept++] = anchor;
	}
	store->count = kept;
	store->counters.anchors = kept;
	crl_store_prepare(store->crls);
}

struct trust_store *trust_store_create(
    const struct trust_store_options *options, struct error *error)
{
	struct trust_store *store = calloc(1, sizeof *store);
	error_set(error, "no memory for the trust store");
	if (store == NULL)
		return NULL;
	store->key = hash_key_random();
	store->crls = crl_store_create();
	if (store->crls == NULL || !read_sources(store, options, error)) {
		trust_store_destroy(store);
		return NULL;
	}
	arrange(store);
	error->text[0] = '\0';
	return store;
}

void trust_store_destroy(struct trust_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < store->count; i++)
		free_anchor(store->anchors[i]);
	free(store->anchors);
	crl_store_destroy(store->crls);
	free(store);
}

struct trust_store_counters trust_store_counters(const struct trust_store *store)
{
	return store->counters;
}

const char *trust_store_description(const struct trust_store *store)
{
	return store->description;
}

/* ---- asking ---- */

const struct trust_anchor *trust_store_find(const struct trust_store *store, struct view name)
{
	uint64_t key = name_key(&store->key, name);
	size_t low = 0, high = store->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (store->anchors[middle]->subject_key < key)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < store->count && store->anchors[low]->subject_key == key;
	return found ? &store->anchors[low]->shown : NULL;
}

X509 *trust_anchor_parsed(struct trust_store *store, const struct trust_anchor *shown)
{
	struct anchor *anchor =
	    (struct anchor *)(uintptr_t)shown; // its first member; the store's own
	if (anchor->parsed != NULL || anchor->unreadable)
		return anchor->parsed;
	const uint8_t *end = anchor->der;
	anchor->parsed = X509_new_ex(certificate_context(&shown->facts), NULL);
	bool good = anchor->parsed != NULL &&
	            d2i_X509_AUX(&anchor->parsed, &end, (long)anchor->der_length) != NULL &&
	            end == anchor->der + anchor->der_length &&
	            X509_check_purpose(anchor->parsed, -1, 0) == 1;
	if (!good) {
		X509_free(anchor->parsed);
		anchor->parsed = NULL;
	}
	ERR_clear_error();
	anchor->unreadable = anchor->parsed == NULL;
	store->counters.damaged += anchor->unreadable;
	return anchor->parsed;
}

bool trust_store_revoked(struct trust_store *store, X509 *certificate, X509 *issuer, int64_t at,
    bool trusted, struct time_span *span)
{
	return crl_store_revoked(store->crls, certificate, issuer, at, trusted, span);
}
