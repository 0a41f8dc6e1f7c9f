// SPDX-License-Identifier: Apache-2.0
#include "analytics/name_match.h"

#include "capture/base/ascii.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

enum {
	HOST_NAME_MAX_BYTES = 253, // RFC 1035 2.3.4, without the root's empty label
	LABEL_MAX_BYTES = 63,
	REFERENCE_MAX_BYTES = 1024, // before it became A-labels
	ADDRESS_TEXT_MAX = 63,
};

// What is compared with: one of the two.
struct reference {
	uint8_t address[16];
	size_t address_length; // 4, 16; 0: a host name
	char name[HOST_NAME_MAX_BYTES]; // lower case
	size_t length;
	unsigned labels;
};

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
}

// Letters, digits, hyphens; and the underscore, which some give their hosts against RFC 952.
static bool is_host_byte(uint8_t byte)
{
	return is_digit(byte) || (lower(byte) >= 'a' && lower(byte) <= 'z') || byte == '-' ||
	       byte == '_';
}

// Reads an address from text. Returns its bytes' number, 0: it is none.
static size_t read_address(struct view text, uint8_t address[16])
{
	char terminated[ADDRESS_TEXT_MAX + 1];
	if (text.length == 0 || text.length > ADDRESS_TEXT_MAX ||
	    memchr(text.data, '\0', text.length) != NULL)
		return 0;
	memcpy(terminated, text.data, text.length);
	terminated[text.length] = '\0';
	if (inet_pton(AF_INET, terminated, address) == 1)
		return 4;
	return inet_pton(AF_INET6, terminated, address) == 1 ? 16 : 0;
}

// Takes an ASCII host name. False: it is none. A last label of digits only is an address that was
// written wrongly, as no top-level domain is numeric.
static bool read_host_name(struct view text, struct reference *reference)
{
	size_t label = 0;
	bool numeric = true;
	if (text.length == 0 || text.length > HOST_NAME_MAX_BYTES)
		return false;
	reference->labels = 1;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.data[i];
		reference->name[i] = (char)lower(byte);
		if (byte == '.') {
			if (label == 0)
				return false;
			label = 0;
			numeric = true;
			reference->labels++;
			continue;
		}
		numeric = numeric && is_digit(byte);
		if (!is_host_byte(byte) || ++label > LABEL_MAX_BYTES)
			return false;
	}
	reference->length = text.length;
	return label > 0 && !numeric;
}

static bool is_ascii(struct view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] > 0x7f)
			return false;
	return true;
}

// An internationalised host name in UTF-8, to A-labels (RFC 5891 5, with the mapping of UTS 46).
static bool read_international_name(struct view text, struct reference *reference)
{
	uint8_t terminated[REFERENCE_MAX_BYTES + 1], *ascii = NULL;
	if (text.length > REFERENCE_MAX_BYTES || memchr(text.data, '\0', text.length) != NULL)
		return false;
	memcpy(terminated, text.data, text.length);
	terminated[text.length] = '\0';
	if (idn2_lookup_u8(terminated, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	bool good = read_host_name(view_of(ascii, strlen((const char *)ascii)), reference);
	idn2_free(ascii);
	return good;
}

// A name that a server gives itself says something only if a client could have asked for it. (An address
// has no labels.)
static bool is_telling(const struct reference *reference)
{
	static const char local[] = "localhost.localdomain";
	return reference->labels >= 2 && (reference->length != sizeof local - 1 ||
	                                     memcmp(reference->name, local, sizeof local - 1) != 0);
}

// False: there is nothing to compare with.
static bool read_reference(struct view text, enum name_source source, struct reference *reference)
{
	*reference = (struct reference){0};
	if (text.data == NULL)
		return false;
	if (text.length > 0 && text.data[text.length - 1] == '.')
		text.length--;
	reference->address_length = read_address(text, reference->address);
	if (reference->address_length == 0) {
		bool good = is_ascii(text) ? read_host_name(text, reference)
		                           : read_international_name(text, reference);
		if (!good)
			return false;
	}
	return source == NAME_FROM_SNI || is_telling(reference);
}

static bool same_text(const uint8_t *text, const char *lower_case, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (lower(text[i]) != (uint8_t)lower_case[i])
			return false;
	return true;
}

// A name as a certificate presents it. That all of its bytes are good follows from their being equal
// to a good reference.
static bool host_name_matches(struct view presented, const struct reference *reference)
{
	const char *name = reference->name;
	size_t length = reference->length;
	if (presented.data == NULL)
		return false;
	if (presented.length > 2 && presented.data[0] == '*' && presented.data[1] == '.') {
		const char *dot = memchr(name, '.', length);
		if (dot == NULL || reference->labels < 3)
			return false;
		length -= (size_t)(dot - name);
		name = dot;
		presented = view_of(presented.data + 1, presented.length - 1);
	}
	return presented.length == length && same_text(presented.data, name, length);
}

// The same, and an address where the certificate has one as text.
static bool common_name_matches(struct view common_name, const struct reference *reference)
{
	uint8_t address[16];
	if (reference->address_length == 0)
		return host_name_matches(common_name, reference);
	return read_address(common_name, address) == reference->address_length &&
	       memcmp(address, reference->address, reference->address_length) == 0;
}

// Goes through the alternative names. *any: there is one of the kind asked for.
static bool alternative_name_matches(
    struct view names, const struct reference *reference, bool *any)
{
	enum x509_name_type wanted = reference->address_length > 0 ? X509_NAME_IP : X509_NAME_DNS;
	enum x509_name_type type;
	struct view name;
	*any = false;
	while (x509_next_name(&names, &type, &name)) {
		if (type != wanted)
			continue;
		*any = true;
		if (type == X509_NAME_DNS
		        ? host_name_matches(name, reference)
		        : name.length == reference->address_length &&
		              memcmp(name.data, reference->address, name.length) == 0)
			return true;
	}
	return false;
}

enum name_match name_match(
    const struct x509 *certificate, struct view reference_text, enum name_source source)
{
	struct reference reference;
	bool any;
	if (!read_reference(reference_text, source, &reference))
		return NAME_UNKNOWN;
	if (alternative_name_matches(certificate->alternative_names, &reference, &any))
		return NAME_MATCH_SAN;
	if (certificate->malformed != NULL && certificate->alternative_names.data == NULL)
		return NAME_UNKNOWN; // it may have names that could not be read
	if (!any && common_name_matches(x509_common_name(certificate->subject), &reference))
		return NAME_MATCH_COMMON_NAME_ONLY;
	return NAME_MISMATCH;
}
