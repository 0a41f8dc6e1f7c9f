// SPDX-License-Identifier: Apache-2.0
// The facts of an X.509 certificate (RFC 5280 4.1) by a walk over its DER, bounded and without
// memory of its own: everything found is a view into the certificate. No signature is checked here.
// Pure; any thread. Called by analytics once per distinct certificate.
//
// A certificate that breaks the rules is no error: what was read before the fault stands, and
// `malformed` says what the fault was. Every byte is hostile: recursion is bounded by the format's
// own depth, work by the certificate's length.
#ifndef MAILTAP_DECODE_X509_H
#define MAILTAP_DECODE_X509_H

#include "capture/base/view.h"

enum x509_key_type {
	X509_KEY_UNKNOWN, // not read, or an algorithm without a name here
	X509_KEY_RSA,
	X509_KEY_RSA_PSS,
	X509_KEY_DSA,
	X509_KEY_EC,
	X509_KEY_ED25519,
	X509_KEY_ED448,
	X509_KEY_X25519,
	X509_KEY_X448,
	X509_KEY_ML_DSA, // RFC 9881
	X509_KEY_TYPES,
};

// The hash that a signature is made over.
enum x509_digest {
	X509_DIGEST_UNKNOWN,
	X509_DIGEST_MD2,
	X509_DIGEST_MD4,
	X509_DIGEST_MD5,
	X509_DIGEST_SHA1,
	X509_DIGEST_SHA224,
	X509_DIGEST_SHA256,
	X509_DIGEST_SHA384,
	X509_DIGEST_SHA512,
	X509_DIGEST_NONE, // part of the signature scheme: Ed25519, Ed448, ML-DSA
};

struct x509 {
	struct view der;              // the certificate, as given
	const char *malformed;        // what is wrong, a few words; NULL: nothing found
	unsigned version;             // 1, 2, 3; 0: not read
	struct view serial;           // content octets as encoded, two's complement
	struct view issuer, subject;  // Name, with tag and length; data NULL: not read
	int64_t not_before, not_after; // seconds since 1970 UTC; meaningful if validity_read
	bool validity_read;
	struct view spki;             // SubjectPublicKeyInfo, with tag and length
	enum x509_key_type key_type;
	unsigned key_bits;            // modulus, prime or field size; 0: not known
	const char *curve;            // "P-256" … as SEC 2 / RFC 5639 name it; NULL: none, or not known
	struct view curve_oid;        // content octets; data NULL: none
	const char *signature_algorithm; // as OpenSSL spells it ("sha256WithRSAEncryption"); NULL: no name here
	struct view signature_oid;    // content octets
	enum x509_digest signature_digest;
	bool self_issued;             // issuer and subject are the same bytes
	bool basic_constraints, is_ca; // is_ca: cA TRUE, or a version 1 certificate that is self-issued
	bool extended_key_usage;      // present; then:
	bool for_servers, for_clients, for_anything;
	bool has_scts;                // embedded SCT list (RFC 6962 3.3)
	struct view alternative_names; // content of GeneralNames, for x509_next_name
};

// Reads the facts. `der`: the whole certificate; must outlive what is done with *certificate.
void x509_read(struct view der, struct x509 *certificate);

enum x509_name_type { X509_NAME_DNS, X509_NAME_IP, X509_NAME_EMAIL, X509_NAME_URI, X509_NAME_OTHER };

// The next name of a list. False: no more (or the list is malformed from here on). `name`: the bytes
// as they stand: text for DNS, e-mail and URI (may hold anything, NUL included), 4 or 16 bytes for IP.
bool x509_next_name(struct view *names, enum x509_name_type *type, struct view *name);

// The last commonName of a subject as it stands (any string type; UTF-16 and UTF-32 are not
// converted). data NULL: none.
struct view x509_common_name(struct view name);

// A Name as text, RFC 4514 (most specific first, as OpenSSL's -nameopt RFC2253 without its escaping
// of bytes above 127): cut at `size`. Returns bytes written, not terminated. BMPString and
// UniversalString become UTF-8; bytes that are no UTF-8 stay as they are.
size_t x509_name_text(struct view name, uint8_t *text, size_t size);

// An object identifier in dots ("1.2.840.113549.1.1.11"), terminated. Arcs too large, or a text too
// long: "?".
void x509_oid_text(struct view oid, char *text, size_t size);

const char *x509_key_type_name(enum x509_key_type type); // "rsa", "rsa_pss", "dsa", "ec" …; NULL: unknown

#endif
