// SPDX-License-Identifier: Apache-2.0
// The shipped patterns for a test program, and a folder of its own for files and caches.
#ifndef MAILTAP_TESTS_UNIT_PATTERN_LAB_H
#define MAILTAP_TESTS_UNIT_PATTERN_LAB_H

#include "decode/pattern_set.h"

// Compiled once in a program, without a cache; never freed.
struct pattern_set *shipped_set(void);

// For cmocka: a folder under /tmp, and its removal.
int lab_folder_make(void **state);
int lab_folder_remove(void **state);

// A path in the folder; valid until the fourth call after this one.
const char *lab_path(const char *name);

// A file in the folder with this text; its path, valid as above.
const char *lab_file(const char *name, const char *text);

#endif
