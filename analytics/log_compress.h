// SPDX-License-Identifier: Apache-2.0
// Compresses a log that was put aside: log_compress.c by zstd, log_compress_none.c where mailtap is built
// without libzstd. Memory does not grow with the file.
#ifndef MAILTAP_ANALYTICS_LOG_COMPRESS_H
#define MAILTAP_ANALYTICS_LOG_COMPRESS_H

#include "capture/base/error.h"

#include <stdbool.h>

// Behind the name of a compressed log while it is written. One that a killed run left is written over.
#define LOG_COMPRESS_BESIDE ".new"

// Whether this mailtap can.
bool log_compress_can(void);

// Compresses `plain` to the file `packed`, which is there as a whole and on the disk, or not at all. `plain`
// stays. False: *error.
bool log_compress(const char *plain, const char *packed, struct error *error);

#endif
