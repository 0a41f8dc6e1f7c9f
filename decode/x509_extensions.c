// SPDX-License-Identifier: Apache-2.0
// The extensions of a certificate (RFC 5280 4.2): alternative names, basic constraints, extended key
// usage, embedded SCTs. The values of others are not looked into.
#include "decode/x509_parts.h"

#include <string.h>

enum {
	STANDARD_EXTENSIONS = 64, // below 2.5.29
	EXTENSION_ALTERNATIVE_NAME = 17,
	EXTENSION_BASIC_CONSTRAINTS = 19,
	EXTENSION_KEY_USES = 37, // extKeyUsage
	OTHERS_MAX = 32, // extensions outside of 2.5.29 that are kept to find doubles
	IPV4_LENGTH = 4,
	IPV6_LENGTH = 16,
};

// The choices of GeneralName by the number of their tags.
enum general_name {
	OTHER_NAME,
	RFC822_NAME,
	DNS_NAME,
	X400_ADDRESS,
	DIRECTORY_NAME,
	EDI_PARTY_NAME,
	URI,
	IP_ADDRESS,
	REGISTERED_ID,
	GENERAL_NAMES,
};

static const char general_name_fault[] = "alternative name is malformed";

// Which extensions were there, for finding doubles.
struct extensions_met {
	uint64_t standard;
	size_t other_count;
	struct view others[OTHERS_MAX];
};

#define IS(oid, text)                                                                              \
	((oid).length == sizeof(text) - 1 && memcmp((oid).data, text, sizeof(text) - 1) == 0)

// The last arc of an extension below 2.5.29 (id-ce), 0 for others.
static uint8_t standard_number(struct view oid)
{
	if (oid.length != 3 || oid.data[0] != 0x55 || oid.data[1] != 0x1d ||
	    oid.data[2] >= STANDARD_EXTENSIONS)
		return 0;
	return oid.data[2];
}

// True if the extension was met before. Past OTHERS_MAX different ones none is added.
static bool met_before(struct extensions_met *met, struct view oid)
{
	uint8_t number = standard_number(oid);
	if (number != 0) {
		uint64_t bit = UINT64_C(1) << number;
		bool before = (met->standard & bit) != 0;
		met->standard |= bit;
		return before;
	}
	for (size_t i = 0; i < met->other_count; i++)
		if (met->others[i].length == oid.length &&
		    memcmp(met->others[i].data, oid.data, oid.length) == 0)
			return true;
	if (met->other_count < OTHERS_MAX)
		met->others[met->other_count++] = oid;
	return false;
}

// Takes a BOOLEAN where there is one. False (and a fault) if it is neither TRUE nor FALSE.
static bool take_optional_boolean(
    struct x509 *certificate, struct view *from, bool *value, const char *what)
{
	struct der_element boolean;
	if (from->length == 0 || from->data[0] != DER_BOOLEAN)
		return true;
	if (!x509_take(certificate, from, DER_BOOLEAN, &boolean, what))
		return false;
	if (!der_boolean_ok(boolean.content))
		return x509_fault(certificate, what);
	*value = boolean.content.data[0] != 0;
	return true;
}

// RFC 5280 4.2.1.6. The tag: which choice, and constructed where that is one.
static bool general_name_tag_ok(uint8_t tag)
{
	static const uint8_t tags[GENERAL_NAMES] = {
	    [OTHER_NAME] = 0xa0,
	    [RFC822_NAME] = 0x81,
	    [DNS_NAME] = 0x82,
	    [X400_ADDRESS] = 0xa3,
	    [DIRECTORY_NAME] = 0xa4,
	    [EDI_PARTY_NAME] = 0xa5,
	    [URI] = 0x86,
	    [IP_ADDRESS] = 0x87,
	    [REGISTERED_ID] = 0x88,
	};
	uint8_t number = tag & DER_TAG_NUMBER;
	return number < GENERAL_NAMES && tags[number] == tag;
}

static void check_directory_name(struct x509 *certificate, struct view content)
{
	struct der_element name;
	if (!x509_take(certificate, &content, DER_SEQUENCE, &name, general_name_fault))
		return;
	x509_check_name(certificate, name.content);
	x509_end(certificate, content, general_name_fault);
}

static void check_other_name(struct x509 *certificate, struct view content)
{
	struct der_element type, outer, value;
	if (!x509_take(certificate, &content, DER_OBJECT_IDENTIFIER, &type, general_name_fault) ||
	    !x509_take(certificate, &content, DER_CONTEXT | DER_CONSTRUCTED | 0, &outer,
	        general_name_fault))
		return;
	const char *fault = der_take(&outer.content, &value);
	if (fault != NULL || outer.content.length > 0 || content.length > 0 ||
	    !der_object_identifier_ok(type.content) || !der_value_ok(&value))
		x509_fault(certificate, general_name_fault);
}

static void check_general_name(struct x509 *certificate, const struct der_element *name)
{
	size_t length = name->content.length;
	if (!general_name_tag_ok(name->tag)) {
		x509_fault(certificate, general_name_fault);
		return;
	}
	switch (name->tag & DER_TAG_NUMBER) {
	case OTHER_NAME:
		check_other_name(certificate, name->content);
		break;
	case DIRECTORY_NAME:
		check_directory_name(certificate, name->content);
		break;
	case IP_ADDRESS:
		if (length != IPV4_LENGTH && length != IPV6_LENGTH)
			x509_fault(certificate, general_name_fault);
		break;
	case REGISTERED_ID:
		if (!der_object_identifier_ok(name->content))
			x509_fault(certificate, general_name_fault);
		break;
	default:
		break;
	}
}

