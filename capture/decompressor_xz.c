// SPDX-License-Identifier: Apache-2.0
// xz by liblzma, with any number of streams one after the other and the padding the format allows
// between them. Called by byte_input.c through its table.
#include "capture/decompressor.h"

#include <lzma.h>
#include <stdlib.h>

// The largest dictionary of the usual presets (-9: 64 MiB) fits several times over; a file that
// asks for gigabytes does not.
#define MEMORY_LIMIT ((uint64_t)256 << 20)

struct unpacker {
	lzma_stream stream;
};

static struct unpacker *create(void)
{
	struct unpacker *unpacker = calloc(1, sizeof *unpacker);
	if (unpacker == NULL)
		return NULL;
	unpacker->stream = (lzma_stream)LZMA_STREAM_INIT;
	if (lzma_stream_decoder(&unpacker->stream, MEMORY_LIMIT, LZMA_CONCATENATED) != LZMA_OK) {
		free(unpacker);
		return NULL;
	}
	return unpacker;
}

static const char *explain(lzma_ret result)
{
	static const struct {
		lzma_ret result;
		const char *text;
	} explanations[] = {
	    {LZMA_MEM_ERROR, "no memory"},
	    {LZMA_MEMLIMIT_ERROR, "needs more than 256 MiB of memory to decompress"},
	    {LZMA_FORMAT_ERROR, "no xz stream where one should start"},
	    {LZMA_OPTIONS_ERROR, "made with options that liblzma does not know"},
	    {LZMA_DATA_ERROR, "corrupt"},
	};
	for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++)
		if (explanations[i].result == result)
			return explanations[i].text;
	return "liblzma gives no reason";
}

static enum unpack_status run(struct unpacker *unpacker, struct packed_bytes *packed,
    struct unpacked_room *room, bool last, const char **why)
{
	lzma_stream *stream = &unpacker->stream;
	stream->next_in = packed->at;
	stream->avail_in = packed->left;
	stream->next_out = room->at;
	stream->avail_out = room->left;
	lzma_ret result = lzma_code(stream, last ? LZMA_FINISH : LZMA_RUN);
	*packed = (struct packed_bytes){stream->next_in, stream->avail_in};
	*room = (struct unpacked_room){stream->next_out, stream->avail_out};
	if (result == LZMA_STREAM_END)
		return UNPACK_BETWEEN;
	if (result == LZMA_OK || result == LZMA_BUF_ERROR)
		return UNPACK_INSIDE;
	*why = explain(result);
	return UNPACK_DAMAGED;
}

static void destroy(struct unpacker *unpacker)
{
	lzma_end(&unpacker->stream);
	free(unpacker);
}

const struct decompressor_ops decompressor_xz = {create, run, destroy};
