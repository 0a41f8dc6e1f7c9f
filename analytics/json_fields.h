// SPDX-License-Identifier: Apache-2.0
// Keys with values as records have them: a fact that was not seen is null. Used by the exporters.
#ifndef MAILTAP_ANALYTICS_JSON_FIELDS_H
#define MAILTAP_ANALYTICS_JSON_FIELDS_H

#include "analytics/json.h"
#include "decode/headers.h"
#include "decode/seen.h"
#include "decode/text.h"

enum { JSON_HASH_BYTES = 32 };

void json_key_address(struct json *json, const char *key, const struct ip_address *address);
// A registered name; NULL: the number in hexadecimal.
void json_key_code(struct json *json, const char *key, const char *name, unsigned code);
// A SHA-256; NULL: null.
void json_key_hash(struct json *json, const char *key, const uint8_t *sha256);

/* ---- inline, so that the keys' lengths are known when it is compiled ---- */

JSON_INLINE void json_key_null(struct json *json, const char *key)
{
	json_key(json, key);
	json_null(json);
}

// NULL: null.
JSON_INLINE void json_key_name(struct json *json, const char *key, const char *name)
{
	json_key(json, key);
	json_name(json, name);
}

JSON_INLINE void json_key_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

JSON_INLINE void json_key_seen(struct json *json, const char *key, enum seen value)
{
	json_key(json, key);
	json_word(json, value == NOT_SEEN ? JSON_NULL : value == SEEN_YES ? JSON_TRUE : JSON_FALSE);
}

// NULL: null.
JSON_INLINE void json_key_text(struct json *json, const char *key, const struct text *text)
{
	json_key(json, key);
	if (text == NULL)
		json_null(json);
	else
		json_bytes(json, text->bytes, text->length);
}

JSON_INLINE void json_key_unsigned(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_unsigned(json, value);
}

JSON_INLINE void json_key_known(struct json *json, const char *key, bool known, uint64_t value)
{
	if (known)
		json_key_unsigned(json, key, value);
	else
		json_key_null(json, key);
}

// True, or no key at all: what only an option brings about.
JSON_INLINE void json_mark(struct json *json, const char *key, bool marked)
{
	if (marked)
		json_key_bool(json, key, true);
}

#endif
