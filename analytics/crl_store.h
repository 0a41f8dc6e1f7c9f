// SPDX-License-Identifier: Apache-2.0
// Certificate revocation lists (RFC 5280 5) that the user has given. What a list says is used only if the
// issuer of the certificate signed it; lists signed by somebody else on its behalf (indirect CRLs) are
// not followed. Owned by the trust store. Not thread safe: signatures are checked when first needed.
#ifndef MAILTAP_ANALYTICS_CRL_STORE_H
#define MAILTAP_ANALYTICS_CRL_STORE_H

#include "analytics/time_span.h"
#include "capture/base/view.h"

#include <openssl/types.h>
#include <stddef.h>

struct crl_store;

// NULL: no memory.
struct crl_store *crl_store_create(void);
void crl_store_destroy(struct crl_store *store);

// Adds one, in DER. False: it is none, has a critical extension that is not understood (RFC 5280 5.2),
// or there is no memory.
bool crl_store_add(struct crl_store *store, struct view der);

// To be called once after the last crl_store_add.
void crl_store_prepare(struct crl_store *store);

// As trust_store_revoked.
bool crl_store_revoked(struct crl_store *store, X509 *certificate, X509 *issuer, int64_t at,
    bool trusted, struct time_span *span);

#endif
