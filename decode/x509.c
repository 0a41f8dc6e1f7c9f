// SPDX-License-Identifier: Apache-2.0
// The walk over a certificate (RFC 5280 4.1): its parts in their order, and what each must look like.
// Keys, names and extensions are read in files of their own.
//
// Malformed is what DER (X.690) or RFC 5280 clearly forbids and a careful reader refuses. Tolerated,
// because it is common, means one thing only and clients take it: default values written out
// (version 1, critical FALSE, cA FALSE); attributes of a multi-valued RDN out of order; characters
// that their string type does not have, where bytes are still characters; serial numbers that are
// negative, zero or longer than 20 octets (4.1.2.2 asks readers to handle them); GeneralizedTime
// for years before 2050; a validity that ends before it begins.
#include "decode/x509_parts.h"

#include <string.h>

enum {
	TAG_VERSION = DER_CONTEXT | DER_CONSTRUCTED | 0,
	TAG_ISSUER_UNIQUE_ID = DER_CONTEXT | 1,
	TAG_SUBJECT_UNIQUE_ID = DER_CONTEXT | 2,
	TAG_EXTENSIONS = DER_CONTEXT | DER_CONSTRUCTED | 3,
	UTC_TIME_LENGTH = 13, // YYMMDDHHMMSSZ
	GENERALIZED_TIME_LENGTH = 15, // YYYYMMDDHHMMSSZ
	DAYS_TO_1970 = 719528, // from the first of January of the year 0
};

static bool same(struct view one, struct view other)
{
	return one.length == other.length && memcmp(one.data, other.data, one.length) == 0;
}

// Takes a SEQUENCE that may be cut short: what there is of it is read all the same.
static bool take_sequence_cut(
    struct x509 *certificate, struct view *from, struct view *content, const char *missing)
{
	uint8_t tag;
	size_t length;
	if (from->length == 0 || from->data[0] != DER_SEQUENCE)
		return x509_fault(certificate, missing);
	const char *fault = der_take_header(from, &tag, &length);
	if (fault != NULL)
		return x509_fault(certificate, fault);
	if (length > from->length) {
		x509_fault(certificate, "certificate is cut short");
		length = from->length;
	}
	*content = view_split(from, length);
	return true;
}

bool x509_take_algorithm(struct x509 *certificate, struct view *from,
    struct x509_algorithm *algorithm, const char *missing)
{
	struct der_element sequence, oid, parameters;
	if (!x509_take(certificate, from, DER_SEQUENCE, &sequence, missing))
		return false;
	struct view rest = sequence.content;
	algorithm->whole = sequence.whole;
	if (!x509_take(certificate, &rest, DER_OBJECT_IDENTIFIER, &oid, missing))
		return false;
	if (!der_object_identifier_ok(oid.content))
		return x509_fault(certificate, "object identifier is malformed");
	algorithm->oid = oid.content;
	algorithm->parameters = rest;
	if (rest.length == 0)
		return true;
	const char *fault = der_take(&rest, &parameters);
	if (fault == NULL && !der_value_ok(&parameters))
		fault = "value is malformed";
	if (fault != NULL)
		return x509_fault(certificate, fault);
	return x509_end(certificate, rest, "algorithm has more than parameters");
}

// RSASSA-PSS-params (RFC 4055 3.1): the hash is the first member, SHA-1 if it is not there.
static enum x509_digest pss_digest(struct x509 *certificate, struct view parameters)
{
	static const char *const fault = "RSASSA-PSS parameters are malformed";
	struct der_element sequence, hash;
	struct x509_algorithm algorithm;
	if (!x509_take(certificate, &parameters, DER_SEQUENCE, &sequence, fault))
		return X509_DIGEST_UNKNOWN;
	struct view rest = sequence.content;
	if (rest.length == 0 || rest.data[0] != (DER_CONTEXT | DER_CONSTRUCTED | 0))
		return X509_DIGEST_SHA1;
	if (!x509_take(certificate, &rest, rest.data[0], &hash, fault) ||
	    !x509_take_algorithm(certificate, &hash.content, &algorithm, fault) ||
	    !x509_end(certificate, hash.content, fault))
		return X509_DIGEST_UNKNOWN;
	return x509_find_digest(algorithm.oid);
}

