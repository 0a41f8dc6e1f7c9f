// SPDX-License-Identifier: Apache-2.0
#include "analytics/dkim_key.h"

#include "analytics/tag_list.h"
#include "decode/x509_parts.h"

#include <ctype.h>
#include <openssl/evp.h>

enum {
	KEY_LONGEST = 3072, // characters of base64
	ED25519_BITS = 256,
};

// RFC 6376 3.2: spaces may stand anywhere in it. Returns the bytes; 0: it is no base64, or too long.
static size_t decode(struct view text, uint8_t bytes[KEY_LONGEST])
{
	uint8_t plain[KEY_LONGEST];
	size_t length = 0, padding = 0;
	for (size_t i = 0; i < text.length; i++) {
		if (isspace(text.data[i]))
			continue;
		if (length == sizeof plain)
			return 0;
		padding += text.data[i] == '=';
		plain[length++] = text.data[i];
	}
	int decoded = length > 0 ? EVP_DecodeBlock(bytes, plain, (int)length) : 0;
	return decoded > 0 && padding <= 2 && (size_t)decoded > padding ? (size_t)decoded - padding
	                                                                 : 0;
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

static bool has_flag(struct view flags, uint8_t flag)
{
	for (size_t at = 0; flags.data != NULL && at < flags.length;) {
		const uint8_t *colon = memchr(flags.data + at, ':', flags.length - at);
		size_t end = colon != NULL ? (size_t)(colon - flags.data) : flags.length;
		if (end - at == 1 && flags.data[at] == flag)
			return true;
		at = end + 1;
	}
	return false;
}

struct dkim_key dkim_key_read(struct view text)
{
	struct dkim_key key = {.present = false};
	uint8_t bytes[KEY_LONGEST];
	struct view version = tag_list_value(text, "v"), type = tag_list_value(text, "k"),
	            data = tag_list_value(text, "p");
	if ((version.data != NULL && !tag_list_begins(text, "DKIM1")) || data.data == NULL)
		return key;
	key.present = true;
	key.revoked = data.length == 0;
	key.testing = has_flag(tag_list_value(text, "t"), 'y');
	size_t length = key.revoked ? 0 : decode(data, bytes);
	if (type.data == NULL || tag_is(type, "rsa")) {
		key.type = "rsa";
		key.bits = length > 0 ? bits_of(bytes, length) : 0;
	} else if (tag_is(type, "ed25519")) {
		key.type = "ed25519";
		key.bits = length * 8 == ED25519_BITS ? ED25519_BITS : 0;
	}
	return key;
}
