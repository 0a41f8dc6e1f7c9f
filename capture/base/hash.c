// SPDX-License-Identifier: Apache-2.0
#include "capture/base/hash.h"

#include <string.h>
#include <sys/random.h>

struct hash_key hash_key_random(void)
{
	struct hash_key key = {{0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u}};
	uint8_t *out = (uint8_t *)&key;
	for (size_t have = 0; have < sizeof key;) {
		ssize_t got = getrandom(out + have, sizeof key - have, 0);
		if (got <= 0)
			break; // no entropy source: the constant key still makes a working table
		have += (size_t)got;
	}
	return key;
}

static inline uint64_t rotate(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

// The bytes that fill no word, the first one lowest.
static inline uint64_t rest_of(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;
	for (size_t i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << 8 * i;
	return word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *bytes, size_t length)
{
	const uint8_t *p = bytes;
	uint64_t v[4] = {
	    key->words[0] ^ 0x736f6d6570736575u,
	    key->words[1] ^ 0x646f72616e646f6du,
	    key->words[0] ^ 0x6c7967656e657261u,
	    key->words[1] ^ 0x7465646279746573u,
	};
	uint64_t word, last = (uint64_t)length << 56;
	size_t left = length;
	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	last |= rest_of(p, left);
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	sip_round(v);
	sip_round(v);
	sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
