// SPDX-License-Identifier: Apache-2.0
// Compressed captures: each of the three libraries, in one piece and in several, cut short, damaged.
#include "tests/unit/capture_lab.h"

#include <stdlib.h>
#include <string.h>

#ifdef MAILTAP_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef MAILTAP_WITH_LIBZSTD
#include <zstd.h>
#endif
#ifdef MAILTAP_WITH_LIBLZMA
#include <lzma.h>
#endif

typedef struct bytes (*compressor)(const uint8_t *data, size_t length);

#ifdef MAILTAP_WITH_ZLIB
static struct bytes gzip_of(const uint8_t *data, size_t length)
{
	z_stream stream = {0};
	assert_int_equal(
	    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	struct bytes packed = {.data = malloc(length + 1000)};
	uint8_t *copy = malloc(length + 1);
	memcpy(copy, data, length);
	stream.next_in = copy;
	stream.avail_in = (uInt)length;
	stream.next_out = packed.data;
	stream.avail_out = (uInt)length + 1000;
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	packed.length = stream.total_out;
	deflateEnd(&stream);
	free(copy);
	return packed;
}
#endif

#ifdef MAILTAP_WITH_LIBZSTD
static struct bytes zstd_of(const uint8_t *data, size_t length)
{
	struct bytes packed = {.data = malloc(ZSTD_compressBound(length))};
	packed.length = ZSTD_compress(packed.data, ZSTD_compressBound(length), data, length, 3);
	assert_false(ZSTD_isError(packed.length));
	return packed;
}
#endif

#ifdef MAILTAP_WITH_LIBLZMA
static struct bytes xz_of(const uint8_t *data, size_t length)
{
	size_t bound = lzma_stream_buffer_bound(length);
	struct bytes packed = {.data = malloc(bound)};
	assert_int_equal(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, data, length,
	                     packed.data, &packed.length, bound),
	    LZMA_OK);
	return packed;
}
#endif

static void assert_compression_works(compressor compress)
{
	struct bytes file = sample_capture(), packed = {0};
	// Three members or frames that end inside records, one of them of no bytes.
	const size_t cuts[] = {0, 12345, 12345, 40000, file.length};
	for (size_t i = 0; i + 1 < sizeof cuts / sizeof cuts[0]; i++) {
		struct bytes member = compress(file.data + cuts[i], cuts[i + 1] - cuts[i]);
		put(&packed, member.data, member.length);
		discard(&member);
	}
	const struct outcome *outcome = read_bytes(&packed);
	assert_int_equal(outcome->end, SOURCE_END);
	assert_int_equal(outcome->count, 200);
	assert_int_equal(outcome->counters.input_read, packed.length);
	assert_int_equal(outcome->counters.input_size, packed.length);
	static struct outcome piecewise;
	read_in_steps(&packed, 1, &piecewise);
	assert_int_equal(piecewise.end, SOURCE_END);
	assert_int_equal(piecewise.count, 200);
	discard(&packed);
	packed = compress(file.data, file.length);
	for (size_t cut = 6; cut < packed.length; cut += 1 + packed.length / 300) {
		struct bytes part = {.data = packed.data, .length = cut};
		outcome = read_bytes(&part);
		assert_int_equal(outcome->end, SOURCE_FAILED);
		assert_true(outcome->count <= 200);
		assert_says(outcome, "the file was cut off");
	}
	for (size_t at = 6; at < packed.length; at += 1 + packed.length / 300) {
		packed.data[at] ^= 0x40;
		read_bytes(&packed); // whatever comes of it, it ends
		packed.data[at] ^= 0x40;
	}
	put(&packed, "not compressed", 14);
	outcome = read_bytes(&packed);
	assert_int_equal(outcome->count, 200);
	assert_int_equal(outcome->end, SOURCE_FAILED);
	assert_says(outcome, "data is damaged");
	discard(&packed);
	discard(&file);
}

static void compressed_captures(void **state)
{
	(void)state;
#ifdef MAILTAP_WITH_ZLIB
	assert_compression_works(gzip_of);
#endif
#ifdef MAILTAP_WITH_LIBZSTD
	assert_compression_works(zstd_of);
#endif
#ifdef MAILTAP_WITH_LIBLZMA
	assert_compression_works(xz_of);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(compressed_captures),
	};
	return cmocka_run_group_tests_name("compressed", tests, NULL, NULL);
}
