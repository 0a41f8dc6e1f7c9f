// SPDX-License-Identifier: Apache-2.0
#include "analytics/json_fields.h"

#include "analytics/server_key.h"

#include <stdio.h>

void json_key_address(struct json *json, const char *key, const struct ip_address *address)
{
	char text[SERVER_ADDRESS_TEXT];
	server_address_write(address, text);
	json_key_name(json, key, text);
}

// A registered name, or the number in hexadecimal.
void json_key_code(struct json *json, const char *key, const char *name, unsigned code)
{
	char hex[16];
	if (name == NULL)
		snprintf(hex, sizeof hex, "0x%04x", code);
	json_key_name(json, key, name != NULL ? name : hex);
}

void json_key_hash(struct json *json, const char *key, const uint8_t *sha256)
{
	json_key(json, key);
	if (sha256 != NULL)
		json_hex(json, sha256, JSON_HASH_BYTES);
	else
		json_null(json);
}
