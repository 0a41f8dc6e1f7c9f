// SPDX-License-Identifier: Apache-2.0
#include "analytics/chain_examination.h"

#include "analytics/chain_path.h"

#include <openssl/x509v3.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, CURVE_BITS_MIN = 224 };

/* ---- strength ---- */

static bool is_weak_key(const struct x509 *facts)
{
	bool modular = facts->key_type == X509_KEY_RSA || facts->key_type == X509_KEY_RSA_PSS ||
	               facts->key_type == X509_KEY_DSA;
	unsigned least = modular                          ? RSA_BITS_MIN
	                 : facts->key_type == X509_KEY_EC ? CURVE_BITS_MIN
	                                                  : 0;
	return facts->key_bits > 0 && facts->key_bits < least;
}

static bool is_weak_digest(enum x509_digest digest)
{
	return digest == X509_DIGEST_MD2 || digest == X509_DIGEST_MD4 ||
	       digest == X509_DIGEST_MD5 || digest == X509_DIGEST_SHA1;
}

// Nobody relies on the signature of an anchor, nor on that of a root: who has the key trusts it or not.
static bool signature_counts(const struct chain_path *path, size_t position)
{
	const struct piece *piece = path->pieces[position];
	return piece->origin != PIECE_ANCHOR &&
	       (position == 0 || X509_self_signed(piece->parsed, 0) != 1);
}

static unsigned weaknesses(const struct chain_path *path)
{
	unsigned faults = 0;
	for (size_t i = 0; i < path->length; i++) {
		const struct x509 *facts = path->pieces[i]->facts;
		if (is_weak_key(facts))
			faults |= FAULT_WEAK_KEY;
		if (is_weak_digest(facts->signature_digest) && signature_counts(path, i))
			faults |= FAULT_WEAK_SIGNATURE;
	}
	return faults;
}

/* ---- order and form ---- */

