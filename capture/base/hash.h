// SPDX-License-Identifier: Apache-2.0
// A keyed hash for tables that hold what strangers chose (addresses, banners): SipHash-1-3 (Aumasson,
// Bernstein 2012, with the reduced rounds that hash tables use). Who does not know the key cannot
// make keys collide on purpose, not even who sees hashes. Pure; any thread.
#ifndef MAILTAP_CAPTURE_BASE_HASH_H
#define MAILTAP_CAPTURE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t words[2];
};

// A key from the system's random source.
struct hash_key hash_key_random(void);

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length);

#endif
