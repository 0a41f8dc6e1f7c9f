// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/dns_answers.h"

#include "analytics/dkim_verify.h"
#include "analytics/dns_text.h"
#include "analytics/tlsa_match.h"
#include "tests/fuzz/fuzzer.h"
#include "tests/unit/certificates.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

/* ---- DKIM ---- */

static void verify(const struct dns_memory *memory, const struct dkim_signature *signature)
{
	struct dkim_verdict verdict = dkim_verify(memory, signature, SECONDS(1));
	MUST(verdict.result != NULL && strcmp(verdict.result, "pass") != 0 && verdict.why != NULL);
}

void check_key(const struct dns_memory *memory, const struct dns_name *name)
{
	static const char beneath[] = "._domainkey.";
	static const uint8_t nonsense[256] = {1};
	char text[DNS_TEXT_MAX];
	size_t length = dns_name_text(name, text);
	const char *middle = memmem(text, length, beneath, sizeof beneath - 1);
	if (middle == NULL)
		return;
	const char *domain = middle + sizeof beneath - 1;
	struct dkim_signature signature = {.progress = DKIM_HASHED,
	    .body = SEEN_YES,
	    .selector = (const uint8_t *)text,
	    .selector_length = (uint8_t)(middle - text),
	    .domain = (const uint8_t *)domain,
	    .domain_length = (uint8_t)(text + length - domain),
	    .signature = nonsense};
	for (size_t size = 64; size <= sizeof nonsense; size *= 2) { // Ed25519, RSA
		signature.signature_length = (uint16_t)size;
		signature.algorithm = size == 64 ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256;
		verify(memory, &signature);
	}
}

/* ---- DANE ---- */

static const struct certificate *certificate(void)
{
	static struct certificate_store *store;
	static const struct certificate *kept;
	static uint8_t der[CERTIFICATE_MAX];
	uint8_t hash[SHA256_BYTES];
	bool is_new;
	if (kept != NULL)
		return kept;
	store = certificate_store_create(1 << 20);
	size_t length = certificate_make(&certificate_recipes[0], der);
	MUST(store != NULL);
	SHA256(der, length, hash);
	kept = certificate_store_add(
	    store, hash, view_of(der, length), 0, CERTIFICATE_SERVER, &is_new);
	MUST(kept != NULL && kept->facts.spki.data != NULL);
	return kept;
}

// RFC 6698 2.1: what the record names is the certificate, or its key.
static bool names_it(const struct tlsa *tlsa)
{
	static const EVP_MD *(*const hashes[])(void) = {NULL, EVP_sha256, EVP_sha512};
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned length;
	if (tlsa->selector > 1 || tlsa->matching_type > 2)
		return false;
	const struct x509 *facts = &certificate()->facts;
	struct view selected = tlsa->selector == 0 ? facts->der : facts->spki;
	if (tlsa->matching_type > 0) {
		MUST(EVP_Digest(selected.data, selected.length, hash, &length,
		         hashes[tlsa->matching_type](), NULL) == 1);
		selected = view_of(hash, length);
	}
	return tlsa->length == selected.length &&
	       memcmp(tlsa->data, selected.data, selected.length) == 0;
}

static void check_record(const struct tlsa *tlsa)
{
	const struct certificate *const sent[] = {certificate(), NULL, certificate()};
	const struct tlsa_chain chain = {sent, 3, 2}, hidden = {sent + 1, 1, 0};
	enum tlsa_fit fit = tlsa_match(tlsa, &chain);
	bool judged = tlsa->usage == TLSA_DANE_EE || tlsa->usage == TLSA_DANE_TA;
	MUST((fit == TLSA_FITS) == (judged && names_it(tlsa)));
	MUST(fit != TLSA_FITS_NOT || tlsa->usage == TLSA_DANE_EE);
	fit = tlsa_match(tlsa, &hidden);
	MUST(fit == TLSA_OF_NO_USE || fit == TLSA_CANNOT_TELL || tlsa->usage == TLSA_DANE_TA);
}

void check_tlsa(const struct dns_answer *answer)
{
	struct dns_data data;
	struct tlsa tlsa;
	for (size_t at = 0; dns_answer_next(answer, &at, &data);)
		if (tlsa_read(&data, &tlsa))
			check_record(&tlsa);
}
