// SPDX-License-Identifier: Apache-2.0
// What the parts of the reader of certificates share: how a fault is noted, how an element is asked
// for, and who reads what. Only for decode/x509*.c; pure, like all of it.
#ifndef MAILTAP_DECODE_X509_PARTS_H
#define MAILTAP_DECODE_X509_PARTS_H

#include "decode/x509.h"
#include "decode/x509_der.h"

// Notes what is wrong, if it is the first that is. Always false.
static inline bool x509_fault(struct x509 *certificate, const char *what)
{
	if (certificate->malformed == NULL)
		certificate->malformed = what;
	return false;
}

// Takes the next element, which must have `tag`. `missing`: the fault if there is none, or another.
static inline bool x509_take(struct x509 *certificate, struct view *from, uint8_t tag,
    struct der_element *element, const char *missing)
{
	if (from->length == 0 || from->data[0] != tag)
		return x509_fault(certificate, missing);
	const char *fault = der_take(from, element);
	return fault == NULL || x509_fault(certificate, fault);
}

// True if nothing is left.
static inline bool x509_end(struct x509 *certificate, struct view rest, const char *what)
{
	return rest.length == 0 || x509_fault(certificate, what);
}

// An AlgorithmIdentifier (RFC 5280 4.1.1.2).
struct x509_algorithm {
	struct view whole; // with tag and length
	struct view oid; // content octets
	struct view parameters; // one element with tag and length, or empty
};

// Takes an AlgorithmIdentifier.
bool x509_take_algorithm(struct x509 *certificate, struct view *from,
    struct x509_algorithm *algorithm, const char *missing);

// Walks a Name (its content) for faults.
void x509_check_name(struct x509 *certificate, struct view content);

// Reads the facts of a SubjectPublicKeyInfo (its content).
void x509_read_key(struct x509 *certificate, struct view content);

// Reads the facts of the extensions (the content of the SEQUENCE).
void x509_read_extensions(struct x509 *certificate, struct view list);

// A kind of key: what follows from its object identifier.
struct x509_key_algorithm {
	enum x509_key_type type;
	uint16_t bits; // 0: they stand in the key
	uint16_t octets; // of the key; 0: no fixed number
};

// NULL: none of those known.
const struct x509_key_algorithm *x509_find_key_algorithm(struct view oid);

struct x509_signature_algorithm {
	const char *name;
	enum x509_digest digest; // unknown: it stands in the parameters, or is not known
	bool is_pss;
};

// NULL: none of those known.
const struct x509_signature_algorithm *x509_find_signature_algorithm(struct view oid);

struct x509_curve {
	const char *name;
	uint16_t bits; // of the field
};

// NULL: none of those known.
const struct x509_curve *x509_find_curve(struct view oid);

enum x509_digest x509_find_digest(struct view oid);

#endif
