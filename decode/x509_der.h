// SPDX-License-Identifier: Apache-2.0
// Elements of DER (X.690): tag, length, content, taken one after another from a bounded view. Owns
// nothing. Used by the readers of certificates only.
#ifndef MAILTAP_DECODE_X509_DER_H
#define MAILTAP_DECODE_X509_DER_H

#include "capture/base/view.h"

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OBJECT_IDENTIFIER = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_NUMERIC_STRING = 0x12,
	DER_PRINTABLE_STRING = 0x13,
	DER_T61_STRING = 0x14,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_VISIBLE_STRING = 0x1a,
	DER_UNIVERSAL_STRING = 0x1c,
	DER_BMP_STRING = 0x1e,
	DER_CONSTRUCTED = 0x20, // a bit
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CLASS = 0xc0, // the bits of it; none set: universal
	DER_CONTEXT = 0x80, // the class, to which a number below 31 is added
	DER_TAG_NUMBER =
	    0x1f, // the bits that hold the number; all set: it stands in further octets
};

struct der_element {
	uint8_t tag; // the first octet of the tag
	struct view content, whole; // whole: with tag and length
};

// Takes a tag and a length, as der_take does, without regard to how much content there is. `from` is
// of no use after a fault.
const char *der_take_header(struct view *from, uint8_t *tag, size_t *length);

// Takes an element with a tag or a length of several octets. As der_take.
const char *der_take_long(struct view *from, struct der_element *element);

// Takes the next element. Returns NULL, or what is wrong: then nothing was taken. Lengths must be
// definite, minimal (X.690 10.1) and within `from`.
static inline const char *der_take(struct view *from, struct der_element *element)
{
	const uint8_t *start = from->data;
	if (from->length < 2 || start[1] >= 0x80 || from->length - 2 < start[1] ||
	    (start[0] & DER_TAG_NUMBER) == DER_TAG_NUMBER) {
		// Through copies, so that what the caller has can stay in registers.
		struct view rest = *from;
		struct der_element taken = {0};
		const char *fault = der_take_long(&rest, &taken);
		*from = rest;
		*element = taken;
		return fault;
	}
	size_t length = start[1];
	element->tag = start[0];
	element->content = view_of(start + 2, length);
	element->whole = view_of(start, length + 2);
	from->data += length + 2;
	from->length -= length + 2;
	return NULL;
}

// True if the content of a BOOLEAN keeps X.690 11.1.
static inline bool der_boolean_ok(struct view content)
{
	return content.length == 1 && (content.data[0] == 0 || content.data[0] == 0xff);
}

// As der_object_identifier_ok, for identifiers of any length.
bool der_long_object_identifier_ok(struct view content);

// True if the content of an OBJECT IDENTIFIER keeps X.690 8.19: not empty, the last arc complete, no
// arc with leading zeros.
static inline bool der_object_identifier_ok(struct view content)
{
	const uint8_t *octets = content.data;
	if (content.length == 3 && (octets[0] | octets[1] | octets[2]) < 0x80)
		return true; // as most are: attributes and extensions of X.500
	return der_long_object_identifier_ok(content);
}

// True if the content of an INTEGER keeps X.690 8.3.2: not empty, no octet more than needed.
static inline bool der_integer_ok(struct view content)
{
	if (content.length < 2)
		return content.length == 1;
	uint8_t first = content.data[0];
	bool second_negative = content.data[1] >= 0x80;
	return !(first == 0 && !second_negative) && !(first == 0xff && second_negative);
}

// True if the content of a BIT STRING keeps X.690 8.6.2 and 11.2.1: it says how many bits are
// unused, and those are zero.
static inline bool der_bit_string_ok(struct view content)
{
	if (content.length < 2)
		return content.length == 1 && content.data[0] == 0;
	uint8_t unused = content.data[0], last = content.data[content.length - 1];
	return unused == 0 || (unused < 8 && (last & ((1U << unused) - 1)) == 0);
}

// True if the element, of whatever type, is encoded as its universal tag demands: in the one form
// that DER leaves it, and with proper content where that is a BOOLEAN, INTEGER, ENUMERATED, BIT
// STRING, NULL or OBJECT IDENTIFIER. Characters of strings and parts of what has parts are not looked
// at. Of another class: true.
bool der_value_ok(const struct der_element *element);

#endif
