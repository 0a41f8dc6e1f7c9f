// SPDX-License-Identifier: Apache-2.0
// The key of a certificate (RFC 5280 4.1.2.7): its kind, size and curve.
#include "decode/x509_parts.h"

#include <string.h>

enum {
	POINT_COMPRESSED_EVEN = 2, // SEC 1 2.3.3
	POINT_COMPRESSED_ODD = 3,
	POINT_UNCOMPRESSED = 4,
	DEGREE_OCTETS_MAX = 2, // of a binary field's degree
};

// Significant bits of a number without sign.
static unsigned bit_length(struct view number)
{
	while (number.length > 0 && number.data[0] == 0)
		view_take(&number, 1);
	if (number.length == 0)
		return 0;
	unsigned bits = 8;
	while (!(number.data[0] >> (bits - 1)))
		bits--;
	return (unsigned)(number.length - 1) * 8 + bits;
}

// Takes a positive INTEGER. *bits is set even where the encoding is wrong.
static bool take_positive(
    struct x509 *certificate, struct view *from, unsigned *bits, const char *fault)
{
	struct der_element number;
	if (!x509_take(certificate, from, DER_INTEGER, &number, fault))
		return false;
	*bits = bit_length(number.content);
	if (!der_integer_ok(number.content) || number.content.data[0] >= 0x80 || *bits == 0)
		return x509_fault(certificate, fault);
	return true;
}

// RSAPublicKey (RFC 8017 A.1.1).
static void read_rsa(struct x509 *certificate, struct view key)
{
	static const char *const fault = "RSA key is malformed";
	struct der_element sequence;
	unsigned exponent_bits;
	if (!x509_take(certificate, &key, DER_SEQUENCE, &sequence, fault) ||
	    !x509_end(certificate, key, fault) ||
	    !take_positive(certificate, &sequence.content, &certificate->key_bits, fault) ||
	    !take_positive(certificate, &sequence.content, &exponent_bits, fault))
		return;
	x509_end(certificate, sequence.content, fault);
}

// RFC 3279 2.3.2. Without parameters the issuer's hold, which are not known here.
static void read_dsa(struct x509 *certificate, struct view parameters, struct view key)
{
	static const char *const fault = "DSA key is malformed";
	struct der_element sequence;
	unsigned bits;
	if (parameters.length > 0 && parameters.data[0] != DER_NULL) {
		if (!x509_take(certificate, &parameters, DER_SEQUENCE, &sequence, fault) ||
		    !take_positive(certificate, &sequence.content, &certificate->key_bits, fault) ||
		    !take_positive(certificate, &sequence.content, &bits, fault) ||
		    !take_positive(certificate, &sequence.content, &bits, fault) ||
		    !x509_end(certificate, sequence.content, fault))
			return;
	}
	if (take_positive(certificate, &key, &bits, fault))
		x509_end(certificate, key, fault);
}

// The size of the field that SpecifiedECDomain (X9.62, RFC 3279 2.3.5) describes: a prime, or the
// degree of a binary field. RFC 5480 forbids the form; it is read all the same.
static void read_explicit_curve(struct x509 *certificate, struct view parameters)
{
	static const char *const fault = "curve parameters are malformed";
	static const uint8_t prime_field[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01};
	static const uint8_t binary_field[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x02};
	struct der_element domain, version, field, kind, binary, degree;
	if (!x509_take(certificate, &parameters, DER_SEQUENCE, &domain, fault) ||
	    !x509_take(certificate, &domain.content, DER_INTEGER, &version, fault) ||
	    !x509_take(certificate, &domain.content, DER_SEQUENCE, &field, fault) ||
	    !x509_take(certificate, &field.content, DER_OBJECT_IDENTIFIER, &kind, fault) ||
	    kind.content.length != sizeof prime_field)
		return;
	if (memcmp(kind.content.data, prime_field, sizeof prime_field) == 0) {
		take_positive(certificate, &field.content, &certificate->key_bits, fault);
		return;
	}
	if (memcmp(kind.content.data, binary_field, sizeof binary_field) != 0 ||
	    !x509_take(certificate, &field.content, DER_SEQUENCE, &binary, fault) ||
	    !x509_take(certificate, &binary.content, DER_INTEGER, &degree, fault))
		return;
	if (!der_integer_ok(degree.content) || degree.content.data[0] >= 0x80 ||
	    degree.content.length > DEGREE_OCTETS_MAX)
		x509_fault(certificate, fault);
	else
		for (size_t i = 0; i < degree.content.length; i++)
			certificate->key_bits = certificate->key_bits << 8 | degree.content.data[i];
}

// RFC 5480 2.2: a point of the curve's field, compressed or not.
static bool point_ok(unsigned field_bits, struct view point)
{
	size_t octets = (field_bits + 7) / 8;
	switch (point.length > 0 ? point.data[0] : 0) {
	case POINT_UNCOMPRESSED:
		return point.length == 1 + 2 * octets;
	case POINT_COMPRESSED_EVEN:
	case POINT_COMPRESSED_ODD:
		return point.length == 1 + octets;
	default:
		return false;
	}
}

static void read_ec(struct x509 *certificate, struct view parameters, struct view point)
{
	struct der_element oid;
	if (parameters.length > 0 && parameters.data[0] == DER_SEQUENCE) {
		read_explicit_curve(certificate, parameters);
		return;
	}
	if (!x509_take(certificate, &parameters, DER_OBJECT_IDENTIFIER, &oid, "no curve"))
		return;
	certificate->curve_oid = oid.content;
	const struct x509_curve *curve = x509_find_curve(oid.content);
	if (curve == NULL)
		return;
	certificate->curve = curve->name;
	certificate->key_bits = curve->bits;
	if (!point_ok(curve->bits, point))
		x509_fault(certificate, "key is no point of its curve");
}

// Keys that are so many octets, and have no parameters.
static void read_octets(struct x509 *certificate, const struct x509_key_algorithm *known,
    struct view parameters, struct view key)
{
	certificate->key_bits = known->bits;
	if (key.length != known->octets)
		x509_fault(certificate, "key has a wrong length");
	else if (parameters.length > 0)
		x509_fault(certificate, "key has parameters that must not be");
}

void x509_read_key(struct x509 *certificate, struct view content)
{
	struct x509_algorithm algorithm;
	struct der_element bits;
	if (!x509_take_algorithm(certificate, &content, &algorithm, "no key algorithm"))
		return;
	certificate->key_oid = algorithm.oid;
	const struct x509_key_algorithm *known = x509_find_key_algorithm(algorithm.oid);
	certificate->key_type = known != NULL ? known->type : X509_KEY_UNKNOWN;
	if (!x509_take(certificate, &content, DER_BIT_STRING, &bits, "no key"))
		return;
	x509_end(certificate, content, "more behind the key");
	if (!der_bit_string_ok(bits.content)) {
		x509_fault(certificate, "key is no proper bit string");
		return;
	}
	struct view key = bits.content;
	view_take(&key, 1); // the number of unused bits
	if (certificate->key_type == X509_KEY_RSA || certificate->key_type == X509_KEY_RSA_PSS)
		read_rsa(certificate, key);
	else if (certificate->key_type == X509_KEY_DSA)
		read_dsa(certificate, algorithm.parameters, key);
	else if (certificate->key_type == X509_KEY_EC)
		read_ec(certificate, algorithm.parameters, key);
	else if (known != NULL)
		read_octets(certificate, known, algorithm.parameters, key);
}
