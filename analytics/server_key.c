// SPDX-License-Identifier: Apache-2.0
#include "analytics/server_key.h"

#include "analytics/community_id.h"
#include "capture/base/quick_hash.h"
#include "decode/ip.h"

#include <arpa/inet.h>
#include <string.h>

uint64_t server_key_address(
    const struct hash_key *key, const struct ip_address *address, uint16_t port)
{
	uint8_t bytes[sizeof *address + sizeof port];
	memcpy(bytes, address, sizeof *address);
	memcpy(bytes + sizeof *address, &port, sizeof port);
	return quick_hash(key, bytes, sizeof bytes);
}

// Longer than any address with its port: no name has the bytes of one.
uint64_t server_key_name(const struct hash_key *key, const struct host_name *name, uint16_t port)
{
	uint8_t bytes[HOST_NAME_MAX_BYTES + sizeof(struct ip_address) + sizeof port] = {0};
	memcpy(bytes, &port, sizeof port);
	memcpy(bytes + sizeof(struct ip_address) + sizeof port, name->text, name->length);
	return quick_hash(key, bytes, sizeof(struct ip_address) + sizeof port + name->length);
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

static void write_v4(char *to, const uint8_t bytes[4])
{
	for (size_t i = 0; i < 4; i++)
		to = write_byte(to, bytes[i], i < 3 ? '.' : '\0');
}

enum { GROUPS = 8 }; // of 16 bits, in an IPv6 address

static unsigned group_of(const uint8_t *bytes, size_t group)
{
	return (unsigned)(bytes[2 * group] << 8 | bytes[2 * group + 1]);
}

// The longest run of groups that are zero, the first of several. Returns its length; below two it is none.
static size_t longest_zeros(const uint8_t *bytes, size_t *start)
{
	size_t longest = 1, length = 0;
	for (size_t i = 0; i < GROUPS; i++) {
		length = group_of(bytes, i) == 0 ? length + 1 : 0;
		if (length > longest) {
			longest = length;
			*start = i + 1 - length;
		}
	}
	return longest < 2 ? 0 : longest;
}

// Without zeros in front.
static char *write_group(char *to, unsigned group)
{
	static const char hex[] = "0123456789abcdef";
	int shift = group > 0xfff ? 12 : group > 0xff ? 8 : group > 0xf ? 4 : 0;
	for (; shift >= 0; shift -= 4)
		*to++ = hex[group >> shift & 15];
	return to;
}

// RFC 5952, and as inet_ntop writes it: what lies in ::/96 ends as an IPv4 address.
static void write_v6(char *to, const uint8_t *bytes)
{
	size_t start = GROUPS, zeros = longest_zeros(bytes, &start);
	for (size_t i = 0; i < GROUPS; i++) {
		if (i == start && zeros > 0) {
			*to++ = ':';
			i += zeros - 1;
			if (i == GROUPS - 1)
				*to++ = ':';
			continue;
		}
		if (i > 0)
			*to++ = ':';
		if (i == GROUPS - 2 && start == 0 && zeros == GROUPS - 2) {
			write_v4(to, bytes + 12);
			return;
		}
		to = write_group(to, group_of(bytes, i));
	}
	*to = '\0';
}

void server_address_write(const struct ip_address *address, char text[SERVER_ADDRESS_TEXT])
{
	if (ip_address_is_v4(address))
		write_v4(text, address->bytes + 12);
	else
		write_v6(text, address->bytes);
}
