// SPDX-License-Identifier: Apache-2.0
// Files that are read as a whole, and files that are replaced as a whole: whoever reads one finds what
// was there before or what is there now, whatever happens in between. One thread.
#ifndef MAILTAP_ANALYTICS_WHOLE_FILE_H
#define MAILTAP_ANALYTICS_WHOLE_FILE_H

#include "capture/base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHOLE_FILE_MAX = 512 << 20 }; // bytes; a larger file is refused

enum whole_file_outcome {
	WHOLE_FILE_READ, // *bytes is the caller's to free
	WHOLE_FILE_MISSING, // there is none of this name
	WHOLE_FILE_FAILED, // *error says why
};

// Reads a regular file, or what else ends.
enum whole_file_outcome whole_file_read(
    const char *path, uint8_t **bytes, size_t *length, struct error *error);

// Whether the file could be replaced, as far as can be said beforehand. False: *error says why not.
bool whole_file_can_replace(const char *path, struct error *error);

struct replacement;

// Begins to write beside the file, as PATH.new, for the owner's eyes only (mode 0600). NULL: *error; also if
// another process is writing it now.
struct replacement *replacement_open(const char *path, struct error *error);

// Adds bytes. False: *error; close it.
bool replacement_add(
    struct replacement *replacement, const char *bytes, size_t length, struct error *error);

// Writes what is left to the disk and puts it in the place of the file; frees. `keep` false: what was added
// is thrown away. False: *error says why, and the file is as it was unless that says otherwise.
bool replacement_close(struct replacement *replacement, bool keep, struct error *error);

#endif
