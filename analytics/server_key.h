// SPDX-License-Identifier: Apache-2.0
// Servers as keys of tables: an address and a port, or a name and a port. Pure; any thread.
#ifndef MAILTAP_ANALYTICS_SERVER_KEY_H
#define MAILTAP_ANALYTICS_SERVER_KEY_H

#include "analytics/host_name.h"
#include "capture/base/hash.h"
#include "decode/headers.h"

// Two servers with one key: once in 2^64 pairs, and nobody can bring it about who does not know `key`.
uint64_t server_key_address(
    const struct hash_key *key, const struct ip_address *address, uint16_t port);
uint64_t server_key_name(const struct hash_key *key, const struct host_name *name, uint16_t port);

// Reads an address as people write it, IPv4 or IPv6 without brackets, terminated. False: it is none.
bool server_address_read(const char *text, struct ip_address *address);

enum { SERVER_ADDRESS_TEXT = 46 }; // bytes, the end included

void server_address_write(const struct ip_address *address, char text[SERVER_ADDRESS_TEXT]);

#endif
