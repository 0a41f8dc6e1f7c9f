// SPDX-License-Identifier: Apache-2.0
// The keyed hashes, against who chooses what is hashed: keys that differ in little spread like random ones, under
// any secret, and what shares a place under one does not under another.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "capture/base/hash.h"
#include "decode/flow.h"

#include <stdlib.h>
#include <string.h>

enum {
	KEYS = 1 << 16, // and as many buckets
	FULLEST = 16, // of a bucket of random keys: more is as likely as to guess 49 bits
};

// SipHash-1-3 of the bytes 0, 1, … under the key 00 01 … 0f, as Rust's standard library has it in its tests.
static void vectors(void **state)
{
	static const uint64_t expected[] = {0xabac0158050fc4dc, 0xc9f49bf37d57ca93,
	    0x82cb9b024dc7d44d, 0x8bf80ab8e7ddf7fb, 0xcf75576088d38328, 0xdef9d52f49533b67,
	    0xc50d2b50c59f22a7, 0xd3927d989bb11140, 0x369095118d299a8e};
	struct hash_key key;
	uint8_t bytes[16];
	(void)state;
	for (uint8_t i = 0; i < sizeof bytes; i++)
		bytes[i] = i;
	memcpy(&key, bytes, sizeof key);
	for (size_t length = 0; length < sizeof expected / sizeof expected[0]; length++)
		assert_int_equal(hash_bytes(&key, bytes, length), expected[length]);
}

// What an attacker would try: one address and all ports; all addresses and one port; the exclusive or, or the
// sum, of the two ends always the same; bits that are far apart.
static struct flow_key chosen(unsigned shape, uint32_t number)
{
	struct flow_key key;
	uint8_t low = (uint8_t)number, high = (uint8_t)(number >> 8);
	memset(&key, 0, sizeof key);
	key.port[1] = 25;
	switch (shape) {
	case 0:
		key.port[0] = (uint16_t)number;
		break;
	case 1:
		key.address[0].bytes[14] = high, key.address[0].bytes[15] = low;
		break;
	case 2:
		key.address[0].bytes[14] = key.address[1].bytes[14] = high;
		key.address[0].bytes[15] = key.address[1].bytes[15] = low;
		break;
	case 3:
		key.port[0] = (uint16_t)number, key.port[1] = (uint16_t)(0xffff - number);
		break;
	default:
		for (unsigned bit = 0; bit < 16; bit++)
			key.address[bit % 2].bytes[bit] = (uint8_t)((number >> bit & 1) << bit % 8);
		break;
	}
	return key;
}

static void chosen_keys_spread(void **state)
{
	static uint16_t load[KEYS];
	(void)state;
	for (unsigned shape = 0; shape < 5; shape++)
		for (unsigned secret = 0; secret < 4; secret++) {
			struct hash_key key = hash_key_random();
			memset(load, 0, sizeof load);
			for (uint32_t i = 0; i < KEYS; i++) {
				struct flow_key flow = chosen(shape, i);
				uint16_t *bucket = &load[flow_hash(&key, &flow) % KEYS];
				assert_true(++*bucket <= FULLEST);
			}
		}
}

static void collisions_do_not_last(void **state)
{
	enum { COLLIDING = 2000, BUCKETS = 1 << 10 };
	struct hash_key found = hash_key_random(), other = hash_key_random();
	unsigned load[BUCKETS] = {0}, most = 0, count = 0;
	(void)state;
	assert_memory_not_equal(&found, &other, sizeof found);
	for (uint32_t i = 0; count < COLLIDING; i++) {
		struct flow_key flow = chosen(1, i & 0xffff);
		flow.port[0] = (uint16_t)(i >> 16);
		if (flow_hash(&found, &flow) % BUCKETS != 0)
			continue;
		count++;
		unsigned *bucket = &load[flow_hash(&other, &flow) % BUCKETS];
		most = ++*bucket > most ? *bucket : most;
	}
	assert_true(most <= 2 * FULLEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors),
	    cmocka_unit_test(chosen_keys_spread),
	    cmocka_unit_test(collisions_do_not_last),
	};
	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
