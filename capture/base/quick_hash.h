// SPDX-License-Identifier: Apache-2.0
// A keyed hash for what is hashed for each packet or session: one multiplication for 16 bytes, the two halves of its product
// folded into one (as in wyhash and its family, by which the tables of some languages are protected). Who neither
// knows the key nor gets to see hashes cannot make two inputs collide on purpose; nothing more is promised. So it
// is for tables and marks that live no longer than the run and are told to nobody; what is written anywhere
// takes hash_bytes (hash.h). The same bytes and key give the same hash on any machine
// of the same byte order. Pure; any thread.
#ifndef MAILTAP_CAPTURE_BASE_QUICK_HASH_H
#define MAILTAP_CAPTURE_BASE_QUICK_HASH_H

#include "capture/base/hash.h"

#include <string.h>

__extension__ typedef unsigned __int128 quick_product;

static inline uint64_t quick_fold(uint64_t a, uint64_t b)
{
	quick_product product = (quick_product)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t quick_word(const uint8_t *bytes)
{
	uint64_t word;
	memcpy(&word, bytes, sizeof word);
	return word;
}

static inline uint64_t quick_half_word(const uint8_t *bytes)
{
	uint32_t word;
	memcpy(&word, bytes, sizeof word);
	return word;
}

// The last 0 to 16 bytes: what overlaps is hashed twice.
static inline uint64_t quick_rest(uint64_t state, uint64_t key, const uint8_t *bytes, size_t length)
{
	uint64_t a = 0, b = 0;
	if (length >= 8) {
		a = quick_word(bytes);
		b = quick_word(bytes + length - 8);
	} else if (length >= 4) {
		a = quick_half_word(bytes);
		b = quick_half_word(bytes + length - 4);
	} else if (length > 0) {
		a = (uint64_t)bytes[0] << 16 | (uint64_t)bytes[length / 2] << 8 | bytes[length - 1];
	}
	return quick_fold(a ^ key, b ^ state);
}

static inline uint64_t quick_hash(const struct hash_key *key, const void *bytes, size_t length)
{
	// Odd, and half of their bits set.
	static const uint64_t lanes[] = {0xa0761d6478bd642fu, 0xe7037ed1a0b428dbu,
	    0x8ebc6af09c88c6e3u, 0x589965cc75374cc3u};
	const uint8_t *at = bytes;
	size_t left = length;
	const uint64_t secret = key->words[1];
	uint64_t state = key->words[0] ^ length * lanes[0];
	if (left > 64) { // four rows of products that do not wait for each other
		uint64_t rows[4] = {
		    state, state ^ lanes[1], state ^ lanes[2], state ^ lanes[3]};
		for (; left > 64; at += 64, left -= 64)
			for (unsigned i = 0; i < 4; i++)
				rows[i] = quick_fold(quick_word(at + 16 * i) ^ secret ^ lanes[i],
				    quick_word(at + 16 * i + 8) ^ rows[i]);
		state = rows[0] ^ rows[1] ^ rows[2] ^ rows[3];
	}
	for (; left > 16; at += 16, left -= 16)
		state = quick_fold(quick_word(at) ^ secret, quick_word(at + 8) ^ state);
	return quick_fold(quick_rest(state, secret, at, left) ^ key->words[0], secret ^ lanes[1]);
}

#endif
