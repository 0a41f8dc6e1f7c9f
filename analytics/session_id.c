// SPDX-License-Identifier: Apache-2.0
#include "analytics/session_id.h"

#include "capture/base/hash.h"

#include <string.h>

uint64_t session_id_of(const struct session_record *record)
{
	static const struct hash_key fixed;
	struct {
		struct ip_address address[2];
		nanoseconds start;
		uint32_t tap_point;
		uint16_t port[2];
	} identity;
	memset(&identity, 0, sizeof identity);
	memcpy(identity.address, record->address, sizeof identity.address);
	memcpy(identity.port, record->port, sizeof identity.port);
	identity.start = record->start;
	identity.tap_point = record->tap_point;
	return hash_bytes(&fixed, &identity, sizeof identity);
}

void session_id_text(char text[SESSION_ID_SIZE], uint64_t id)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < SESSION_ID_SIZE - 1; i++, id <<= 4)
		text[i] = hex[id >> 60];
	text[SESSION_ID_SIZE - 1] = '\0';
}
