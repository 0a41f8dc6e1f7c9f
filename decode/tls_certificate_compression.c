// SPDX-License-Identifier: Apache-2.0
#include "decode/tls_certificate_compression.h"

#ifdef MAILTAP_WITH_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif
#ifdef MAILTAP_WITH_LIBBROTLIDEC
#include <brotli/decode.h>
#endif
#ifdef MAILTAP_WITH_LIBZSTD
#include <zstd.h>
#endif

enum algorithm { ALGORITHM_ZLIB = 1, ALGORITHM_BROTLI = 2, ALGORITHM_ZSTD = 3 };

// ---- memory for the libraries

#if defined MAILTAP_WITH_ZLIB || defined MAILTAP_WITH_LIBBROTLIDEC
static void *take_block(void *memory, size_t size)
{
	return memory_take(memory, size);
}

static void give_block(void *memory, void *block)
{
	memory_give(memory, block);
}
#endif

// ---- the algorithms

#ifdef MAILTAP_WITH_ZLIB
static void *take_items(void *memory, unsigned items, unsigned size)
{
	return take_block(memory, (size_t)items * size);
}

static bool inflate_zlib(
    struct memory *memory, struct view compressed, uint8_t *into, size_t length)
{
	z_stream stream = {.zalloc = take_items, .zfree = give_block, .opaque = memory};
	if (inflateInit(&stream) != Z_OK)
		return false;
	stream.next_in = compressed.data;
	stream.avail_in = (uInt)compressed.length;
	stream.next_out = into;
	stream.avail_out = (uInt)length;
	bool good = inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 0 &&
	            stream.avail_in == 0;
	(void)inflateEnd(&stream);
	return good;
}
#endif

#ifdef MAILTAP_WITH_LIBBROTLIDEC
static bool inflate_brotli(
    struct memory *memory, struct view compressed, uint8_t *into, size_t length)
{
	BrotliDecoderState *state = BrotliDecoderCreateInstance(take_block, give_block, memory);
	if (state == NULL)
		return false;
	BrotliDecoderResult result = BrotliDecoderDecompressStream(
	    state, &compressed.length, &compressed.data, &length, &into, NULL);
	BrotliDecoderDestroyInstance(state);
	return result == BROTLI_DECODER_RESULT_SUCCESS && length == 0 && compressed.length == 0;
}
#endif

#ifdef MAILTAP_WITH_LIBZSTD
static bool inflate_zstd(struct view compressed, uint8_t *into, size_t length)
{
	size_t written = ZSTD_decompress(into, length, compressed.data, compressed.length);
	return !ZSTD_isError(written) && written == length;
}
#endif

bool tls_certificate_decompress(
    struct memory *memory, uint16_t algorithm, struct view compressed, uint8_t *into, size_t length)
{
	(void)memory; // unless there is a library that takes it
	switch (algorithm) {
#ifdef MAILTAP_WITH_ZLIB
	case ALGORITHM_ZLIB:
		return inflate_zlib(memory, compressed, into, length);
#endif
#ifdef MAILTAP_WITH_LIBBROTLIDEC
	case ALGORITHM_BROTLI:
		return inflate_brotli(memory, compressed, into, length);
#endif
#ifdef MAILTAP_WITH_LIBZSTD
	case ALGORITHM_ZSTD:
		return inflate_zstd(compressed, into, length);
#endif
	default:
		return false;
	}
}