static void signature_facts(struct x509 *certificate, const struct x509_algorithm *algorithm)
{
	certificate->signature_oid = algorithm->oid;
	const struct x509_signature_algorithm *known =
	    x509_find_signature_algorithm(algorithm->oid);
	if (known == NULL)
		return;
	certificate->signature_algorithm = known->name;
	certificate->signature_digest =
	    known->is_pss ? pss_digest(certificate, algorithm->parameters) : known->digest;
}

// Two digits; *good false if they are none.
static unsigned two_digits(const uint8_t *text, bool *good)
{
	unsigned tens = (unsigned)text[0] - '0', ones = (unsigned)text[1] - '0';
	if (tens > 9 || ones > 9)
		*good = false;
	return tens * 10 + ones;
}

// Days from 1970 to a day of the Gregorian calendar; false if the calendar does not have it.
static bool day_number(unsigned year, unsigned month, unsigned day, int64_t *days)
{
	static const uint16_t before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
	if (month < 1 || month > 12)
		return false;
	unsigned in_month = (unsigned)(before[month] - before[month - 1]) + (month == 2 && leap);
	if (day < 1 || day > in_month)
		return false;
	int64_t leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
	*days = 365 * (int64_t)year + leap_days + before[month - 1] + (month > 2 && leap) + day -
	        1 - DAYS_TO_1970;
	return true;
}

