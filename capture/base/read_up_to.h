// SPDX-License-Identifier: Apache-2.0
// The beginning of a file, or all of it, whatever pieces the system gives it in.
#ifndef MAILTAP_CAPTURE_BASE_READ_UP_TO_H
#define MAILTAP_CAPTURE_BASE_READ_UP_TO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Reads up to `size` bytes of an open file. Returns how many; -1: errno says why not.
ssize_t read_up_to(int file, uint8_t *bytes, size_t size);

#endif
