// SPDX-License-Identifier: Apache-2.0
#include "analytics/json_fields.h"

#include "analytics/community_id.h"

#include <arpa/inet.h>
#include <stdio.h>

void json_key_name(struct json *json, const char *key, const char *name)
{
	json_key(json, key);
	json_name(json, name);
}

void json_key_seen(struct json *json, const char *key, enum seen value)
{
	json_key(json, key);
	if (value == NOT_SEEN)
		json_null(json);
	else
		json_bool(json, value == SEEN_YES);
}

void json_key_text(struct json *json, const char *key, const struct text *text)
{
	json_key(json, key);
	if (text == NULL)
		json_null(json);
	else
		json_bytes(json, text->bytes, text->length);
}

void json_key_unsigned(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_unsigned(json, value);
}

void json_key_null(struct json *json, const char *key)
{
	json_key(json, key);
	json_null(json);
}

void json_key_known(struct json *json, const char *key, bool known, uint64_t value)
{
	if (known)
		json_key_unsigned(json, key, value);
	else
		json_key_null(json, key);
}

void json_key_address(struct json *json, const char *key, const struct ip_address *address)
{
	char text[INET6_ADDRSTRLEN];
	bool v4 = ip_address_is_v4(address);
	inet_ntop(v4 ? AF_INET : AF_INET6, address->bytes + (v4 ? 12 : 0), text, sizeof text);
	json_key_name(json, key, text);
}

void json_mark(struct json *json, const char *key, bool marked)
{
	if (marked)
		json_key_bool(json, key, true);
}

// A registered name, or the number in hexadecimal.
void json_key_code(struct json *json, const char *key, const char *name, unsigned code)
{
	char hex[16];
	snprintf(hex, sizeof hex, "0x%04x", code);
	json_key_name(json, key, name != NULL ? name : hex);
}

void json_key_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

void json_key_hash(struct json *json, const char *key, const uint8_t *sha256)
{
	json_key(json, key);
	if (sha256 != NULL)
		json_hex(json, sha256, JSON_HASH_BYTES);
	else
		json_null(json);
}
