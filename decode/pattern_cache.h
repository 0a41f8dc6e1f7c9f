// SPDX-License-Identifier: Apache-2.0
// Compiled patterns kept from run to run, since compiling them takes longer than a small capture. One file
// per slot of a directory, replaced as a whole. A file is believed only if it is an ordinary one of
// this user that nobody else may read or write, was made of the same patterns for the same processor by the same
// Hyperscan, and is whole: what reads it back does not withstand damaged bytes. Everything that goes
// wrong means that there is no cache. Called by pattern_set.c; keeps nothing.
#ifndef MAILTAP_DECODE_PATTERN_CACHE_H
#define MAILTAP_DECODE_PATTERN_CACHE_H

#include "decode/pattern_class.h"

#include <stdbool.h>
#include <stdint.h>

struct hs_database;

enum {
	PATTERN_CACHE_FORMAT = 2, // of a file, to be raised with every change of its header
	PATTERN_KEY_SIZE = 32, // bytes: SHA-256 of all that the databases depend on, and of the format
	PATTERN_CACHE_SLOTS = 16, // files at most, whatever patterns are tried
};

// False: none that is any good, and all databases are NULL. Otherwise they are the caller's
// (hs_free_database); one that was NULL when stored is NULL.
bool pattern_cache_load(const char *directory, const uint8_t key[PATTERN_KEY_SIZE],
    struct hs_database *databases[PATTERN_CLASSES]);

// Makes the directory if need be.
void pattern_cache_store(const char *directory, const uint8_t key[PATTERN_KEY_SIZE],
    struct hs_database *const databases[PATTERN_CLASSES]);

// Where caches are kept if nobody says: $XDG_CACHE_HOME/mailtap or ~/.cache/mailtap. False: there is no
// such place.
bool pattern_cache_usual_directory(char *path, size_t size);

#endif
