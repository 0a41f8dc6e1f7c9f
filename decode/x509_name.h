// SPDX-License-Identifier: Apache-2.0
// The attributes of a Name one by one, and the characters of a string of any ASN.1 type. Only for
// decode/x509*.c; pure, owns nothing.
#ifndef MAILTAP_DECODE_X509_NAME_H
#define MAILTAP_DECODE_X509_NAME_H

#include "decode/x509_parts.h"

#define X509_CHARACTER_MAX UINT32_C(0x10ffff)
#define X509_NO_CHARACTER UINT32_MAX

struct x509_attribute {
	struct view type; // object identifier, content octets
	struct der_element value;
	bool begins; // the first of its RDN
};

// Where a walk over a Name stands.
struct x509_attributes {
	struct view sets, set; // what is left of the Name and of its current RDN
	const char *fault; // why the walk ended early; NULL: it did not
};

// Begins a walk over a Name (with tag and length). False: it is none.
bool x509_first_attribute(struct view name, struct x509_attributes *attributes);

// The next attribute. False: no more, or `fault` says what is wrong.
bool x509_next_attribute(struct x509_attributes *attributes, struct x509_attribute *attribute);

// Takes a character of a string, of which there must be some octets left. Types of one octet a
// character are read as ISO 8859-1, as T61String in practice is. X509_NO_CHARACTER: the octets
// taken are none of the type.
uint32_t x509_next_character(uint8_t tag, struct view *text);

// The same for UTF-8, and an octet above 127 to begin with.
uint32_t x509_next_utf8(struct view *text);

#endif
