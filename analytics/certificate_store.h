// SPDX-License-Identifier: Apache-2.0
// The distinct certificates of a run, each once, found by the SHA-256 of its DER, or by its subject if
// it may issue others. Bounded in bytes: the least recently used give way, and that is counted. The
// hashes of those that gave way are remembered (eight bytes each), so that a certificate that comes
// again is not taken for a new one.
//
// Strangers choose the certificates: the tables are keyed, and no look-up costs more for how many
// there are.
//
// Memory is given up only in certificate_store_trim, which the caller runs between sessions. Until
// then every pointer handed out is good, however many certificates a session adds.
// Not thread safe: one thread owns a store.
#ifndef MAILTAP_ANALYTICS_CERTIFICATE_STORE_H
#define MAILTAP_ANALYTICS_CERTIFICATE_STORE_H

#include "capture/packet.h"
#include "decode/x509.h"

#include <openssl/types.h>

enum { SHA256_BYTES = 32 };

// What a certificate was shown for when it was first seen.
enum certificate_role {
	CERTIFICATE_SERVER, // the first of a server's list
	CERTIFICATE_CLIENT, // the first of a client's list
	CERTIFICATE_ISSUER, // a later one of any list
	CERTIFICATE_ROLES,
};

struct certificate {
	uint8_t sha256[SHA256_BYTES];      // of the DER
	uint8_t spki_sha256[SHA256_BYTES]; // of the SubjectPublicKeyInfo; zeros where facts.spki is null
	struct x509 facts;                 // facts.der is the store's own copy, the views point into it
	nanoseconds first_seen;
	enum certificate_role role;
};

struct certificate_store_counters {
	uint64_t distinct;  // certificates that were new
	uint64_t stored;    // held now
	uint64_t bytes;     // held now, as the limit counts them
	uint64_t evicted;   // given up for room
	uint64_t returned;  // evicted ones that came again
	uint64_t refused;   // larger than a quarter of the limit: not stored
	uint64_t forgotten; // hashes of evicted ones that are not remembered any more: these may be new twice
};

struct certificate_store;

// `bytes`: the limit on all that the store holds. NULL: no memory.
struct certificate_store *certificate_store_create(size_t bytes);
void certificate_store_destroy(struct certificate_store *store);

// Finds the certificate, or stores it with a copy of its DER. `sha256` must be the hash of `der`.
// *is_new: it was never seen in this run (write its record); else what the first sight said stays.
// NULL: refused, too large or no memory (then *is_new is true all the same if it was never seen).
const struct certificate *certificate_store_add(struct certificate_store *store,
    const uint8_t sha256[SHA256_BYTES], struct view der, nanoseconds time,
    enum certificate_role role, bool *is_new);

// NULL: not held (any more). Counts as use.
const struct certificate *certificate_store_find(
    struct certificate_store *store, const uint8_t sha256[SHA256_BYTES]);

// Makes room down to the limit. Pointers handed out before are not good any more.
void certificate_store_trim(struct certificate_store *store);

struct certificate_store_counters certificate_store_counters(const struct certificate_store *store);

/* ---- for whoever builds chains (chain_judge) ---- */

// The parsed certificate; kept for issuers that were vouched for. The store's own, good until the next
// trim. NULL: OpenSSL cannot read it.
X509 *certificate_store_parsed(
    struct certificate_store *store, const struct certificate *certificate);

// Certificates that may issue and whose subject is `name` (compared as OpenSSL does, and a little more
// generously), those that were vouched for first, then the newest. Returns how many of `most` it found.
size_t certificate_store_issuers(struct certificate_store *store, struct view name,
    const struct certificate **found, size_t most);

// A path through this issuer led to the trust store: what strangers show under the same name does not
// crowd it out.
void certificate_store_vouch(
    struct certificate_store *store, const struct certificate *certificate);

// A key for a name, the same for names that OpenSSL takes for equal; and the number of the newest
// issuer with that subject (0: none), by which a judgement knows whether there is a new one.
uint64_t certificate_store_name_key(const struct certificate_store *store, struct view name);
uint64_t certificate_store_newest_issuer(struct certificate_store *store, uint64_t name_key);

#endif
