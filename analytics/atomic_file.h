// SPDX-License-Identifier: Apache-2.0
// A file that is replaced as a whole: readers see the old one or the new one. Written beside it, under
// its name with .new behind. One thread.
#ifndef MAILTAP_ANALYTICS_ATOMIC_FILE_H
#define MAILTAP_ANALYTICS_ATOMIC_FILE_H

#include "capture/base/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

struct atomic_file {
	FILE *out;
	char path[PATH_MAX];
};

// `directory` NULL: `name` is the whole path. False: *error.
bool atomic_file_begin(
    struct atomic_file *file, const char *directory, const char *name, struct error *error);

// Puts it in its place. False: *error; the old file stands.
bool atomic_file_commit(struct atomic_file *file, struct error *error);

#endif
