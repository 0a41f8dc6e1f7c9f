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

// A word of a list with colons between, spaces around them.
static bool has_word(struct view list, const char *word)
{
	for (size_t at = 0; list.data != NULL && at < list.length;) {
		const uint8_t *colon = memchr(list.data + at, ':', list.length - at);
		size_t end = colon != NULL ? (size_t)(colon - list.data) : list.length;
		struct view found = view_of(list.data + at, end - at);
		while (found.length > 0 && is_space(found.data[0]))
			found = view_of(found.data + 1, found.length - 1);
		while (found.length > 0 && is_space(found.data[found.length - 1]))
			found.length--;
		if (tag_is(found, word))
			return true;
		at = end + 1;
	}
	return false;
}

struct dkim_key dkim_key_read(struct view text)
{
	struct dkim_key key = {.present = false};
	uint8_t bytes[DKIM_KEY_BYTES_MAX];
	struct view version = tag_list_value(text, "v"), type = tag_list_value(text, "k"),
	            data = tag_list_value(text, "p");
	if ((version.data != NULL && !tag_list_begins(text, "DKIM1")) || data.data == NULL)
		return key;
	key.present = true;
	key.revoked = data.length == 0;
	struct view flags = tag_list_value(text, "t"), hashes = tag_list_value(text, "h"),
	            services = tag_list_value(text, "s");
	key.testing = has_word(flags, "y");
	key.strict = has_word(flags, "s");
	key.for_sha256 = hashes.data == NULL || has_word(hashes, "sha256");
	key.for_mail =
	    services.data == NULL || has_word(services, "*") || has_word(services, "email");
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
