// SPDX-License-Identifier: Apache-2.0
// gzip by zlib, with any number of members one after the other and zero bytes between or after
// them. Called by byte_input.c through its table.
#include "capture/decompressor.h"

#define ZLIB_CONST
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 }; // the largest window; 16: a gzip header and no other

struct unpacker {
	z_stream stream;
	bool between; // the last member is complete
};

static struct unpacker *create(void)
{
	struct unpacker *unpacker = calloc(1, sizeof *unpacker);
	if (unpacker == NULL || inflateInit2(&unpacker->stream, GZIP_WINDOW) != Z_OK) {
		free(unpacker);
		return NULL;
	}
	return unpacker;
}

// Gets ready for the next member, if there is one in `packed`.
static bool start_member(struct unpacker *unpacker, struct packed_bytes *packed)
{
	while (packed->left > 0 && *packed->at == 0) {
		packed->at++;
		packed->left--;
	}
	if (packed->left == 0)
		return false;
	inflateReset(&unpacker->stream);
	unpacker->between = false;
	return true;
}

static enum unpack_status run(struct unpacker *unpacker, struct packed_bytes *packed,
    struct unpacked_room *room, bool last, const char **why)
{
	(void)last;
	if (unpacker->between && !start_member(unpacker, packed))
		return UNPACK_BETWEEN;
	z_stream *stream = &unpacker->stream;
	uInt given = packed->left < UINT_MAX ? (uInt)packed->left : UINT_MAX;
	uInt space = room->left < UINT_MAX ? (uInt)room->left : UINT_MAX;
	stream->next_in = packed->at;
	stream->avail_in = given;
	stream->next_out = room->at;
	stream->avail_out = space;
	int result = inflate(stream, Z_NO_FLUSH);
	packed->at += given - stream->avail_in;
	packed->left -= given - stream->avail_in;
	room->at += space - stream->avail_out;
	room->left -= space - stream->avail_out;
	unpacker->between = result == Z_STREAM_END;
	if (result == Z_STREAM_END)
		return UNPACK_BETWEEN;
	if (result == Z_OK || result == Z_BUF_ERROR)
		return UNPACK_INSIDE;
	*why = stream->msg != NULL ? stream->msg : zError(result);
	return UNPACK_DAMAGED;
}

static void destroy(struct unpacker *unpacker)
{
	inflateEnd(&unpacker->stream);
	free(unpacker);
}

const struct decompressor_ops decompressor_gzip = {create, run, destroy};
