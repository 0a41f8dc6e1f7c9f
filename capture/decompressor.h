// SPDX-License-Identifier: Apache-2.0
// How byte_input decompresses: one const decompressor_ops per format in its own file, one row in
// the table of byte_input.c. A format whose library was not there at build time has no ops.
#ifndef MAILTAP_CAPTURE_DECOMPRESSOR_H
#define MAILTAP_CAPTURE_DECOMPRESSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Bytes to take from and room to put into. A run moves both forward.
struct packed_bytes {
	const uint8_t *at;
	size_t left;
};

struct unpacked_room {
	uint8_t *at;
	size_t left;
};

enum unpack_status {
	UNPACK_INSIDE, // in the middle of a member or frame: an end of input here is a cut
	UNPACK_BETWEEN, // a member or frame is complete: the input may end here, or another follows
	UNPACK_DAMAGED, // *why says what the library thinks
};

struct unpacker;

struct decompressor_ops {
	// NULL: no memory.
	struct unpacker *(*create)(void);
	// Takes and puts what it can. `last`: nothing follows what is in `packed`.
	enum unpack_status (*run)(struct unpacker *unpacker, struct packed_bytes *packed,
	    struct unpacked_room *room, bool last, const char **why);
	void (*destroy)(struct unpacker *unpacker);
};

extern const struct decompressor_ops decompressor_gzip;
extern const struct decompressor_ops decompressor_zstd;
extern const struct decompressor_ops decompressor_xz;

#endif
