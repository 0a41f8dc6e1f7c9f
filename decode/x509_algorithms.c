// SPDX-License-Identifier: Apache-2.0
// Object identifiers of signatures, keys, curves and hashes: tables searched from the top, the common
// ones first. A new algorithm is a line.
#include "decode/x509_parts.h"

#include <string.h>

enum { OBJECT_IDENTIFIER_MAX = 11 };

// Content octets.
struct object_identifier {
	uint8_t length;
	char octets[OBJECT_IDENTIFIER_MAX];
};

#define OID(text)                                                                                  \
	{                                                                                          \
		sizeof(text) - 1, text                                                             \
	}

struct signature_row {
	struct object_identifier oid;
	struct x509_signature_algorithm algorithm;
};

// Names as OpenSSL spells them (its long names).
static const struct signature_row signatures[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"),
        {"sha256WithRSAEncryption", X509_DIGEST_SHA256, false}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x02"), {"ecdsa-with-SHA256", X509_DIGEST_SHA256, false}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x03"), {"ecdsa-with-SHA384", X509_DIGEST_SHA384, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"),
        {"sha384WithRSAEncryption", X509_DIGEST_SHA384, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"),
        {"sha512WithRSAEncryption", X509_DIGEST_SHA512, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
        {"sha1WithRSAEncryption", X509_DIGEST_SHA1, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), {"rsassaPss", X509_DIGEST_UNKNOWN, true}},
    {OID("\x2b\x65\x70"), {"ED25519", X509_DIGEST_NONE, false}},
    {OID("\x2b\x65\x71"), {"ED448", X509_DIGEST_NONE, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), {"ML-DSA-44", X509_DIGEST_NONE, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), {"ML-DSA-65", X509_DIGEST_NONE, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), {"ML-DSA-87", X509_DIGEST_NONE, false}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x04"), {"ecdsa-with-SHA512", X509_DIGEST_SHA512, false}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x03\x01"), {"ecdsa-with-SHA224", X509_DIGEST_SHA224, false}},
    {OID("\x2a\x86\x48\xce\x3d\x04\x01"), {"ecdsa-with-SHA1", X509_DIGEST_SHA1, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"),
        {"sha224WithRSAEncryption", X509_DIGEST_SHA224, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"), {"md5WithRSAEncryption", X509_DIGEST_MD5, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x03"), {"md4WithRSAEncryption", X509_DIGEST_MD4, false}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02"), {"md2WithRSAEncryption", X509_DIGEST_MD2, false}},
    {OID("\x2b\x0e\x03\x02\x1d"), {"sha1WithRSA", X509_DIGEST_SHA1, false}},
    {OID("\x2b\x0e\x03\x02\x03"), {"md5WithRSA", X509_DIGEST_MD5, false}},
    {OID("\x2b\x24\x03\x03\x01\x02"), {"ripemd160WithRSA", X509_DIGEST_UNKNOWN, false}},
    {OID("\x2a\x86\x48\xce\x38\x04\x03"), {"dsaWithSHA1", X509_DIGEST_SHA1, false}},
    {OID("\x2b\x0e\x03\x02\x1b"), {"dsaWithSHA1-old", X509_DIGEST_SHA1, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x01"), {"dsa_with_SHA224", X509_DIGEST_SHA224, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x02"), {"dsa_with_SHA256", X509_DIGEST_SHA256, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x03"), {"dsa_with_SHA384", X509_DIGEST_SHA384, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x04"), {"dsa_with_SHA512", X509_DIGEST_SHA512, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x05"),
        {"dsa_with_SHA3-224", X509_DIGEST_SHA3_224, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x06"),
        {"dsa_with_SHA3-256", X509_DIGEST_SHA3_256, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x07"),
        {"dsa_with_SHA3-384", X509_DIGEST_SHA3_384, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x08"),
        {"dsa_with_SHA3-512", X509_DIGEST_SHA3_512, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x09"),
        {"ecdsa_with_SHA3-224", X509_DIGEST_SHA3_224, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0a"),
        {"ecdsa_with_SHA3-256", X509_DIGEST_SHA3_256, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0b"),
        {"ecdsa_with_SHA3-384", X509_DIGEST_SHA3_384, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0c"),
        {"ecdsa_with_SHA3-512", X509_DIGEST_SHA3_512, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0d"), {"RSA-SHA3-224", X509_DIGEST_SHA3_224, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0e"), {"RSA-SHA3-256", X509_DIGEST_SHA3_256, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x0f"), {"RSA-SHA3-384", X509_DIGEST_SHA3_384, false}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x10"), {"RSA-SHA3-512", X509_DIGEST_SHA3_512, false}},
    {OID("\x2a\x81\x1c\xcf\x55\x01\x83\x75"), {"SM2-with-SM3", X509_DIGEST_UNKNOWN, false}},
    {OID("\x2a\x85\x03\x02\x02\x03"),
        {"GOST R 34.11-94 with GOST R 34.10-2001", X509_DIGEST_UNKNOWN, false}},
    {OID("\x2a\x85\x03\x07\x01\x01\x03\x02"),
        {"GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)", X509_DIGEST_UNKNOWN, false}},
    {OID("\x2a\x85\x03\x07\x01\x01\x03\x03"),
        {"GOST R 34.10-2012 with GOST R 34.11-2012 (512 bit)", X509_DIGEST_UNKNOWN, false}},
};

struct key_row {
	struct object_identifier oid;
	struct x509_key_algorithm algorithm;
};

// RFC 3279, 8410, 9881; the last two are older forms of RSA (X.509 itself) and DSA (OIW).
static const struct key_row keys[] = {
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), {X509_KEY_RSA, 0, 0}},
    {OID("\x2a\x86\x48\xce\x3d\x02\x01"), {X509_KEY_EC, 0, 0}},
    {OID("\x2b\x65\x70"), {X509_KEY_ED25519, 256, 32}},
    {OID("\x2b\x65\x71"), {X509_KEY_ED448, 456, 57}},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"), {X509_KEY_RSA_PSS, 0, 0}},
    {OID("\x2a\x86\x48\xce\x38\x04\x01"), {X509_KEY_DSA, 0, 0}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x11"), {X509_KEY_ML_DSA, 0, 1312}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x12"), {X509_KEY_ML_DSA, 0, 1952}},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x03\x13"), {X509_KEY_ML_DSA, 0, 2592}},
    {OID("\x2b\x65\x6e"), {X509_KEY_X25519, 253, 32}},
    {OID("\x2b\x65\x6f"), {X509_KEY_X448, 448, 56}},
    {OID("\x55\x08\x01\x01"), {X509_KEY_RSA, 0, 0}},
    {OID("\x2b\x0e\x03\x02\x0c"), {X509_KEY_DSA, 0, 0}},
};

struct curve_row {
	struct object_identifier oid;
	struct x509_curve curve;
};

// NIST's names where NIST and SEC 2 name the same, otherwise those of SEC 2, RFC 5639, X9.62, WAP.
static const struct curve_row curves[] = {
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x07"), {"P-256", 256}},
    {OID("\x2b\x81\x04\x00\x22"), {"P-384", 384}},
    {OID("\x2b\x81\x04\x00\x23"), {"P-521", 521}},
    {OID("\x2b\x81\x04\x00\x21"), {"P-224", 224}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x01"), {"P-192", 192}},
    {OID("\x2b\x81\x04\x00\x0a"), {"secp256k1", 256}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x07"), {"brainpoolP256r1", 256}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"), {"brainpoolP384r1", 384}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"), {"brainpoolP512r1", 512}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x09"), {"brainpoolP320r1", 320}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x05"), {"brainpoolP224r1", 224}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x03"), {"brainpoolP192r1", 192}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x01"), {"brainpoolP160r1", 160}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x02"), {"brainpoolP160t1", 160}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x04"), {"brainpoolP192t1", 192}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x06"), {"brainpoolP224t1", 224}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x08"), {"brainpoolP256t1", 256}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0a"), {"brainpoolP320t1", 320}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0c"), {"brainpoolP384t1", 384}},
    {OID("\x2b\x24\x03\x03\x02\x08\x01\x01\x0e"), {"brainpoolP512t1", 512}},
    {OID("\x2a\x81\x1c\xcf\x55\x01\x82\x2d"), {"SM2", 256}},
    {OID("\x2b\x81\x04\x00\x06"), {"secp112r1", 112}},
    {OID("\x2b\x81\x04\x00\x07"), {"secp112r2", 112}},
    {OID("\x2b\x81\x04\x00\x1c"), {"secp128r1", 128}},
    {OID("\x2b\x81\x04\x00\x1d"), {"secp128r2", 128}},
    {OID("\x2b\x81\x04\x00\x09"), {"secp160k1", 160}},
    {OID("\x2b\x81\x04\x00\x08"), {"secp160r1", 160}},
    {OID("\x2b\x81\x04\x00\x1e"), {"secp160r2", 160}},
    {OID("\x2b\x81\x04\x00\x1f"), {"secp192k1", 192}},
    {OID("\x2b\x81\x04\x00\x20"), {"secp224k1", 224}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x02"), {"prime192v2", 192}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x03"), {"prime192v3", 192}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x04"), {"prime239v1", 239}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x05"), {"prime239v2", 239}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x01\x06"), {"prime239v3", 239}},
    {OID("\x2b\x81\x04\x00\x04"), {"sect113r1", 113}},
    {OID("\x2b\x81\x04\x00\x05"), {"sect113r2", 113}},
    {OID("\x2b\x81\x04\x00\x16"), {"sect131r1", 131}},
    {OID("\x2b\x81\x04\x00\x17"), {"sect131r2", 131}},
    {OID("\x2b\x81\x04\x00\x01"), {"sect163k1", 163}},
    {OID("\x2b\x81\x04\x00\x02"), {"sect163r1", 163}},
    {OID("\x2b\x81\x04\x00\x0f"), {"sect163r2", 163}},
    {OID("\x2b\x81\x04\x00\x18"), {"sect193r1", 193}},
    {OID("\x2b\x81\x04\x00\x19"), {"sect193r2", 193}},
    {OID("\x2b\x81\x04\x00\x1a"), {"sect233k1", 233}},
    {OID("\x2b\x81\x04\x00\x1b"), {"sect233r1", 233}},
    {OID("\x2b\x81\x04\x00\x03"), {"sect239k1", 239}},
    {OID("\x2b\x81\x04\x00\x10"), {"sect283k1", 283}},
    {OID("\x2b\x81\x04\x00\x11"), {"sect283r1", 283}},
    {OID("\x2b\x81\x04\x00\x24"), {"sect409k1", 409}},
    {OID("\x2b\x81\x04\x00\x25"), {"sect409r1", 409}},
    {OID("\x2b\x81\x04\x00\x26"), {"sect571k1", 571}},
    {OID("\x2b\x81\x04\x00\x27"), {"sect571r1", 571}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x01"), {"c2pnb163v1", 163}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x02"), {"c2pnb163v2", 163}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x03"), {"c2pnb163v3", 163}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x04"), {"c2pnb176v1", 176}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x05"), {"c2tnb191v1", 191}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x06"), {"c2tnb191v2", 191}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x07"), {"c2tnb191v3", 191}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0a"), {"c2pnb208w1", 208}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0b"), {"c2tnb239v1", 239}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0c"), {"c2tnb239v2", 239}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x0d"), {"c2tnb239v3", 239}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x10"), {"c2pnb272w1", 272}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x11"), {"c2pnb304w1", 304}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x12"), {"c2tnb359v1", 359}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x13"), {"c2pnb368w1", 368}},
    {OID("\x2a\x86\x48\xce\x3d\x03\x00\x14"), {"c2tnb431r1", 431}},
    {OID("\x67\x2b\x01\x04\x01"), {"wap-wsg-idm-ecid-wtls1", 113}},
    {OID("\x67\x2b\x01\x04\x03"), {"wap-wsg-idm-ecid-wtls3", 163}},
    {OID("\x67\x2b\x01\x04\x04"), {"wap-wsg-idm-ecid-wtls4", 113}},
    {OID("\x67\x2b\x01\x04\x05"), {"wap-wsg-idm-ecid-wtls5", 163}},
    {OID("\x67\x2b\x01\x04\x06"), {"wap-wsg-idm-ecid-wtls6", 112}},
    {OID("\x67\x2b\x01\x04\x07"), {"wap-wsg-idm-ecid-wtls7", 160}},
    {OID("\x67\x2b\x01\x04\x08"), {"wap-wsg-idm-ecid-wtls8", 112}},
    {OID("\x67\x2b\x01\x04\x09"), {"wap-wsg-idm-ecid-wtls9", 160}},
    {OID("\x67\x2b\x01\x04\x0a"), {"wap-wsg-idm-ecid-wtls10", 233}},
    {OID("\x67\x2b\x01\x04\x0b"), {"wap-wsg-idm-ecid-wtls11", 233}},
    {OID("\x67\x2b\x01\x04\x0c"), {"wap-wsg-idm-ecid-wtls12", 224}},
};

