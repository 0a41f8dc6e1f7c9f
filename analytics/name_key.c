// SPDX-License-Identifier: Apache-2.0
#include "analytics/name_key.h"

enum { TEXT_MAX_BYTES = 1024 }; // of a name; what differs only behind it has the same key

uint64_t name_key(const struct hash_key *key, struct view name)
{
	uint8_t text[TEXT_MAX_BYTES];
	size_t length = name.data != NULL ? x509_name_text(name, text, sizeof text) : 0;
	size_t kept = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = text[i];
		if (byte == ' ' || byte == '\\') // an escape may stand before a space
			continue;
		text[kept++] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 'a' - 'A') : byte;
	}
	return hash_bytes(key, text, kept);
}
