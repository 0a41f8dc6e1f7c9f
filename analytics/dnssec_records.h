// SPDX-License-Identifier: Apache-2.0
// The fields of RRSIG, DNSKEY and DS (RFC 4034), as they stand on the wire. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_DNSSEC_RECORDS_H
#define MAILTAP_ANALYTICS_DNSSEC_RECORDS_H

#include "analytics/dns_answer.h"
#include "analytics/dns_memory.h"

// Of an RRSIG (3.1).
struct dnssec_signature {
	uint16_t covered; // type
	uint8_t algorithm, labels;
	uint32_t expiration, inception; // seconds since 1970, modulo 2^32
	uint16_t tag;
	struct dns_name signer;
};

// Of a DNSKEY (2.1).
struct dnssec_key {
	uint8_t algorithm;
	bool usable; // it may sign a zone's records, and is not revoked (RFC 5011 2.1)
	uint16_t tag;
};

// Of a DS (5.1).
struct dnssec_delegation {
	uint16_t tag;
	uint8_t algorithm, digest;
};

enum { DNSSEC_DIGEST_SHA1 = 1, DNSSEC_DIGEST_SHA256 = 2, DNSSEC_DIGEST_SHA384 = 4 };

// False: malformed.
bool dnssec_signature_read(const struct dns_data *data, struct dnssec_signature *signature);
bool dnssec_key_read(const struct dns_data *data, struct dnssec_key *key);
bool dnssec_delegation_read(const struct dns_data *data, struct dnssec_delegation *delegation);

// As IANA names it; NULL: not known.
const char *dnssec_algorithm_name(uint8_t algorithm);

// Whether signatures of an algorithm count: SHA-1 does not any more (RFC 9905), nor what is older or unknown.
bool dnssec_algorithm_counts(uint8_t algorithm);

// Whether a key can be used at all. RSA's modulus and exponent are bounded: each bit costs time (RFC 5702 2, 3110 2).
bool dnssec_key_is_sound(const struct dns_data *data);

#endif