struct digest_row {
	struct object_identifier oid;
	enum x509_digest digest;
};

static const struct digest_row digests[] = {
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01"), X509_DIGEST_SHA256},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02"), X509_DIGEST_SHA384},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03"), X509_DIGEST_SHA512},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x04"), X509_DIGEST_SHA224},
    {OID("\x2b\x0e\x03\x02\x1a"), X509_DIGEST_SHA1},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x07"), X509_DIGEST_SHA3_224},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x08"), X509_DIGEST_SHA3_256},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x09"), X509_DIGEST_SHA3_384},
    {OID("\x60\x86\x48\x01\x65\x03\x04\x02\x0a"), X509_DIGEST_SHA3_512},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x05"), X509_DIGEST_MD5},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x04"), X509_DIGEST_MD4},
    {OID("\x2a\x86\x48\x86\xf7\x0d\x02\x02"), X509_DIGEST_MD2},
};

static inline bool is(const struct object_identifier *known, struct view oid)
{
	return known->length == oid.length && oid.length > 0 &&
	       known->octets[oid.length - 1] == (char)oid.data[oid.length - 1] &&
	       memcmp(known->octets, oid.data, oid.length) == 0;
}

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

const struct x509_signature_algorithm *x509_find_signature_algorithm(struct view oid)
{
	for (size_t i = 0; i < COUNT(signatures); i++)
		if (is(&signatures[i].oid, oid))
			return &signatures[i].algorithm;
	return NULL;
}

const struct x509_key_algorithm *x509_find_key_algorithm(struct view oid)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (is(&keys[i].oid, oid))
			return &keys[i].algorithm;
	return NULL;
}

const struct x509_curve *x509_find_curve(struct view oid)
{
	for (size_t i = 0; i < COUNT(curves); i++)
		if (is(&curves[i].oid, oid))
			return &curves[i].curve;
	return NULL;
}

enum x509_digest x509_find_digest(struct view oid)
{
	for (size_t i = 0; i < COUNT(digests); i++)
		if (is(&digests[i].oid, oid))
			return digests[i].digest;
	return X509_DIGEST_UNKNOWN;
}
