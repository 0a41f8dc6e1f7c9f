// SPDX-License-Identifier: Apache-2.0
// Compressed certificates: what the three algorithms give back, and that nothing makes them give more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decode/tls_certificate_compression.h"

#include <brotli/encode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { ZLIB = 1, BROTLI, ZSTD, ALGORITHMS, TEXT_MAX = 256 * 1024, PACKED_MAX = 400 * 1024 };

static uint8_t text[TEXT_MAX], packed[PACKED_MAX], unpacked[TEXT_MAX + 16];
static struct memory *memory;

static size_t pack(uint16_t algorithm, size_t length)
{
	size_t size = sizeof(packed);
	uLongf zlib_size = sizeof(packed);
	switch (algorithm) {
	case ZLIB:
		assert_int_equal(compress(packed, &zlib_size, text, length), Z_OK);
		return zlib_size;
	case BROTLI:
		assert_int_equal(
		    BrotliEncoderCompress(BROTLI_DEFAULT_QUALITY, BROTLI_DEFAULT_WINDOW,
		        BROTLI_MODE_GENERIC, length, text, &size, packed),
		    BROTLI_TRUE);
		return size;
	default:
		size = ZSTD_compress(packed, sizeof(packed), text, length, 3);
		assert_false(ZSTD_isError(size));
		return size;
	}
}

// As the sender says it has `length` bytes. Checks that not one more is written, and that all memory is
// given back.
static bool unpack(uint16_t algorithm, size_t packed_length, size_t length)
{
	memset(unpacked, 0xa5, sizeof(unpacked));
	bool good = tls_certificate_decompress(
	    memory, algorithm, view_of(packed, packed_length), unpacked, length);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(unpacked[length + i], 0xa5);
	assert_int_equal(memory_in_use(memory), 0);
	return good;
}

static int begin(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (size_t i = 0; i < sizeof(text); i++) { // neither noise nor nothing
		seed = seed * 1664525 + 1013904223;
		text[i] = i % 7 < 4 ? (uint8_t)(seed >> 24) : (uint8_t) "certificate"[i % 11];
	}
	memory = memory_create(8 << 20);
	return 0;
}

static int end(void **state)
{
	(void)state;
	memory_destroy(memory);
	return 0;
}

static void what_was_packed_comes_out(void **state)
{
	(void)state;
	static const size_t lengths[] = {1, 5, 100, 1700, 16 * 1024, 70000, TEXT_MAX};
	for (uint16_t algorithm = ZLIB; algorithm < ALGORITHMS; algorithm++) {
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			size_t length = pack(algorithm, lengths[i]);
			assert_true(unpack(algorithm, length, lengths[i]));
			assert_memory_equal(unpacked, text, lengths[i]);
		}
	}
}

static void the_length_has_to_be_true(void **state)
{
	(void)state;
	for (uint16_t algorithm = ZLIB; algorithm < ALGORITHMS; algorithm++) {
		size_t length = pack(algorithm, 5000);
		assert_true(unpack(algorithm, length, 5000));
		assert_false(unpack(algorithm, length, 4999));
		assert_false(unpack(algorithm, length, 5001));
		assert_false(unpack(algorithm, length, 1));
		assert_false(unpack(algorithm, length, TEXT_MAX));
		packed[length] = 0;
		assert_false(unpack(algorithm, length + 1, 5000)); // something behind the end
		for (size_t cut = 0; cut < length; cut += 1 + length / 97)
			assert_false(unpack(algorithm, cut, 5000));
	}
}

// A kilobyte that says it is far more than was said.
static void bombs_do_not_go_off(void **state)
{
	(void)state;
	uint8_t *zeros = calloc(1, 16 << 20);
	assert_non_null(zeros);
	size_t size = sizeof(packed);
	uLongf zlib_size = sizeof(packed);
	assert_int_equal(compress(packed, &zlib_size, zeros, 16 << 20), Z_OK);
	assert_false(unpack(ZLIB, zlib_size, 5000));
	assert_int_equal(BrotliEncoderCompress(BROTLI_DEFAULT_QUALITY, BROTLI_MAX_WINDOW_BITS,
	                     BROTLI_MODE_GENERIC, 16 << 20, zeros, &size, packed),
	    BROTLI_TRUE);
	assert_false(unpack(BROTLI, size, 5000));
	size = ZSTD_compress(packed, sizeof(packed), zeros, 16 << 20, 3);
	assert_false(unpack(ZSTD, size, 5000));
	free(zeros);
}

static void other_algorithms_are_not_known(void **state)
{
	(void)state;
	static const uint16_t others[] = {0, 4, 0x4000, UINT16_MAX};
	size_t length = pack(ZLIB, 100);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(unpack(others[i], length, 100));
	for (uint16_t algorithm = ZLIB; algorithm < ALGORITHMS; algorithm++)
		for (uint16_t other = ZLIB; other < ALGORITHMS; other++)
			if (other != algorithm)
				assert_false(unpack(other, pack(algorithm, 100), 100));
}

static void damage_does_no_harm(void **state)
{
	(void)state;
	static uint8_t original[1000];
	uint32_t seed = 7;
	for (uint16_t algorithm = ZLIB; algorithm < ALGORITHMS; algorithm++) {
		size_t length = pack(algorithm, 600);
		assert_true(length <= sizeof(original));
		memcpy(original, packed, length);
		for (int round = 0; round < 3000; round++) {
			memcpy(packed, original, length);
			for (int change = 0; change <= round % 3; change++) {
				seed = seed * 1664525 + 1013904223;
				packed[(seed >> 8) % length] = (uint8_t)(seed >> 16);
			}
			(void)unpack(algorithm, length, 600);
		}
	}
}

static void without_memory_there_is_nothing(void **state)
{
	(void)state;
	struct memory *room = memory;
	memory = memory_create(0);
	for (uint16_t algorithm = ZLIB; algorithm <= BROTLI; algorithm++)
		assert_false(unpack(algorithm, pack(algorithm, 5000), 5000));
	memory_destroy(memory);
	memory = room;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_packed_comes_out),
	    cmocka_unit_test(the_length_has_to_be_true),
	    cmocka_unit_test(bombs_do_not_go_off),
	    cmocka_unit_test(other_algorithms_are_not_known),
	    cmocka_unit_test(damage_does_no_harm),
	    cmocka_unit_test(without_memory_there_is_nothing),
	};
	return cmocka_run_group_tests_name("tls_certificate_compression", tests, begin, end);
}