static void read_alternative_names(struct x509 *certificate, struct view value)
{
	struct der_element names, name;
	if (!x509_take(certificate, &value, DER_SEQUENCE, &names, "no alternative names"))
		return;
	certificate->alternative_names = names.content;
	x509_end(certificate, value, "more behind the alternative names");
	struct view rest = names.content;
	if (rest.length == 0)
		x509_fault(certificate, "alternative names are empty");
	while (rest.length > 0) {
		const char *fault = der_take(&rest, &name);
		if (fault != NULL) {
			x509_fault(certificate, fault);
			return;
		}
		check_general_name(certificate, &name);
	}
}

// RFC 5280 4.2.1.9.
static void read_basic_constraints(struct x509 *certificate, struct view value)
{
	static const char *const fault = "basic constraints are malformed";
	struct der_element sequence, length;
	certificate->basic_constraints = true;
	if (!x509_take(certificate, &value, DER_SEQUENCE, &sequence, fault) ||
	    !x509_end(certificate, value, fault))
		return;
	struct view rest = sequence.content;
	if (!take_optional_boolean(certificate, &rest, &certificate->is_ca, fault) ||
	    rest.length == 0)
		return;
	if (!x509_take(certificate, &rest, DER_INTEGER, &length, fault))
		return;
	if (!der_integer_ok(length.content) || length.content.data[0] >= 0x80)
		x509_fault(certificate, fault);
	x509_end(certificate, rest, fault);
}

// RFC 5280 4.2.1.12.
static void read_key_uses(struct x509 *certificate, struct view value)
{
	static const char *const fault = "extended key usage is malformed";
	struct der_element sequence, use;
	certificate->extended_key_usage = true;
	if (!x509_take(certificate, &value, DER_SEQUENCE, &sequence, fault) ||
	    !x509_end(certificate, value, fault))
		return;
	struct view rest = sequence.content;
	if (rest.length == 0)
		x509_fault(certificate, "extended key usage is empty");
	while (rest.length > 0) {
		if (!x509_take(certificate, &rest, DER_OBJECT_IDENTIFIER, &use, fault))
			return;
		if (!der_object_identifier_ok(use.content))
			x509_fault(certificate, fault);
		else if (IS(use.content, "\x2b\x06\x01\x05\x05\x07\x03\x01"))
			certificate->for_servers = true;
		else if (IS(use.content, "\x2b\x06\x01\x05\x05\x07\x03\x02"))
			certificate->for_clients = true;
		else if (IS(use.content, "\x55\x1d\x25\x00"))
			certificate->for_anything = true;
	}
}

// RFC 6962 3.3: a TLS vector of SCTs inside an OCTET STRING.
static void read_scts(struct x509 *certificate, struct view value)
{
	static const char *const fault = "SCT list is malformed";
	struct der_element octets;
	if (!x509_take(certificate, &value, DER_OCTET_STRING, &octets, fault) ||
	    !x509_end(certificate, value, fault))
		return;
	struct view list = octets.content;
	size_t length = view_u16(&list);
	if (!view_ok(&list) || length != list.length || length == 0)
		x509_fault(certificate, fault);
	else
		certificate->has_scts = true;
}

static void read_value(struct x509 *certificate, struct view oid, struct view value)
{
	switch (standard_number(oid)) {
	case EXTENSION_ALTERNATIVE_NAME:
		read_alternative_names(certificate, value);
		break;
	case EXTENSION_BASIC_CONSTRAINTS:
		read_basic_constraints(certificate, value);
		break;
	case EXTENSION_KEY_USES:
		read_key_uses(certificate, value);
		break;
	case 0:
		if (IS(oid, "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"))
			read_scts(certificate, value);
		break;
	default:
		break;
	}
}

static void read_extension(
    struct x509 *certificate, struct extensions_met *met, struct view extension)
{
	static const char *const fault = "extension is malformed";
	struct der_element oid, value;
	bool critical;
	if (!x509_take(certificate, &extension, DER_OBJECT_IDENTIFIER, &oid, fault))
		return;
	if (!der_object_identifier_ok(oid.content)) {
		x509_fault(certificate, "object identifier is malformed");
		return;
	}
	if (met_before(met, oid.content)) {
		x509_fault(certificate, "extension occurs twice");
		return;
	}
	if (!take_optional_boolean(certificate, &extension, &critical, fault) ||
	    !x509_take(certificate, &extension, DER_OCTET_STRING, &value, fault))
		return;
	x509_end(certificate, extension, fault);
	read_value(certificate, oid.content, value.content);
}

void x509_read_extensions(struct x509 *certificate, struct view list)
{
	struct extensions_met met;
	struct der_element extension;
	met.standard = 0;
	met.other_count = 0;
	if (list.length == 0)
		x509_fault(certificate, "list of extensions is empty");
	while (list.length > 0) {
		if (!x509_take(certificate, &list, DER_SEQUENCE, &extension, "no extension"))
			return;
		read_extension(certificate, &met, extension.content);
	}
}

bool x509_next_name(struct view *names, enum x509_name_type *type, struct view *name)
{
	struct der_element element;
	if (names->length == 0 || der_take(names, &element) != NULL)
		return false;
	*name = element.content;
	*type = X509_NAME_OTHER;
	if (!general_name_tag_ok(element.tag))
		return true;
	switch (element.tag & DER_TAG_NUMBER) {
	case RFC822_NAME:
		*type = X509_NAME_EMAIL;
		break;
	case DNS_NAME:
		*type = X509_NAME_DNS;
		break;
	case URI:
		*type = X509_NAME_URI;
		break;
	case IP_ADDRESS:
		if (name->length == IPV4_LENGTH || name->length == IPV6_LENGTH)
			*type = X509_NAME_IP;
		break;
	default:
		break;
	}
	return true;
}
