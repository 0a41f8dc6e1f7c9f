// SPDX-License-Identifier: Apache-2.0
// For tests: certificates and CRLs as a table of what they shall be, made by OpenSSL when first asked for.
#ifndef MAILTAP_TESTS_UNIT_PKI_H
#define MAILTAP_TESTS_UNIT_PKI_H

#include "capture/base/view.h"

struct pki_certificate {
	const char *name;       // in the table
	const char *subject;    // of its commonName; a first character of '!' makes it a PrintableString
	const char *issuer;     // the name of another in the table; NULL: itself
	const char *key;        // "p256-a": kind, then anything; the same text is the same key
	const char *digest;     // NULL: SHA-256
	const char *from, *until; // "YYYYMMDDhhmmss", or shorter; NULL: 2020 ... 2030
	const char *extensions; // as in openssl.cnf, one a line; NULL: version 1
	const char *signing_key; // if not the issuer's
	// Changes the DER when all is done; NULL: nothing.
	void (*damage)(uint8_t **der, size_t *length);
};

struct pki_crl {
	const char *name;
	const char *issuer; // the name of a certificate
	const char *key;    // that signs it; NULL: the issuer's
	const char *update; // thisUpdate; the next is a month later
	const char *entries; // "name date [reason]", separated by commas; reason as OpenSSL has it in its table
	const char *extensions; // NULL: none
};

struct pki;

struct pki *pki_create(const struct pki_certificate *certificates, size_t certificate_count,
    const struct pki_crl *crls, size_t crl_count);
void pki_destroy(struct pki *pki);

// The DER, the table's own. An unknown name fails the test.
struct view pki_der(struct pki *pki, const char *name);
struct view pki_crl_der(struct pki *pki, const char *name);

// Seconds since 1970 of "YYYYMMDDhhmmss"; what is left out at its end is the beginning of that time.
int64_t pki_time(const char *text);

// Writes one as PEM. `label`: "CERTIFICATE" or "X509 CRL".
void pki_write_pem(const char *path, const char *mode, const char *label, struct view der);

#endif
