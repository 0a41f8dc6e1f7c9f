// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_key.h"

#include "analytics/community_id.h"
#include "decode/ip.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t server_key_address(
    const struct hash_key *key, const struct ip_address *address, uint16_t port)
{
	uint8_t bytes[sizeof *address + sizeof port];
	memcpy(bytes, address, sizeof *address);
	memcpy(bytes + sizeof *address, &port, sizeof port);
	return hash_bytes(key, bytes, sizeof bytes);
}

// Longer than any address with its port: no name has the bytes of one.
uint64_t server_key_name(const struct hash_key *key, const struct host_name *name, uint16_t port)
{
	uint8_t bytes[HOST_NAME_MAX_BYTES + sizeof(struct ip_address) + sizeof port] = {0};
	memcpy(bytes, &port, sizeof port);
	memcpy(bytes + sizeof(struct ip_address) + sizeof port, name->text, name->length);
	return hash_bytes(key, bytes, sizeof(struct ip_address) + sizeof port + name->length);
}

bool server_address_read(const char *text, struct ip_address *address)
{
	uint8_t v4[4];
	if (inet_pton(AF_INET, text, v4) == 1) {
		*address = address_of_ipv4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, address->bytes) == 1;
}

// The decimal digits of a byte, and `end`.
static char *write_byte(char *to, uint8_t byte, char end)
{
	if (byte >= 100)
		*to++ = (char)('0' + byte / 100);
	if (byte >= 10)
		*to++ = (char)('0' + byte / 10 % 10);
	*to++ = (char)('0' + byte % 10);
	*to++ = end;
	return to;
}

void server_address_write(const struct ip_address *address, char text[SERVER_ADDRESS_TEXT])
{
	if (!ip_address_is_v4(address)) {
		inet_ntop(AF_INET6, address->bytes, text, SERVER_ADDRESS_TEXT);
		return;
	}
	for (size_t i = 12; i < 16; i++)
		text = write_byte(text, address->bytes[i], i < 15 ? '.' : '\0');
}
