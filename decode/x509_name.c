// SPDX-License-Identifier: Apache-2.0
// Names of certificates (RFC 5280 4.1.2.4): what is wrong with one, its commonName, its attributes
// one by one.
#include "decode/x509_name.h"

#include <string.h>

bool x509_first_attribute(struct view name, struct x509_attributes *attributes)
{
	struct der_element sequence;
	*attributes = (struct x509_attributes){0};
	if (name.length == 0 || name.data[0] != DER_SEQUENCE || der_take(&name, &sequence) != NULL)
		return false;
	attributes->sets = sequence.content;
	return true;
}

// Takes an element that must have `tag`, or any but none if that is 0. NULL, or what is wrong.
static const char *take(struct view *from, uint8_t tag, struct der_element *element)
{
	if (from->length == 0 || (tag != 0 && from->data[0] != tag))
		return "name is malformed";
	return der_take(from, element);
}

bool x509_next_attribute(struct x509_attributes *attributes, struct x509_attribute *attribute)
{
	struct der_element set, sequence, type = {0};
	const char *fault = NULL;
	attribute->begins = attributes->set.length == 0;
	if (attribute->begins) {
		if (attributes->sets.length == 0)
			return false;
		fault = take(&attributes->sets, DER_SET, &set);
		if (fault == NULL)
			attributes->set = set.content;
	}
	if (fault == NULL)
		fault = take(&attributes->set, DER_SEQUENCE, &sequence);
	if (fault == NULL)
		fault = take(&sequence.content, DER_OBJECT_IDENTIFIER, &type);
	if (fault == NULL)
		fault = take(&sequence.content, 0, &attribute->value);
	if (fault == NULL && sequence.content.length > 0)
		fault = "name is malformed";
	attribute->type = type.content;
	attributes->fault = fault;
	return fault == NULL;
}

static inline bool is_surrogate(uint32_t character)
{
	return character >= 0xd800 && character <= 0xdfff;
}

uint32_t x509_next_character(uint8_t tag, struct view *text)
{
	size_t length = tag == DER_BMP_STRING ? 2 : tag == DER_UNIVERSAL_STRING ? 4 : 1;
	uint32_t character = 0;
	if (tag == DER_UTF8_STRING && text->data[0] >= 0x80)
		return x509_next_utf8(text);
	if (length > text->length) {
		view_take(text, text->length);
		return X509_NO_CHARACTER;
	}
	for (size_t i = 0; i < length; i++)
		character = character << 8 | text->data[i];
	view_take(text, length);
	return is_surrogate(character) || character > X509_CHARACTER_MAX ? X509_NO_CHARACTER
	                                                                 : character;
}

// RFC 3629: the shortest form, no surrogates, nothing above 0x10ffff.
uint32_t x509_next_utf8(struct view *text)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = text->data[0];
	size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t character = first & (0x7fU >> length);
	bool good = first >= 0xc2 && first <= 0xf4 && text->length >= length;
	for (size_t i = 1; good && i < length; i++) {
		good = (text->data[i] & 0xc0) == 0x80;
		character = character << 6 | (text->data[i] & 0x3f);
	}
	good = good && character >= lowest[length] && character <= X509_CHARACTER_MAX &&
	       !is_surrogate(character);
	view_take(text, good ? length : 1);
	return good ? character : X509_NO_CHARACTER;
}

static inline uint64_t eight_octets(const uint8_t *at)
{
	uint64_t word;
	memcpy(&word, at, sizeof word);
	return word;
}

// True if all octets are ASCII, as most names are. Eight at a time, the last eight once more.
static bool is_ascii(struct view text)
{
	uint64_t all = 0;
	size_t at = 0;
	if (text.length < 8) {
		for (; at < text.length; at++)
			all |= text.data[at];
		return all < 0x80;
	}
	for (; at + 8 < text.length; at += 8)
		all |= eight_octets(text.data + at);
	all |= eight_octets(text.data + text.length - 8);
	return (all & UINT64_C(0x8080808080808080)) == 0;
}

static const char *string_fault(const struct der_element *value)
{
	struct view text = value->content;
	switch (value->tag) {
	case DER_UTF8_STRING:
		if (is_ascii(text))
			return NULL;
		break;
	case DER_BMP_STRING:
	case DER_UNIVERSAL_STRING:
		break;
	case DER_PRINTABLE_STRING:
		return NULL;
	default:
		return der_value_ok(value) ? NULL : "value is malformed";
	}
	while (text.length > 0)
		if (x509_next_character(value->tag, &text) == X509_NO_CHARACTER)
			return "name is not in its character set";
	return NULL;
}

void x509_check_name(struct x509 *certificate, struct view content)
{
	struct x509_attributes attributes = {.sets = content};
	struct x509_attribute attribute;
	while (x509_next_attribute(&attributes, &attribute)) {
		const char *fault = string_fault(&attribute.value);
		if (!der_object_identifier_ok(attribute.type))
			fault = "object identifier is malformed";
		if (fault != NULL)
			x509_fault(certificate, fault);
	}
	if (attributes.fault != NULL)
		x509_fault(certificate, attributes.fault);
}

struct view x509_common_name(struct view name)
{
	struct x509_attributes attributes;
	struct x509_attribute attribute;
	struct view found = {NULL, 0};
	if (!x509_first_attribute(name, &attributes))
		return found;
	while (x509_next_attribute(&attributes, &attribute))
		if (attribute.type.length == 3 &&
		    memcmp(attribute.type.data, "\x55\x04\x03", 3) == 0)
			found = attribute.value.content;
	return found;
}
