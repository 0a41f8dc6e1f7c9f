// SPDX-License-Identifier: Apache-2.0
// The quick hash: every bit and the length count, neither place nor what lies behind does, and hashes are spread.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 200 };

static const struct hash_key key = {{0x0123456789abcdef, 0xfedcba9876543210}};

// A copy of exactly that many bytes, so that what is read behind them is noticed.
static uint64_t hash_of(const struct hash_key *with, const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length + 1);
	assert_non_null(copy);
	memcpy(copy + 1, bytes, length); // at an odd address
	uint64_t hash = quick_hash(with, copy + 1, length);
	free(copy);
	return hash;
}

static void every_bit_counts(void **state)
{
	uint8_t bytes[LONGEST] = {0};
	(void)state;
	for (size_t length = 0; length <= LONGEST; length++) {
		uint64_t hash = hash_of(&key, bytes, length);
		assert_true(hash == quick_hash(&key, bytes, length));
		for (size_t bit = 0; bit < 8 * length; bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_true(hash_of(&key, bytes, length) != hash);
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void length_and_key_count(void **state)
{
	const struct hash_key others[] = {
	    {{key.words[0] ^ 1, key.words[1]}}, {{key.words[0], key.words[1] ^ 1}}};
	const uint8_t bytes[LONGEST] = {0};
	(void)state;
	for (size_t length = 0; length < LONGEST; length++) {
		uint64_t hash = quick_hash(&key, bytes, length);
		for (size_t other = 0; other < length; other++)
			assert_true(quick_hash(&key, bytes, other) != hash);
		assert_true(quick_hash(&others[0], bytes, length) != hash);
		assert_true(quick_hash(&others[1], bytes, length) != hash);
	}
}

static void order_counts(void **state)
{
	uint8_t bytes[LONGEST], swapped[LONGEST];
	(void)state;
	for (size_t i = 0; i < LONGEST; i++)
		bytes[i] = (uint8_t)i;
	for (size_t at = 0; at + 32 <= LONGEST; at += 16) { // two neighbours of 16 bytes change places
		memcpy(swapped, bytes, LONGEST);
		memcpy(swapped + at, bytes + at + 16, 16);
		memcpy(swapped + at + 16, bytes + at, 16);
		assert_true(quick_hash(&key, swapped, LONGEST) != quick_hash(&key, bytes, LONGEST));
	}
}

// Numbers in a row, the low bits of their hashes: the fullest of 4096 buckets of 16 on average would have
// more than 48 once in ten thousand million keys.
static void hashes_are_spread(void **state)
{
	enum { BUCKETS = 4096, EACH = 16 };
	static unsigned low[BUCKETS], high[BUCKETS];
	(void)state;
	for (uint32_t i = 0; i < BUCKETS * EACH; i++) {
		uint32_t words[9] = {0, 0, i, 0, 0, 0, 0, 0, i << 16};
		uint64_t hash = quick_hash(&key, words, sizeof words);
		low[hash % BUCKETS]++;
		high[hash >> 52]++;
	}
	for (size_t i = 0; i < BUCKETS; i++) {
		assert_true(low[i] < 3 * EACH);
		assert_true(high[i] < 3 * EACH);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_bit_counts),
	    cmocka_unit_test(length_and_key_count),
	    cmocka_unit_test(order_counts),
	    cmocka_unit_test(hashes_are_spread),
	};
	return cmocka_run_group_tests_name("quick_hash", tests, NULL, NULL);
}
