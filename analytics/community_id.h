// SPDX-License-Identifier: Apache-2.0
// Community ID v1 (https://github.com/corelight/community-id-spec): the same name for a connection in
// Zeek, Suricata and here.
#ifndef MAILTAP_ANALYTICS_COMMUNITY_ID_H
#define MAILTAP_ANALYTICS_COMMUNITY_ID_H

#include "decode/headers.h"

enum { COMMUNITY_ID_SIZE = 2 + 28 + 1 }; // "1:", base64 of a SHA-1, terminator

// For a TCP connection between these ends (ports in host order), seed 0.
void community_id(char id[COMMUNITY_ID_SIZE], const struct ip_address address[2],
    const uint16_t port[2]);

// True if the address is IPv4 in its 16-byte form.
bool ip_address_is_v4(const struct ip_address *address);

#endif
