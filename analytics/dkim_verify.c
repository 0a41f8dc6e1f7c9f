// SPDX-License-Identifier: Apache-2.0
#include "analytics/dkim_verify.h"

#include "analytics/dkim_key.h"
#include "analytics/txt_record.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string.h>

static struct dkim_verdict pass(void)
{
	return (struct dkim_verdict){"pass", NULL};
}

static struct dkim_verdict fail(const char *why)
{
	return (struct dkim_verdict){"fail", why};
}

static struct dkim_verdict unverifiable(const char *why)
{
	return (struct dkim_verdict){"unverifiable", why};
}

/* ---- the key ---- */

// Adds a name's labels, in lower case, to a name that has no last one yet. False: they are none.
static bool add_labels(struct dns_name *name, const uint8_t *text, size_t length)
{
	for (size_t at = 0; at < length;) {
		const uint8_t *dot = memchr(text + at, '.', length - at);
		size_t label = dot != NULL ? (size_t)(dot - text) - at : length - at;
		if (label == 0 || label > 63 || name->length + label + 2u > DNS_NAME_MAX)
			return dot != NULL && at + 1 == length && label == 0;
		name->bytes[name->length++] = (uint8_t)label;
		for (size_t i = 0; i < label; i++) {
			uint8_t c = text[at + i];
			name->bytes[name->length++] =
			    (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
		}
		at += label + 1;
	}
	return length > 0;
}

static bool key_name(const struct dkim_signature *signature, struct dns_name *name)
{
	static const char beneath[] = "_domainkey";
	name->length = 0;
	if (!add_labels(name, signature->selector, signature->selector_length) ||
	    !add_labels(name, (const uint8_t *)beneath, sizeof beneath - 1) ||
	    !add_labels(name, signature->domain, signature->domain_length))
		return false;
	name->bytes[name->length++] = 0;
	return true;
}

static bool any_text(struct view text)
{
	(void)text;
	return true;
}

// What answers say of the key. answer NULL: nothing was seen.
static struct dns_followed find_answer(
    const struct dns_memory *memory, const struct dkim_signature *signature)
{
	struct dns_name name;
	if (memory == NULL || !key_name(signature, &name))
		return (struct dns_followed){.answer = NULL};
	return dns_memory_follow(memory, &name, DNS_TXT);
}

static EVP_PKEY *key_of(const struct dkim_key *key, const uint8_t *bytes, size_t length)
{
	const uint8_t *at = bytes;
	if (strcmp(key->type, "ed25519") == 0)
		return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length);
	EVP_PKEY *found = d2i_PUBKEY(NULL, &at, (long)length);
	if (found != NULL || length == 0)
		return found;
	at = bytes;
	return d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)length); // a bare one: errata 3017
}

/* ---- the signature ---- */

static bool is_ed25519(const struct dkim_signature *signature)
{
	return signature->algorithm == DKIM_ED25519_SHA256;
}

static bool verify_rsa(EVP_PKEY *key, const struct dkim_signature *signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
	            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	            EVP_PKEY_verify(context, signature->signature, signature->signature_length,
	                signature->digest, sizeof signature->digest) == 1;
	EVP_PKEY_CTX_free(context);
	return good;
}

// RFC 8463 3: what is signed is the hash.
static bool verify_ed25519(EVP_PKEY *key, const struct dkim_signature *signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
	            EVP_DigestVerify(context, signature->signature, signature->signature_length,
	                signature->digest, sizeof signature->digest) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

// Whoever signs chooses the key, and so what it costs to verify with it.
static bool is_cheap(EVP_PKEY *key)
{
	BIGNUM *exponent = NULL;
	if (EVP_PKEY_get_bits(key) > DKIM_KEY_BITS_MOST ||
	    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1)
		return false;
	bool cheap = BN_num_bits(exponent) <= DKIM_EXPONENT_BITS_MOST;
	BN_free(exponent);
	return cheap;
}

static struct dkim_verdict verify_with(EVP_PKEY *key, const struct dkim_signature *signature)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	if (rsa == is_ed25519(signature))
		return fail("key_type");
	if (rsa && EVP_PKEY_get_bits(key) < DKIM_KEY_BITS_LEAST)
		return unverifiable("weak_key");
	if (rsa && !is_cheap(key))
		return unverifiable("too_long");
	if (signature->body == SEEN_NO)
		return fail("body_hash");
	bool good = rsa ? verify_rsa(key, signature) : verify_ed25519(key, signature);
	return good ? pass() : fail("signature");
}

static struct dkim_verdict verify_by(struct view record, const struct dkim_signature *signature)
{
	uint8_t bytes[DKIM_KEY_BYTES_MAX];
	struct dkim_key key = dkim_key_read(record);
	if (!key.present)
		return fail("no_key");
	if (key.revoked)
		return fail("key_revoked");
	if (key.type == NULL || !key.for_mail || !key.for_sha256 ||
	    (strcmp(key.type, "ed25519") == 0) != is_ed25519(signature))
		return fail("key_type");
	if (key.strict && signature->identity_beneath)
		return fail("identity");
	EVP_PKEY *public = key_of(&key, bytes, dkim_key_bytes(record, bytes));
	if (public == NULL)
		return fail("no_key");
	struct dkim_verdict verdict = verify_with(public, signature);
	EVP_PKEY_free(public);
	return verdict;
}

static bool is_because(struct dkim_verdict verdict, const char *why)
{
	return verdict.why != NULL && strcmp(verdict.why, why) == 0;
}

// What the key says of a signature whose header was hashed.
static struct dkim_verdict verify_by_answer(
    const struct dns_followed *found, const struct dkim_signature *signature, nanoseconds time)
{
	struct txt_found text;
	txt_find(found->answer, any_text, &text);
	struct dkim_verdict verdict =
	    text.count > 0 ? verify_by(txt_text(&text), signature) : fail("no_key");
	bool body = is_because(verdict, "body_hash");
	// Lines without CR may have been mended behind this place, or in front of it.
	if (signature->progress == DKIM_BARE_LINES && (body || is_because(verdict, "signature")))
		return unverifiable("bare_line_ends");
	bool failed = strcmp(verdict.result, "fail") == 0;
	if (failed && !body && found->good_until < time)
		return unverifiable("key_old");
	return verdict.why == NULL && signature->expired ? fail("expired") : verdict;
}

struct dkim_verdict dkim_verify(const struct dns_memory *memory,
    const struct dkim_signature *signature, nanoseconds time)
{
	switch ((enum dkim_progress)signature->progress) {
	case DKIM_MALFORMED:
		return fail("malformed");
	case DKIM_UNKNOWN_WAYS:
		return unverifiable("algorithm");
	case DKIM_NOT_WHOLE:
		return unverifiable("not_whole");
	case DKIM_TOO_LONG:
		return unverifiable("too_long");
	case DKIM_NO_ROOM:
		return unverifiable("no_room");
	case DKIM_NOT_TRIED:
		return unverifiable("key_not_seen");
	case DKIM_HASHED:
	case DKIM_BARE_LINES:
		break;
	}
	struct dns_followed found = find_answer(memory, signature);
	if (found.answer == NULL)
		return unverifiable("key_not_seen");
	// RFC 6376 3.6.2.2: what more than one record mean is not defined.
	if (found.differ || found.answer->count > 1)
		return unverifiable("key_contradictory");
	return verify_by_answer(&found, signature, time);
}
