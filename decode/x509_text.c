// SPDX-License-Identifier: Apache-2.0
// Names (RFC 4514) and object identifiers of certificates as text.
#include "decode/x509_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	WINDOW = 64, // attributes held at a time
	PIECE_MAX = 4, // bytes of a character as it is written
	OID_TEXT_MAX = 64,
	ATTRIBUTE_OID_MAX = 11,
};

// What is written, and how much room is left. Once something did not fit, nothing more is written.
struct text {
	uint8_t *bytes;
	size_t length, size;
	bool full;
};

static void put(struct text *text, const void *bytes, size_t length)
{
	if (length > text->size - text->length)
		text->full = true;
	if (text->full)
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

static void put_hex(struct text *text, uint8_t octet)
{
	static const char digits[] = "0123456789ABCDEF";
	char pair[2] = {digits[octet >> 4], digits[octet & 15]};
	put(text, pair, sizeof pair);
}

// A character as RFC 4514 2.4 has it, in UTF-8.
static void put_character(struct text *text, uint32_t character, bool first, bool last)
{
	static const char digits[] = "0123456789ABCDEF";
	char piece[PIECE_MAX];
	size_t length = 0;
	if (character < 0x20 || character == 0x7f) {
		piece[length++] = '\\';
		piece[length++] = digits[character >> 4];
		piece[length++] = digits[character & 15];
	} else if (character < 0x80) {
		if (strchr("\"+,;<>\\", (char)character) != NULL ||
		    (character == ' ' && (first || last)) || (character == '#' && first))
			piece[length++] = '\\';
		piece[length++] = (char)character;
	} else if (character < 0x800) {
		piece[length++] = (char)(0xc0 | character >> 6);
		piece[length++] = (char)(0x80 | (character & 0x3f));
	} else if (character < 0x10000) {
		piece[length++] = (char)(0xe0 | character >> 12);
		piece[length++] = (char)(0x80 | (character >> 6 & 0x3f));
		piece[length++] = (char)(0x80 | (character & 0x3f));
	} else {
		piece[length++] = (char)(0xf0 | character >> 18);
		piece[length++] = (char)(0x80 | (character >> 12 & 0x3f));
		piece[length++] = (char)(0x80 | (character >> 6 & 0x3f));
		piece[length++] = (char)(0x80 | (character & 0x3f));
	}
	put(text, piece, length);
}

static bool is_string(uint8_t tag)
{
	switch (tag) {
	case DER_UTF8_STRING:
	case DER_NUMERIC_STRING:
	case DER_PRINTABLE_STRING:
	case DER_T61_STRING:
	case DER_IA5_STRING:
	case DER_UTC_TIME:
	case DER_GENERALIZED_TIME:
	case DER_VISIBLE_STRING:
	case DER_UNIVERSAL_STRING:
	case DER_BMP_STRING:
		return true;
	default:
		return false;
	}
}

static void put_value(struct text *text, const struct der_element *value, bool known)
{
	struct view rest = value->content;
	if (!known || !is_string(value->tag)) {
		put(text, "#", 1);
		for (size_t i = 0; i < value->whole.length && !text->full; i++)
			put_hex(text, value->whole.data[i]);
		return;
	}
	while (rest.length > 0 && !text->full) {
		bool first = rest.data == value->content.data;
		const uint8_t *octet = rest.data;
		uint32_t character = x509_next_character(value->tag, &rest);
		if (character != X509_NO_CHARACTER)
			put_character(text, character, first, rest.length == 0);
		else if (value->tag == DER_UTF8_STRING)
			put(text, octet, 1);
		else
			put_character(text, 0xfffd, false, false);
	}
}

// Attribute types below 2.5.4 by their last arc, as OpenSSL abbreviates them (RFC 4519 and others).
static const char *const x520_names[] = {
    [3] = "CN",
    [4] = "SN",
    [5] = "serialNumber",
    [6] = "C",
    [7] = "L",
    [8] = "ST",
    [9] = "street",
    [10] = "O",
    [11] = "OU",
    [12] = "title",
    [13] = "description",
    [14] = "searchGuide",
    [15] = "businessCategory",
    [16] = "postalAddress",
    [17] = "postalCode",
    [18] = "postOfficeBox",
    [19] = "physicalDeliveryOfficeName",
    [20] = "telephoneNumber",
    [41] = "name",
    [42] = "GN",
    [43] = "initials",
    [44] = "generationQualifier",
    [45] = "x500UniqueIdentifier",
    [46] = "dnQualifier",
    [49] = "distinguishedName",
    [51] = "houseIdentifier",
    [65] = "pseudonym",
    [72] = "role",
    [97] = "organizationIdentifier",
};

static const struct attribute_name {
	uint8_t length;
	char oid[ATTRIBUTE_OID_MAX];
	const char *name;
} other_names[] = {
    {9, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress"},
    {9, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "unstructuredName"},
    {9, "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08", "unstructuredAddress"},
    {10, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID"},
    {10, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x03", "mail"},
    {10, "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC"},
    {11, "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01", "jurisdictionL"},
    {11, "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02", "jurisdictionST"},
    {11, "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03", "jurisdictionC"},
    {8, "\x2a\x85\x03\x03\x81\x03\x01\x01", "INN"},
    {5, "\x2a\x85\x03\x64\x01", "OGRN"},
    {5, "\x2a\x85\x03\x64\x03", "SNILS"},
    {5, "\x2a\x85\x03\x64\x05", "OGRNIP"},
};

static const char *attribute_name(struct view type)
{
	if (type.length == 3 && type.data[0] == 0x55 && type.data[1] == 0x04 &&
	    type.data[2] < sizeof x520_names / sizeof x520_names[0])
		return x520_names[type.data[2]];
	for (size_t i = 0; i < sizeof other_names / sizeof other_names[0]; i++)
		if (type.length == other_names[i].length &&
		    memcmp(type.data, other_names[i].oid, type.length) == 0)
			return other_names[i].name;
	return NULL;
}

static void put_attribute(struct text *text, const struct x509_attribute *attribute)
{
	char number[OID_TEXT_MAX];
	const char *known = attribute_name(attribute->type), *name = known;
	if (known == NULL) {
		x509_oid_text(attribute->type, number, sizeof number);
		name = number;
	}
	put(text, name, strlen(name));
	put(text, "=", 1);
	put_value(text, &attribute->value, known != NULL);
}

// Copies `count` attributes from `first` on. Returns how many the Name has.
static size_t collect(struct view name, size_t first, struct x509_attribute *window, size_t count)
{
	struct x509_attributes attributes;
	struct x509_attribute attribute;
	size_t met = 0;
	if (!x509_first_attribute(name, &attributes))
		return 0;
	for (; x509_next_attribute(&attributes, &attribute); met++)
		if (met >= first && met - first < count)
			window[met - first] = attribute;
	return met;
}

size_t x509_name_text(struct view name, uint8_t *buffer, size_t size)
{
	struct x509_attribute window[WINDOW];
	struct text text = {.bytes = buffer, .size = size};
	const char *separator = "";
	size_t end = collect(name, 0, NULL, 0);
	// From the last attribute to the first, a window at a time. Each window walks the Name again,
	// which is seldom: an attribute takes at least three bytes of the text.
	while (end > 0 && !text.full) {
		size_t first = end > WINDOW ? end - WINDOW : 0;
		collect(name, first, window, end - first);
		for (; end > first && !text.full; end--) {
			const struct x509_attribute *attribute = &window[end - 1 - first];
			put(&text, separator, strlen(separator));
			put_attribute(&text, attribute);
			separator = attribute->begins ? "," : "+";
		}
	}
	return text.length;
}

void x509_oid_text(struct view oid, char *buffer, size_t size)
{
	char text[OID_TEXT_MAX];
	size_t length = 0;
	uint64_t arc = 0;
	bool good = der_object_identifier_ok(oid), first = true;
	for (size_t i = 0; good && i < oid.length; i++) {
		good = arc <= UINT64_MAX >> 7;
		arc = arc << 7 | (oid.data[i] & 0x7f);
		if (oid.data[i] >= 0x80)
			continue;
		int written;
		if (first) {
			uint64_t root = arc < 80 ? arc / 40 : 2;
			written = snprintf(
			    text, sizeof text, "%" PRIu64 ".%" PRIu64, root, arc - root * 40);
		} else {
			written = snprintf(text + length, sizeof text - length, ".%" PRIu64, arc);
		}
		length += (size_t)written;
		good = good && length < sizeof text;
		first = false;
		arc = 0;
	}
	if (good && length < size)
		memcpy(buffer, text, length + 1);
	else if (size > 0)
		snprintf(buffer, size, "?");
}
