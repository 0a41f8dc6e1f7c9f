// SPDX-License-Identifier: Apache-2.0
#include "decode/x509_der.h"

#include <string.h>

// The octets of a tag number that does not fit the first octet (X.690 8.1.2.4), without the first.
static const char *take_tag_number(struct view *from)
{
	uint64_t number = 0;
	uint8_t octet;
	do {
		octet = view_u8(from);
		if (!view_ok(from))
			return "element is cut short";
		if (octet == 0x80 && number == 0)
			return "tag is not minimal";
		number = number << 7 | (octet & 0x7f);
		if (number > UINT32_MAX)
			return "tag is too large";
	} while (octet >= 0x80);
	return number < DER_TAG_NUMBER ? "tag is not minimal" : NULL;
}

static const char *take_length(struct view *from, size_t *length)
{
	uint8_t first = view_u8(from), octets = first & 0x7f;
	if (!view_ok(from))
		return "element is cut short";
	*length = first;
	if (first < 0x80)
		return NULL;
	if (octets == 0)
		return "length is indefinite";
	*length = 0;
	for (uint8_t i = 0; i < octets; i++) {
		uint8_t octet = view_u8(from);
		if (!view_ok(from))
			return "element is cut short";
		if (i == 0 && octet == 0)
			return "length is not minimal";
		if (*length > SIZE_MAX >> 8)
			return "element is cut short";
		*length = *length << 8 | octet;
	}
	return *length < 0x80 ? "length is not minimal" : NULL;
}

const char *der_take_header(struct view *from, uint8_t *tag, size_t *length)
{
	*tag = view_u8(from);
	if (!view_ok(from))
		return "element is cut short";
	if ((*tag & DER_TAG_NUMBER) == DER_TAG_NUMBER) {
		const char *fault = take_tag_number(from);
		if (fault != NULL)
			return fault;
	}
	return take_length(from, length);
}

// An element with a tag of one octet and a length of the forms 0x81 or 0x82, as nearly all long ones
// have. False: look closer.
static bool take_usual(struct view *from, struct der_element *element)
{
	const uint8_t *at = from->data;
	size_t header, length;
	if (from->length < 4 || (at[0] & DER_TAG_NUMBER) == DER_TAG_NUMBER)
		return false;
	if (at[1] == 0x82 && at[2] > 0) {
		header = 4;
		length = (size_t)at[2] << 8 | at[3];
	} else if (at[1] == 0x81 && at[2] >= 0x80) {
		header = 3;
		length = at[2];
	} else {
		return false;
	}
	if (from->length - header < length)
		return false;
	element->tag = at[0];
	element->whole = view_split(from, header + length);
	element->content = view_of(at + header, length);
	return true;
}

const char *der_take_long(struct view *from, struct der_element *element)
{
	struct view rest = *from;
	size_t length = 0;
	if (take_usual(from, element))
		return NULL;
	const char *fault = der_take_header(&rest, &element->tag, &length);
	if (fault == NULL && length > rest.length)
		fault = "element is cut short";
	if (fault != NULL)
		return fault;
	element->content = view_split(&rest, length);
	element->whole = view_of(from->data, from->length - rest.length);
	*from = rest;
	return NULL;
}

static uint64_t eight_octets(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

// True if one of the eight octets is 0x80.
static bool has_0x80(uint64_t word)
{
	uint64_t zero = word ^ UINT64_C(0x8080808080808080);
	return ((zero - UINT64_C(0x0101010101010101)) & ~zero & UINT64_C(0x8080808080808080)) != 0;
}

bool der_long_object_identifier_ok(struct view content)
{
	const uint8_t *octets = content.data;
	size_t length = content.length;
	if (length == 0 || octets[length - 1] >= 0x80)
		return false;
	if (length >= 8 && length <= 16 && !has_0x80(eight_octets(octets)) &&
	    !has_0x80(eight_octets(octets + length - 8)))
		return true;
	// An octet 0x80 is a leading zero where an arc begins with it.
	bool begins = true;
	for (size_t i = 0; i < length; i++) {
		if (begins && octets[i] == 0x80)
			return false;
		begins = octets[i] < 0x80;
	}
	return true;
}

bool der_value_ok(const struct der_element *element)
{
	// EXTERNAL, EMBEDDED PDV, SEQUENCE, SET, CHARACTER STRING: the others have no parts in DER.
	static const uint32_t with_parts = 1U << 8 | 1U << 11 | 1U << 16 | 1U << 17 | 1U << 29;
	unsigned number = element->tag & DER_TAG_NUMBER;
	if ((element->tag & DER_CLASS) != 0 || number == DER_TAG_NUMBER)
		return true;
	bool constructed = (element->tag & DER_CONSTRUCTED) != 0;
	if (number == 0 || constructed != (with_parts >> number & 1))
		return false;
	switch (element->tag) {
	case DER_BOOLEAN:
		return der_boolean_ok(element->content);
	case DER_INTEGER:
	case DER_ENUMERATED:
		return der_integer_ok(element->content);
	case DER_BIT_STRING:
		return der_bit_string_ok(element->content);
	case DER_NULL:
		return element->content.length == 0;
	case DER_OBJECT_IDENTIFIER:
		return der_object_identifier_ok(element->content);
	case DER_BMP_STRING:
		return element->content.length % 2 == 0;
	case DER_UNIVERSAL_STRING:
		return element->content.length % 4 == 0;
	default:
		return true;
	}
}