// A Time as RFC 5280 4.1.2.5 has it: with seconds, without fractions, in UTC.
static bool read_time(uint8_t tag, struct view text, int64_t *seconds)
{
	bool good = true;
	unsigned year;
	const uint8_t *at = text.data;
	if (tag == DER_UTC_TIME && text.length == UTC_TIME_LENGTH) {
		year = two_digits(at, &good);
		year += year < 50 ? 2000 : 1900;
		at += 2;
	} else if (tag == DER_GENERALIZED_TIME && text.length == GENERALIZED_TIME_LENGTH) {
		year = two_digits(at, &good) * 100 + two_digits(at + 2, &good);
		at += 4;
	} else {
		return false;
	}
	unsigned month = two_digits(at, &good), day = two_digits(at + 2, &good);
	unsigned hour = two_digits(at + 4, &good), minute = two_digits(at + 6, &good);
	unsigned second = two_digits(at + 8, &good);
	int64_t days;
	if (!good || at[10] != 'Z' || hour > 23 || minute > 59 || second > 59 ||
	    !day_number(year, month, day, &days))
		return false;
	*seconds = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

static void read_validity(struct x509 *certificate, struct view content)
{
	int64_t *times[] = {&certificate->not_before, &certificate->not_after};
	for (size_t i = 0; i < 2; i++) {
		struct der_element time;
		const char *fault = der_take(&content, &time);
		if (fault == NULL && !read_time(time.tag, time.content, times[i]))
			fault = "validity has no proper time";
		if (fault != NULL) {
			x509_fault(certificate, fault);
			return;
		}
	}
	certificate->validity_read =
	    x509_end(certificate, content, "validity has more than two times");
}

static bool read_version(struct x509 *certificate, struct view *tbs)
{
	struct der_element outer, number;
	if (tbs->length == 0 || tbs->data[0] != TAG_VERSION) {
		certificate->version = tbs->length > 0 ? 1 : 0; // the default
		return true;
	}
	if (!x509_take(certificate, tbs, TAG_VERSION, &outer, "no version"))
		return false;
	if (!x509_take(certificate, &outer.content, DER_INTEGER, &number, "no version") ||
	    !x509_end(certificate, outer.content, "version has more than a number"))
		return true;
	struct view value = number.content;
	if (value.length == 1 && value.data[0] <= 2)
		certificate->version = value.data[0] + 1U;
	else
		x509_fault(certificate, "version is none of 1, 2, 3");
	return true;
}

static bool read_serial(struct x509 *certificate, struct view *tbs)
{
	struct der_element serial;
	if (!x509_take(certificate, tbs, DER_INTEGER, &serial, "no serial number"))
		return false;
	if (!der_integer_ok(serial.content))
		x509_fault(certificate, "serial number is not minimal");
	certificate->serial = serial.content;
	return true;
}

// Issuer, validity, subject.
static bool read_names(struct x509 *certificate, struct view *tbs)
{
	struct der_element issuer, validity, subject;
	if (!x509_take(certificate, tbs, DER_SEQUENCE, &issuer, "no issuer"))
		return false;
	certificate->issuer = issuer.whole;
	x509_check_name(certificate, issuer.content);
	if (issuer.content.length == 0)
		x509_fault(certificate, "issuer is empty");
	if (!x509_take(certificate, tbs, DER_SEQUENCE, &validity, "no validity"))
		return false;
	read_validity(certificate, validity.content);
	if (!x509_take(certificate, tbs, DER_SEQUENCE, &subject, "no subject"))
		return false;
	certificate->subject = subject.whole;
	certificate->self_issued = same(issuer.whole, subject.whole);
	if (!certificate->self_issued)
		x509_check_name(certificate, subject.content);
	return true;
}

// The unique identifiers of version 2, of which nobody makes use.
static bool skip_unique_ids(struct x509 *certificate, struct view *tbs)
{
	for (uint8_t tag = TAG_ISSUER_UNIQUE_ID; tag <= TAG_SUBJECT_UNIQUE_ID; tag++) {
		struct der_element id;
		if (tbs->length == 0 || tbs->data[0] != tag)
			continue;
		if (!x509_take(certificate, tbs, tag, &id, "no unique identifier"))
			return false;
		if (!der_bit_string_ok(id.content))
			x509_fault(certificate, "unique identifier is malformed");
		if (certificate->version == 1)
			x509_fault(certificate, "unique identifier in version 1");
	}
	return true;
}

static void read_tbs(struct x509 *certificate, struct view tbs, struct x509_algorithm *algorithm)
{
	struct der_element spki, outer, list;
	if (!read_version(certificate, &tbs) || !read_serial(certificate, &tbs) ||
	    !x509_take_algorithm(certificate, &tbs, algorithm, "no signature algorithm"))
		return;
	signature_facts(certificate, algorithm);
	if (!read_names(certificate, &tbs) ||
	    !x509_take(certificate, &tbs, DER_SEQUENCE, &spki, "no public key"))
		return;
	certificate->spki = spki.whole;
	x509_read_key(certificate, spki.content);
	if (!skip_unique_ids(certificate, &tbs) || tbs.length == 0)
		return;
	if (!x509_take(certificate, &tbs, TAG_EXTENSIONS, &outer, "unknown part behind the key"))
		return;
	if (certificate->version == 1 || certificate->version == 2)
		x509_fault(certificate, "extensions in version 1 or 2");
	if (x509_take(certificate, &outer.content, DER_SEQUENCE, &list, "no list of extensions")) {
		x509_read_extensions(certificate, list.content);
		x509_end(certificate, outer.content, "more behind the list of extensions");
	}
	x509_end(certificate, tbs, "more behind the extensions");
}

// What follows the part that is signed.
static void read_signature(
    struct x509 *certificate, struct view rest, const struct x509_algorithm *inner)
{
	struct x509_algorithm outer = {0};
	struct der_element signature;
	if (!x509_take_algorithm(certificate, &rest, &outer, "no outer signature algorithm"))
		return;
	if (!view_ok(&inner->oid))
		signature_facts(certificate, &outer);
	else if (!same(inner->whole, outer.whole))
		x509_fault(certificate, "signature algorithms differ");
	if (!x509_take(certificate, &rest, DER_BIT_STRING, &signature, "no signature"))
		return;
	if (!der_bit_string_ok(signature.content))
		x509_fault(certificate, "signature is no proper bit string");
	x509_end(certificate, rest, "more behind the signature");
}

void x509_read(struct view der, struct x509 *certificate)
{
	struct view body, tbs;
	struct x509_algorithm inner = {0};
	*certificate = (struct x509){.der = der};
	if (!take_sequence_cut(certificate, &der, &body, "no certificate"))
		return;
	x509_end(certificate, der, "more behind the certificate");
	if (!take_sequence_cut(certificate, &body, &tbs, "no part to be signed"))
		return;
	read_tbs(certificate, tbs, &inner);
	read_signature(certificate, body, &inner);
	if (certificate->version == 1 && certificate->self_issued)
		certificate->is_ca = true;
}

const char *x509_key_type_name(enum x509_key_type type)
{
	static const char *const names[X509_KEY_TYPES] = {
	    [X509_KEY_RSA] = "rsa",
	    [X509_KEY_RSA_PSS] = "rsa_pss",
	    [X509_KEY_DSA] = "dsa",
	    [X509_KEY_EC] = "ec",
	    [X509_KEY_ED25519] = "ed25519",
	    [X509_KEY_ED448] = "ed448",
	    [X509_KEY_X25519] = "x25519",
	    [X509_KEY_X448] = "x448",
	    [X509_KEY_ML_DSA] = "ml_dsa",
	};
	return type < X509_KEY_TYPES ? names[type] : NULL;
}
