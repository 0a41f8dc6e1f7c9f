// SPDX-License-Identifier: Apache-2.0
// The facts of an X.509 certificate (RFC 5280 4.1) by a walk over its DER, bounded and without
// memory of its own: everything found is a view into the certificate. No signature is checked here.
// Pure; any thread. Called by analytics once per distinct certificate.
//
// A certificate that breaks the rules is no error: what was read before the fault stands, and so does
// what stands behind an element whose end is known; `malformed` says what the first fault was. What
// counts as one, and what is tolerated, stands in x509.c. Every byte is hostile: there is no
// recursion, and work is bounded by the certificate's length.
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
	X509_DIGEST_UNKNOWN, // not read, or none of these
	X509_DIGEST_MD2,
	X509_DIGEST_MD4,
	X509_DIGEST_MD5,
	X509_DIGEST_SHA1,
	X509_DIGEST_SHA224,
	X509_DIGEST_SHA256,
	X509_DIGEST_SHA384,
	X509_DIGEST_SHA512,
	X509_DIGEST_SHA3_224,
	X509_DIGEST_SHA3_256,
	X509_DIGEST_SHA3_384,
	X509_DIGEST_SHA3_512,
	X509_DIGEST_NONE, // part of the signature scheme: Ed25519, Ed448, ML-DSA
};

// Views have data NULL where nothing was read.
struct x509 {
	struct view der;       // the certificate, as given
	const char *malformed; // what is wrong, a few words; NULL: nothing found
	unsigned version;      // 1, 2, 3; 0: not read, or another
	// Content octets as encoded, two's complement; may be negative, zero, of any length.
	struct view serial;
	struct view issuer, subject;   // Name, with tag and length
	int64_t not_before, not_after; // seconds since 1970 UTC; meaningful if validity_read
	bool validity_read;
	struct view spki;    // SubjectPublicKeyInfo, with tag and length
	struct view key_oid; // of its algorithm, content octets
	enum x509_key_type key_type;
	// Modulus, prime or field size; of Ed25519 and the like what OpenSSL says (256, 456, 253,
	// 448). 0: not known, or of no meaning (ML-DSA).
	unsigned key_bits;
	// "P-256" as NIST names it, otherwise as SEC 2, RFC 5639 or X9.62 do. NULL: none, or none of
	// those known; with key_bits it is one whose parameters are written out.
	const char *curve;
	struct view curve_oid; // content octets
	// As OpenSSL spells it ("sha256WithRSAEncryption"). NULL: none of those known.
	const char *signature_algorithm;
	struct view signature_oid; // content octets
	enum x509_digest signature_digest;
	bool self_issued; // issuer and subject are the same bytes
	bool basic_constraints;
	bool is_ca;              // cA TRUE, or a version 1 certificate that is self-issued
	bool extended_key_usage; // present; then:
	bool for_servers, for_clients, for_anything;
	bool has_scts;                 // embedded SCT list (RFC 6962 3.3)
	struct view alternative_names; // content of GeneralNames, for x509_next_name
};

// Reads the facts. `der`: the whole certificate; must outlive what is done with *certificate. One
// that is cut short is read as far as it goes. Doubles of extensions outside of 2.5.29 are found
// among the first 32 different ones.
void x509_read(struct view der, struct x509 *certificate);

enum x509_name_type { X509_NAME_DNS, X509_NAME_IP, X509_NAME_EMAIL, X509_NAME_URI, X509_NAME_OTHER };

// The next name of a list. False: no more, or no name can be made out from here on. `name`: the bytes
// as they stand: text for DNS, e-mail and URI (may hold anything, NUL included), 4 or 16 bytes for IP;
// an address of another length is X509_NAME_OTHER.
bool x509_next_name(struct view *names, enum x509_name_type *type, struct view *name);

// The last commonName of a Name (with tag and length) as it stands (any string type; UTF-16 and
// UTF-32 are not converted). data NULL: none.
struct view x509_common_name(struct view name);

// A Name (with tag and length) as text, RFC 4514: most specific first, as OpenSSL's -nameopt RFC2253
// without its escaping of bytes above 127. Returns bytes written, not terminated; what does not fit
// `size` is left out, never half a character or escape. Strings of any type become UTF-8, those of
// one byte a character taken for ISO 8859-1; bytes of a UTF8String that are no UTF-8 stay as they
// are, other things that are no characters become U+FFFD. Of a malformed Name: what stands before
// the fault.
size_t x509_name_text(struct view name, uint8_t *text, size_t size);

// An object identifier (content octets) in dots ("1.2.840.113549.1.1.11"), terminated. Malformed, arcs
// above 64 bits, or a text that does not fit: "?".
void x509_oid_text(struct view oid, char *text, size_t size);

// "rsa", "rsa_pss", "dsa", "ec", "ed25519" …; NULL: unknown.
const char *x509_key_type_name(enum x509_key_type type);

#endif
