// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnssec_records.h"

#include "capture/base/big_endian.h"

#include <string.h>

enum {
	SIGNATURE_FIXED = 18, // bytes in front of the signer's name
	KEY_FIXED = 4,
	DELEGATION_FIXED = 4,
	FLAG_ZONE_KEY = 0x0100,
	FLAG_REVOKED = 0x0080,
	PROTOCOL = 3,
	RSA_SHA256 = 8,
	RSA_SHA512 = 10,
	ECDSA_P256 = 13,
	ECDSA_P384 = 14,
	ED25519 = 15,
	ED448 = 16,
	RSA_MODULUS_MAX = 512, // bytes: 4096 bits
	RSA_EXPONENT_MAX = 8,
};

bool dnssec_signature_read(const struct dns_data *data, struct dnssec_signature *signature)
{
	if (data->length <= SIGNATURE_FIXED)
		return false;
	const uint8_t *bytes = data->bytes;
	size_t at = SIGNATURE_FIXED;
	*signature = (struct dnssec_signature){
	    .covered = read_u16(bytes),
	    .algorithm = bytes[2],
	    .labels = bytes[3],
	    .expiration = read_u32(bytes + 8),
	    .inception = read_u32(bytes + 12),
	    .tag = read_u16(bytes + 16),
	};
	signature->signer.length =
	    (uint8_t)dns_read_name(bytes, data->length, &at, signature->signer.bytes);
	return signature->signer.length > 0 && at < data->length;
}

// RFC 4034 appendix B; that of the algorithm 1 is another, but that does not count.
static uint16_t tag_of(const struct dns_data *data)
{
	uint32_t sum = 0;
	for (size_t i = 0; i < data->length; i++)
		sum += i % 2 == 0 ? (uint32_t)data->bytes[i] << 8 : data->bytes[i];
	return (uint16_t)(sum + (sum >> 16));
}

bool dnssec_key_read(const struct dns_data *data, struct dnssec_key *key)
{
	if (data->length <= KEY_FIXED)
		return false;
	uint16_t flags = read_u16(data->bytes);
	*key = (struct dnssec_key){
	    .algorithm = data->bytes[3],
	    .usable = (flags & FLAG_ZONE_KEY) != 0 && (flags & FLAG_REVOKED) == 0 &&
	              data->bytes[2] == PROTOCOL,
	    .tag = tag_of(data),
	};
	return true;
}

bool dnssec_delegation_read(const struct dns_data *data, struct dnssec_delegation *delegation)
{
	if (data->length <= DELEGATION_FIXED)
		return false;
	*delegation = (struct dnssec_delegation){
	    .tag = read_u16(data->bytes), .algorithm = data->bytes[2], .digest = data->bytes[3]};
	return true;
}

const char *dnssec_algorithm_name(uint8_t algorithm)
{
	static const char *const names[] = {
	    [1] = "RSAMD5",
	    [3] = "DSA",
	    [5] = "RSASHA1",
	    [6] = "DSA-NSEC3-SHA1",
	    [7] = "RSASHA1-NSEC3-SHA1",
	    [RSA_SHA256] = "RSASHA256",
	    [RSA_SHA512] = "RSASHA512",
	    [12] = "ECC-GOST",
	    [ECDSA_P256] = "ECDSAP256SHA256",
	    [ECDSA_P384] = "ECDSAP384SHA384",
	    [ED25519] = "ED25519",
	    [ED448] = "ED448",
	};
	return algorithm < sizeof names / sizeof names[0] ? names[algorithm] : NULL;
}

bool dnssec_algorithm_counts(uint8_t algorithm)
{
	return algorithm == RSA_SHA256 || algorithm == RSA_SHA512 ||
	       (algorithm >= ECDSA_P256 && algorithm <= ED448);
}

// RFC 3110 2: the exponent's length in one byte, or in two behind a zero; the exponent; the modulus.
static bool rsa_is_sound(const uint8_t *bytes, size_t length)
{
	size_t at = 1, exponent = bytes[0];
	if (exponent == 0) {
		if (length < 3)
			return false;
		exponent = read_u16(bytes + 1);
		at = 3;
	}
	return exponent > 0 && exponent <= RSA_EXPONENT_MAX && length > at + exponent &&
	       length - at - exponent <= RSA_MODULUS_MAX;
}

bool dnssec_key_is_sound(const struct dns_data *data)
{
	if (data->length <= KEY_FIXED)
		return false;
	size_t length = data->length - KEY_FIXED;
	switch (data->bytes[3]) {
	case RSA_SHA256:
	case RSA_SHA512:
		return rsa_is_sound(data->bytes + KEY_FIXED, length);
	case ECDSA_P256:
		return length == 64;
	case ECDSA_P384:
		return length == 96;
	case ED25519:
		return length == 32;
	case ED448:
		return length == 57;
	default:
		return false;
	}
}
