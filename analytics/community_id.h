// SPDX-License-Identifier: Apache-2.0
// Community ID v1 (https://github.com/corelight/community-id-spec): the same name for a connection in
// Zeek, Suricata and here.
#ifndef MAILTAP_ANALYTICS_COMMUNITY_ID_H
#define MAILTAP_ANALYTICS_COMMUNITY_ID_H

#include "decode/headers.h"

struct community_hash;

enum { COMMUNITY_ID_SIZE = 2 + 28 + 1 }; // "1:", base64 of a SHA-1, terminator

// The hash function, looked up once. NULL: no memory, or OpenSSL has none. Owned by one thread.
struct community_hash *community_hash_create(void);
void community_hash_destroy(struct community_hash *hash); // NULL is allowed

// For a TCP connection between these ends (ports in host order), seed 0.
void community_id(struct community_hash *hash, char id[COMMUNITY_ID_SIZE],
    const struct ip_address address[2], const uint16_t port[2]);

// True if the address is IPv4 in its 16-byte form.
bool ip_address_is_v4(const struct ip_address *address);

#endif
