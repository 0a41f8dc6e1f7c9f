// SPDX-License-Identifier: Apache-2.0
// Addresses that may leave the program: Crypto-PAn (J. Xu, J. Fan, M. Ammar, S. Moon, "Prefix-Preserving IP
// Address Anonymization", ICNP 2002) with AES-128. Two addresses that have their first n bits in common have
// them in common afterwards, and no more; with the same key every sensor gives an address the same other one;
// without it nothing leads back but what else is known of the traffic. IPv4 and IPv6 are each mapped onto
// themselves. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_ANONYMISE_H
#define MAILTAP_ANALYTICS_ANONYMISE_H

#include "decode/headers.h"

enum { ANONYMISE_KEY_BYTES = 32 }; // the cipher's key, then what the pad is made from

struct anonymiser;

// NULL: no memory, or a cryptographic library without AES. The key is copied to where no core dump has it.
struct anonymiser *anonymiser_create(const uint8_t key[ANONYMISE_KEY_BYTES]);

// Overwrites the key; NULL is allowed.
void anonymiser_destroy(struct anonymiser *anonymiser);

// The address in the place of this one. Where the cipher fails (no memory) it is the unspecified one, never the
// real one, and anonymiser_failed says so from then on.
struct ip_address anonymise_address(
    struct anonymiser *anonymiser, const struct ip_address *address);

bool anonymiser_failed(const struct anonymiser *anonymiser);

#endif
