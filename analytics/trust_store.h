// SPDX-License-Identifier: Apache-2.0
// Who is trusted to issue certificates, and what they have revoked: read from files once at the start.
// Nothing is ever fetched from a network.
//
// Every certificate given is a trust anchor, also one that is not self-signed (as GnuTLS, Go, curl and
// Postfix have it). A self-signed server certificate given here is trusted as it is.
// Not thread safe (anchors are parsed when first needed).
#ifndef MAILTAP_ANALYTICS_TRUST_STORE_H
#define MAILTAP_ANALYTICS_TRUST_STORE_H

#include "analytics/time_span.h"
#include "capture/base/error.h"
#include "decode/x509.h"

#include <openssl/types.h>

// Debian's ca-certificates.
#define TRUST_STORE_DEFAULT "/etc/ssl/certs/ca-certificates.crt"

struct trust_store_options {
	const char *const *ca_files; // PEM, any number of certificates each
	size_t ca_file_count;
	const char *const *ca_directories; // of PEM files: hashed (c_rehash) or plain
	size_t ca_directory_count;
	const char *const *crl_directories; // of CRLs, PEM or DER
	size_t crl_directory_count;
	// Used where neither a file nor a directory is given; NULL: TRUST_STORE_DEFAULT.
	const char *default_file;
};

struct trust_store_counters {
	uint64_t anchors; // distinct certificates; 0: nobody can be called trusted or untrusted
	uint64_t damaged; // certificates in those files that cannot be read
	uint64_t crls;
	uint64_t crls_damaged; // in those directories, that cannot be read or used
};

struct trust_store;

// Reads everything. NULL and *error: a file or directory that was named cannot be read, or has no
// certificate (no CRL). That the default store is missing is no error: then there are no anchors.
struct trust_store *trust_store_create(
    const struct trust_store_options *options, struct error *error);
void trust_store_destroy(struct trust_store *store);

struct trust_store_counters trust_store_counters(const struct trust_store *store);

// Which store judges, for the summary: "/etc/ssl/certs/ca-certificates.crt (140 certificates)", several
// joined by ", "; the default's path and what is wrong with it if it is missing. Never NULL.
const char *trust_store_description(const struct trust_store *store);

/* ---- for whoever builds chains (chain_judge) ---- */

struct trust_anchor {
	struct x509 facts;
	const struct trust_anchor *next_same; // another whose subject has the same key; NULL: none
};

// The first anchor whose subject may be `name` (OpenSSL has the last word), or NULL.
const struct trust_anchor *trust_store_find(const struct trust_store *store, struct view name);

// The parsed certificate; the store's own. NULL: OpenSSL cannot read it (then it is counted damaged).
X509 *trust_anchor_parsed(struct trust_store *store, const struct trust_anchor *anchor);

// True if `certificate` is revoked at a moment (seconds since 1970): a CRL lists it with a date that has
// come. A CRL counts if `issuer`, whose key must have signed `certificate`, may sign CRLs and has signed
// it; stale or not, issued before that moment or after it: what it says of the past is true. Who was only
// on hold is free again once a later CRL does not list it. *span is cut to the time in which the answer is
// the same. `trusted`: the issuer is on a path to an anchor; for others very large CRLs are not checked.
bool trust_store_revoked(struct trust_store *store, X509 *certificate, X509 *issuer, int64_t at,
    bool trusted, struct time_span *span);

#endif
