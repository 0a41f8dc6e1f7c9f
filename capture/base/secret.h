// SPDX-License-Identifier: Apache-2.0
// Memory for secrets: left out of core dumps, and overwritten before it is given back. Whole pages, for the few
// objects that hold keys. Any thread.
#ifndef MAILTAP_CAPTURE_BASE_SECRET_H
#define MAILTAP_CAPTURE_BASE_SECRET_H

#include <stddef.h>

// Zeroed. NULL: no memory.
void *secret_take(size_t size);

// Overwrites and gives back what secret_take(size) gave; NULL is allowed.
void secret_give(void *memory, size_t size);

#endif
