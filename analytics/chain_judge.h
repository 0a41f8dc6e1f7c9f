// SPDX-License-Identifier: Apache-2.0
// What a careful client would have said of a certificate list at the moment it was sent: path to the
// trust store, signatures, constraints, validity and revocation by OpenSSL, strength and order by the
// rules below. Names are a separate axis (name_match.h).
//
// A distinct list is judged once and then found by its hashes. A judgement holds for the span of time
// in which no validity of a certificate that had a part in it begins or ends and none of them is
// revoked; packets outside that span have the list judged anew. So is a list that lacked an issuer,
// once another session has shown one of that name.
//
// Owned by the thread that owns the certificate store. Not thread safe.
#ifndef MAILTAP_ANALYTICS_CHAIN_JUDGE_H
#define MAILTAP_ANALYTICS_CHAIN_JUDGE_H

#include "analytics/certificate_store.h"
#include "analytics/trust_store.h"

// One bit each, in the order of the record contract.
enum certificate_fault {
	// The first certificate is signed by its own key, and is no trust anchor. Says all there is to say
	// about its path: UNTRUSTED does not come with it.
	FAULT_SELF_SIGNED = 1 << 0,
	// No path to a trust anchor, or one that breaks a rule that has no fault of its own: a wrong
	// signature, name constraints, path length, an unknown critical extension, an intermediate that
	// may not issue for servers ... (`reason` names the first).
	FAULT_UNTRUSTED = 1 << 1,
	// Of any certificate on the path, the anchor included (OpenSSL, GnuTLS, NSS and Go check it too),
	// if there is no other path. Valid to the end of the second that notAfter names (RFC 5280 4.1.2.5).
	FAULT_EXPIRED = 1 << 2,
	FAULT_NOT_YET_VALID = 1 << 3,
	// A CRL signed by the issuer says so, of any certificate on the path but the anchor, from the
	// revocation date on. That there is no CRL says nothing.
	FAULT_REVOKED = 1 << 4,
	FAULT_NAME_MISMATCH = 1 << 5, // never set here: the caller's, from name_match
	// RSA or DSA below 2048 bits, a curve below 224: any certificate on the path.
	FAULT_WEAK_KEY = 1 << 6,
	// Signed over MD2, MD4, MD5 or SHA-1: any certificate on the path but the anchor and self-signed
	// ones above the first, whose signatures nobody relies on.
	FAULT_WEAK_SIGNATURE = 1 << 7,
	// No path with what was sent, but one with an issuer that another session showed
	// (missing_issuer). Instead of UNTRUSTED.
	FAULT_INCOMPLETE_CHAIN = 1 << 8,
	// Some certificate does not certify the one before it (RFC 5246 7.4.2 demands it of each): swapped,
	// doubled or unrelated. A root at the end is in order. Says nothing about the path: OpenSSL finds
	// it in any order, other clients do not.
	FAULT_WRONG_ORDER = 1 << 9,
	// The first certificate may not be used by a TLS server: key usage, extended key usage, Netscape
	// type (X509_check_purpose). Not asked of clients, of whom many show a server's certificate.
	FAULT_NOT_A_SERVER_CERTIFICATE = 1 << 10,
	// Some certificate sent breaks the encoding or the rules of RFC 5280 4.1 (x509.h), or OpenSSL
	// cannot read it. If OpenSSL cannot read the first, there is nothing to build a path from, and no
	// UNTRUSTED.
	FAULT_MALFORMED = 1 << 11,
	FAULTS = 12, // how many
};

struct chain_judgement {
	unsigned faults; // enum certificate_fault, or'ed
	// False: whether there is a path to a trust anchor is not known: there is no trust store, or this
	// OpenSSL does not know an algorithm. SELF_SIGNED, UNTRUSTED and INCOMPLETE_CHAIN are never
	// set then; no faults do not mean that nothing is wrong: write null.
	bool trust_known;
	bool issuer_missing; // with INCOMPLETE_CHAIN: the first issuer that was not sent
	uint8_t missing_issuer[SHA256_BYTES];
	const char *reason;  // what first made it UNTRUSTED, in OpenSSL's words; NULL: it is not
	int64_t from, until; // seconds since 1970: the same is said of all times in [from, until]
};

struct chain_judge_counters {
	uint64_t known;    // lists that were found judged
	uint64_t verified; // that were judged: new, out of their time, or with a new issuer
	uint64_t unjudged; // of which nothing could be said
	uint64_t too_dear; // of these, because there was no budget left for them (judging_budget.h)
	uint64_t cached;   // judgements held now
	uint64_t bytes;    // of them
	uint64_t evicted;  // given up for room
};

struct chain_judge;

enum {
	CHAIN_CERTIFICATES_MAX = 64, // what follows in a list is not looked at
	// Larger lists are not judged: no client takes them (OpenSSL stops at 100 KiB, GnuTLS at 128).
	CHAIN_BYTES_MAX = 256 << 10,
};

// `bytes`: the limit on judgements held. Both stores must outlive the judge. NULL: no memory.
struct chain_judge *chain_judge_create(
    struct certificate_store *certificates, struct trust_store *trust, size_t bytes);

// Another trust store from here on, which must outlive the judge in the place of the old one: every list is
// judged anew.
void chain_judge_use_trust(struct chain_judge *judge, struct trust_store *trust);

void chain_judge_destroy(struct chain_judge *judge);

// It is this second of packet time, since 1970: the budget for lists that are dear to judge goes by it.
void chain_judge_tell_time(struct chain_judge *judge, int64_t now);

// Judges a list as it was sent, first certificate first. All of it must be in the certificate store
// (add, judge, then trim). `role`: CERTIFICATE_SERVER or CERTIFICATE_CLIENT, who sent it. `at`: packet
// time in seconds since 1970, any value. False: nothing can be said: the list is empty or too large, a
// certificate is not held, there is no budget left for it, or no memory.
bool chain_judge(struct chain_judge *judge, const uint8_t (*chain)[SHA256_BYTES], size_t count,
    enum certificate_role role, int64_t at, struct chain_judgement *judgement);

struct chain_judge_counters chain_judge_counters(const struct chain_judge *judge);

// As records write it: "self_signed" ...; `fault` is one bit.
const char *certificate_fault_name(enum certificate_fault fault);

// True in the last tenth of the certificate's own lifetime, and not once it has expired.
bool certificate_expires_soon(const struct x509 *facts, int64_t at);

#endif
