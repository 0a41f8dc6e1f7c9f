// SPDX-License-Identifier: Apache-2.0
// zstd by libzstd, with any number of frames one after the other. A frame may ask for a window of
// 128 MiB, libzstd's own limit; beyond that it counts as damaged. Called by byte_input.c through
// its table.
#include "capture/decompressor.h"

#include <stdlib.h>
#include <zstd.h>

struct unpacker {
	ZSTD_DStream *stream;
	bool between; // the last frame is complete and all of it was given out
};

static struct unpacker *create(void)
{
	struct unpacker *unpacker = calloc(1, sizeof *unpacker);
	if (unpacker == NULL || (unpacker->stream = ZSTD_createDStream()) == NULL) {
		free(unpacker);
		return NULL;
	}
	return unpacker;
}

static enum unpack_status run(struct unpacker *unpacker, struct packed_bytes *packed,
    struct unpacked_room *room, bool last, const char **why)
{
	(void)last;
	if (unpacker->between && packed->left == 0)
		return UNPACK_BETWEEN;
	ZSTD_inBuffer in = {packed->at, packed->left, 0};
	ZSTD_outBuffer out = {room->at, room->left, 0};
	size_t result = ZSTD_decompressStream(unpacker->stream, &out, &in);
	packed->at += in.pos;
	packed->left -= in.pos;
	room->at += out.pos;
	room->left -= out.pos;
	if (ZSTD_isError(result)) {
		*why = ZSTD_getErrorName(result);
		return UNPACK_DAMAGED;
	}
	unpacker->between = result == 0;
	return result == 0 ? UNPACK_BETWEEN : UNPACK_INSIDE;
}

static void destroy(struct unpacker *unpacker)
{
	ZSTD_freeDStream(unpacker->stream);
	free(unpacker);
}

const struct decompressor_ops decompressor_zstd = {create, run, destroy};
