// SPDX-License-Identifier: Apache-2.0
#include "analytics/tlsa_match.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

enum {
	SELECTOR_CERTIFICATE = 0,
	SELECTOR_KEY = 1,
	MATCHING_WHOLE = 0,
	MATCHING_SHA256 = 1,
	MATCHING_SHA512 = 2,
	SHA512_BYTES = 64,
};

bool tlsa_read(const struct dns_data *data, struct tlsa *tlsa)
{
	if (data->length < 4)
		return false;
	*tlsa = (struct tlsa){
	    data->bytes[0], data->bytes[1], data->bytes[2], data->bytes + 3, data->length - 3};
	return true;
}

static bool is_of_use(const struct tlsa *tlsa)
{
	if ((tlsa->usage != TLSA_DANE_TA && tlsa->usage != TLSA_DANE_EE) ||
	    tlsa->selector > SELECTOR_KEY)
		return false;
	switch (tlsa->matching_type) {
	case MATCHING_WHOLE:
		return true;
	case MATCHING_SHA256:
		return tlsa->length == SHA256_BYTES;
	case MATCHING_SHA512:
		return tlsa->length == SHA512_BYTES;
	default:
		return false;
	}
}

static bool same(const struct tlsa *tlsa, const uint8_t *bytes, size_t length)
{
	return tlsa->length == length && memcmp(tlsa->data, bytes, length) == 0;
}

static enum tlsa_fit compare(const struct tlsa *tlsa, const struct certificate *certificate)
{
	uint8_t hash[SHA512_BYTES];
	if (certificate == NULL)
		return TLSA_CANNOT_TELL;
	bool key = tlsa->selector == SELECTOR_KEY;
	struct view selected = key ? certificate->facts.spki : certificate->facts.der;
	bool equal;
	if (selected.data == NULL)
		return TLSA_CANNOT_TELL;
	if (tlsa->matching_type == MATCHING_SHA256) {
		equal =
		    same(tlsa, key ? certificate->spki_sha256 : certificate->sha256, SHA256_BYTES);
	} else if (tlsa->matching_type == MATCHING_WHOLE) {
		equal = same(tlsa, selected.data, selected.length);
	} else {
		if (EVP_Digest(selected.data, selected.length, hash, NULL, EVP_sha512(), NULL) != 1)
			return TLSA_CANNOT_TELL;
		equal = same(tlsa, hash, sizeof hash);
	}
	return equal ? TLSA_FITS : TLSA_FITS_NOT;
}

static bool has_issued(struct certificate_store *certificates, const struct certificate *above,
    const struct certificate *below)
{
	X509 *issuer = certificate_store_parsed(certificates, above);
	X509 *issued = certificate_store_parsed(certificates, below);
	bool good = issuer != NULL && issued != NULL &&
	            X509_check_issued(issuer, issued) == X509_V_OK &&
	            X509_verify(issued, X509_get0_pubkey(issuer)) == 1;
	ERR_clear_error();
	return good;
}

size_t tlsa_links(
    struct certificate_store *certificates, const struct certificate *const *sent, size_t count)
{
	size_t links = 0;
	while (links < TLSA_LINKS_MAX && links + 1 < count && sent[links] != NULL &&
	       sent[links + 1] != NULL && has_issued(certificates, sent[links + 1], sent[links]))
		links++;
	return links;
}

// A certificate or key that the record has whole need not be sent (RFC 7671 5.2.2): that it is not there says nothing.
static enum tlsa_fit match_issuer(const struct tlsa *tlsa, const struct tlsa_chain *chain)
{
	bool unsure = tlsa->matching_type == MATCHING_WHOLE;
	for (size_t i = 1; i < chain->count; i++) {
		enum tlsa_fit fit = compare(tlsa, chain->sent[i]);
		unsure |= fit != TLSA_FITS_NOT;
		if (fit == TLSA_FITS && i <= chain->links)
			return TLSA_FITS;
	}
	return unsure ? TLSA_CANNOT_TELL : TLSA_FITS_NOT;
}

enum tlsa_fit tlsa_match(const struct tlsa *tlsa, const struct tlsa_chain *chain)
{
	if (!is_of_use(tlsa))
		return TLSA_OF_NO_USE;
	if (chain->count == 0)
		return TLSA_CANNOT_TELL;
	return tlsa->usage == TLSA_DANE_EE ? compare(tlsa, chain->sent[0])
	                                   : match_issuer(tlsa, chain);
}
