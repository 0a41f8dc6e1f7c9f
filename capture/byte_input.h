// SPDX-License-Identifier: Apache-2.0
// The bytes of a file or of standard input, decompressed on the way if they are gzip, zstd or xz
// (told by their first bytes, never by a name). Knows nothing of captures. Used by the file source and by
// whoever reads logs.
#ifndef MAILTAP_CAPTURE_BYTE_INPUT_H
#define MAILTAP_CAPTURE_BYTE_INPUT_H

#include "capture/base/error.h"

#include <stddef.h>
#include <stdint.h>

struct byte_input;

enum input_status {
	INPUT_BYTES, // at least one byte
	INPUT_END, // no more, and the end is where it should be
	INPUT_INTERRUPTED, // a signal came while waiting: nothing is lost, call again
	INPUT_FAILED, // *error says why; what was given before is good
};

// Opens `target`; "-" is standard input, which stays open when the input is closed. Waits for the
// first bytes. NULL: *error says why.
struct byte_input *byte_input_open(const char *target, struct error *error);
void byte_input_close(struct byte_input *input);

// Puts up to `capacity` bytes into `into` and their number into *count: as many as are there now,
// it waits only when there are none. Plain input is read straight into `into`.
enum input_status byte_input_read(
    struct byte_input *input, uint8_t *into, size_t capacity, size_t *count, struct error *error);

// How messages call it: the path (its end if it is long) or "standard input".
const char *byte_input_name(const struct byte_input *input);

// The file itself, for fstat; the input's own.
int byte_input_descriptor(const struct byte_input *input);

// Bytes taken from the file so far (compressed ones where it is compressed), and all there are:
// 0 if that cannot be known.
uint64_t byte_input_taken(const struct byte_input *input);
uint64_t byte_input_size(const struct byte_input *input);

#endif
