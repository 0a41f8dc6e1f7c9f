// SPDX-License-Identifier: Apache-2.0
// Keys with values as records have them: a fact that was not seen is null. Used by the exporters.
#ifndef MAILTAP_ANALYTICS_JSON_FIELDS_H
#define MAILTAP_ANALYTICS_JSON_FIELDS_H

#include "analytics/json.h"
#include "decode/headers.h"
#include "decode/seen.h"
#include "decode/text.h"

enum { JSON_HASH_BYTES = 32 };

void json_key_null(struct json *json, const char *key);
void json_key_name(struct json *json, const char *key, const char *name); // NULL: null
void json_key_seen(struct json *json, const char *key, enum seen value);
void json_key_bool(struct json *json, const char *key, bool value);
void json_key_text(struct json *json, const char *key, const struct text *text); // NULL: null
void json_key_unsigned(struct json *json, const char *key, uint64_t value);
void json_key_known(struct json *json, const char *key, bool known, uint64_t value);
// True, or no key at all: what only an option brings about.
void json_mark(struct json *json, const char *key, bool marked);
void json_key_address(struct json *json, const char *key, const struct ip_address *address);
// A registered name; NULL: the number in hexadecimal.
void json_key_code(struct json *json, const char *key, const char *name, unsigned code);
// A SHA-256; NULL: null.
void json_key_hash(struct json *json, const char *key, const uint8_t *sha256);

#endif