static bool same(struct view one, struct view other)
{
	return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

// False only if `issuer` cannot have certified `subject`: by name or key identifier, or because its key
// is of another kind.
static bool may_certify(struct certificate_store *certificates, const struct certificate *issuer,
    const struct certificate *subject)
{
	X509 *above = certificate_store_parsed(certificates, issuer);
	X509 *below = certificate_store_parsed(certificates, subject);
	if (above == NULL || below == NULL)
		return issuer->facts.subject.data == NULL || subject->facts.issuer.data == NULL ||
		       same(issuer->facts.subject, subject->facts.issuer);
	switch (X509_check_issued(above, below)) {
	case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
	case X509_V_ERR_AKID_SKID_MISMATCH:
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
	case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
		return false;
	default:
		return true;
	}
}

// What can be seen of the list itself.
static unsigned form_faults(
    struct certificate_store *certificates, const struct certificate *const *sent, size_t count)
{
	unsigned faults = 0;
	for (size_t i = 0; i < count; i++) {
		if (sent[i]->facts.malformed != NULL ||
		    certificate_store_parsed(certificates, sent[i]) == NULL)
			faults |= FAULT_MALFORMED;
		if (i > 0 && !may_certify(certificates, sent[i], sent[i - 1]))
			faults |= FAULT_WRONG_ORDER;
	}
	return faults;
}

// Of a first certificate that OpenSSL cannot read or use: what our own reading says.
static unsigned facts_faults(const struct x509 *facts, int64_t at)
{
	unsigned faults = is_weak_key(facts) ? FAULT_WEAK_KEY : 0;
	if (is_weak_digest(facts->signature_digest))
		faults |= FAULT_WEAK_SIGNATURE;
	if (facts->validity_read && at < facts->not_before)
		faults |= FAULT_NOT_YET_VALID;
	if (facts->validity_read && at > facts->not_after)
		faults |= FAULT_EXPIRED;
	return faults;
}

/* ---- the path ---- */

struct examining {
	struct chain_material material;
	struct chain_path path, longer;
	enum certificate_role role;
	int64_t at;
	struct chain_examination *examination;
};

// The key of the name of the issuer where a path ends.
static uint64_t wanted_at_end(const struct examining *examining, const struct chain_path *path)
{
	if (!path->issuer_lacking || path->length == 0)
		return 0;
	return certificate_store_name_key(
	    examining->material.certificates, path->pieces[path->length - 1]->facts->issuer);
}

// The first on the path that was not sent.
static void name_missing(const struct chain_path *path, struct chain_judgement *judgement)
{
	for (size_t i = 0; i < path->length; i++) {
		if (path->pieces[i]->origin != PIECE_SHOWN)
			continue;
		judgement->issuer_missing = true;
		memcpy(
		    judgement->missing_issuer, path->pieces[i]->certificate->sha256, SHA256_BYTES);
		return;
	}
}

// Tries whether what other sessions showed closes the gap. False: no memory.
static bool complete(struct examining *examining)
{
	struct chain_path *path = &examining->path, *longer = &examining->longer;
	struct chain_examination *examination = examining->examination;
	struct view issuer = path->pieces[path->length - 1]->facts->issuer;
	examination->wanted[0] = wanted_at_end(examining, path);
	if (!chain_material_add_shown(&examining->material, issuer))
		return true;
	if (!chain_path_build(&examining->material, examining->role, examining->at, longer))
		return false;
	if (!longer->reached || (longer->faults & FAULT_UNTRUSTED)) {
		examination->wanted[1] = wanted_at_end(examining, longer);
		return true;
	}
	*path = *longer;
	path->faults |= FAULT_INCOMPLETE_CHAIN;
	name_missing(path, &examination->judgement);
	examination->wanted[0] = 0;
	return true;
}

static bool is_on(const struct chain_path *path, const struct x509 *facts)
{
	for (size_t i = 1; i < path->length; i++)
		if (same(path->pieces[i]->facts->der, facts->der))
			return true;
	return false;
}

// Vouches for the issuers that led to an anchor, and for the anchor if it was sent.
static void vouch(struct examining *examining)
{
	const struct chain_material *material = &examining->material;
	const struct chain_path *path = &examining->path;
	if (!path->reached || (path->faults & FAULT_UNTRUSTED))
		return;
	for (size_t i = 0; i < material->count; i++) {
		const struct certificate *certificate = material->pieces[i].certificate;
		if (certificate != NULL && is_on(path, &certificate->facts))
			certificate_store_vouch(material->certificates, certificate);
	}
}

static bool is_revoked(struct examining *examining, struct time_span *span)
{
	const struct chain_path *path = &examining->path;
	bool revoked = false;
	for (size_t i = 0; i + 1 < path->length && path->pieces[i]->origin != PIECE_ANCHOR; i++)
		if (trust_store_revoked(examining->material.trust, path->pieces[i]->parsed,
		        path->pieces[i + 1]->parsed, examining->at, path->reached, span))
			revoked = true;
	return revoked;
}

// True if a certificate on the path is signed in a way that this OpenSSL does not know, so that a
// client with another may have found what it has not. Old digests that it gave up are none of these.
static bool has_unknown_signature(const struct chain_path *path)
{
	for (size_t i = 0; i < path->length; i++) {
		const struct piece *piece = path->pieces[i];
		if (piece->origin != PIECE_ANCHOR &&
		    !is_weak_digest(piece->facts->signature_digest) &&
		    X509_get_signature_info(piece->parsed, NULL, NULL, NULL, NULL) != 1)
			return true;
	}
	return false;
}

static void cut_span(const struct chain_material *material, int64_t at, struct time_span *span)
{
	for (size_t i = 0; i < material->count; i++) {
		const struct x509 *facts = material->pieces[i].facts;
		if (!facts->validity_read)
			continue;
		time_span_cut(span, at, facts->not_before);
		time_span_cut(span, at, facts->not_after + 1);
	}
}

// The judgement from the path found.
static void conclude(struct examining *examining, bool have_store)
{
	const unsigned about_trust = FAULT_SELF_SIGNED | FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN;
	struct chain_judgement *judgement = &examining->examination->judgement;
	const struct chain_path *path = &examining->path;
	struct time_span span = TIME_SPAN_ALL;
	judgement->faults |= path->faults | weaknesses(path);
	if (is_revoked(examining, &span))
		judgement->faults |= FAULT_REVOKED;
	judgement->trust_known = have_store && (path->reached || !has_unknown_signature(path));
	if (judgement->faults & FAULT_SELF_SIGNED)
		judgement->faults &= ~(unsigned)FAULT_UNTRUSTED;
	if (!judgement->trust_known)
		judgement->faults &= ~about_trust;
	judgement->reason = judgement->faults & FAULT_UNTRUSTED ? path->reason : NULL;
	cut_span(&examining->material, examining->at, &span);
	judgement->from = span.from;
	judgement->until = span.until;
}

// Of a list whose first certificate OpenSSL cannot use, so that there is no path: it is malformed,
// unless its key is of a kind that a client with another OpenSSL may know.
static void conclude_unusable(const struct certificate *first, int64_t at, bool readable,
    bool have_store, struct chain_judgement *judgement)
{
	struct time_span span = TIME_SPAN_ALL;
	bool malformed = !readable || (first->facts.key_type != X509_KEY_UNKNOWN &&
	                                  first->facts.key_type != X509_KEY_ML_DSA);
	judgement->faults |= facts_faults(&first->facts, at);
	if (malformed)
		judgement->faults |= FAULT_MALFORMED;
	judgement->trust_known = have_store && malformed;
	if (first->facts.validity_read) {
		time_span_cut(&span, at, first->facts.not_before);
		time_span_cut(&span, at, first->facts.not_after + 1);
	}
	judgement->from = span.from;
	judgement->until = span.until;
}

static bool examine_path(struct examining *examining, bool have_store)
{
	struct chain_path *path = &examining->path;
	if (!chain_path_build(&examining->material, examining->role, examining->at, path))
		return false;
	if (have_store && !path->reached && path->issuer_lacking && path->length > 0 &&
	    !complete(examining))
		return false;
	vouch(examining);
	conclude(examining, have_store);
	return true;
}

bool chain_examine(struct certificate_store *certificates, struct trust_store *trust,
    const struct certificate *const *sent, size_t count, enum certificate_role role, int64_t at,
    struct chain_examination *examination)
{
	struct examining examining = {.role = role, .at = at, .examination = examination};
	X509 *first = certificate_store_parsed(certificates, sent[0]);
	bool have_store = trust_store_counters(trust).anchors > 0;
	*examination =
	    (struct chain_examination){.judgement.faults = form_faults(certificates, sent, count)};
	if (first == NULL || X509_get0_pubkey(first) == NULL) {
		conclude_unusable(sent[0], at, first != NULL, have_store, &examination->judgement);
		return true;
	}
	chain_material_gather(&examining.material, certificates, trust, sent, count);
	return examine_path(&examining, have_store);
}
