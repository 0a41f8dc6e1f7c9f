// SPDX-License-Identifier: Apache-2.0
#include "analytics/dkim_key.h"

#include "capture/base/ascii.h"
#include "decode/base64.h"
#include "decode/tag_list.h"
#include "decode/x509_parts.h"


enum { ED25519_BITS = 256 };

size_t dkim_key_bytes(struct view text, uint8_t bytes[DKIM_KEY_BYTES_MAX])
{
	return base64_decode(tag_list_value(text, "p"), bytes, DKIM_KEY_BYTES_MAX);
}

// Of a SubjectPublicKeyInfo, as nearly all are (RFC 6376 3.6.1 has a bare key; errata 3017).
static unsigned bits_of(const uint8_t *bytes, size_t length)
{
	struct view whole = view_of(bytes, length);
	struct der_element element;
	struct x509 facts = {.malformed = NULL};
	if (der_take(&whole, &element) != NULL)
		return 0;
	x509_read_key(&facts, element.content);
	return facts.malformed == NULL ? facts.key_bits : 0;
}

struct dkim_key dkim_key_read(struct view text)
{
	struct dkim_key key = {.present = false};
	uint8_t bytes[DKIM_KEY_BYTES_MAX];
	struct view version = tag_list_value(text, "v"), type = tag_list_value(text, "k"),
	            data = tag_list_value(text, "p");
	// That the version comes first is asked for, but nobody minds.
	bool other = version.data != NULL && !tag_is_exactly(version, "DKIM1");
	if (other || data.data == NULL || !tag_list_is_sound(text))
		return key;
	key.present = true;
	key.revoked = data.length == 0;
	struct view flags = tag_list_value(text, "t"), hashes = tag_list_value(text, "h"),
	            services = tag_list_value(text, "s");
	key.testing = tag_has_word(flags, "y");
	key.strict = tag_has_word(flags, "s");
	key.for_sha256 = hashes.data == NULL || tag_has_word(hashes, "sha256");
	key.for_mail =
	    services.data == NULL || tag_has_word(services, "*") || tag_has_word(services, "email");
	size_t length = key.revoked ? 0 : dkim_key_bytes(text, bytes);
	if (type.data == NULL || tag_is(type, "rsa")) {
		key.type = "rsa";
		key.bits = length > 0 ? bits_of(bytes, length) : 0;
	} else if (tag_is(type, "ed25519")) {
		key.type = "ed25519";
		key.bits = length * 8 == ED25519_BITS ? ED25519_BITS : 0;
	}
	return key;
}
