// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648 4) as it stands in tags of DKIM: with spaces and line ends anywhere in it (RFC 6376 3.2). Pure; any
// thread.
#ifndef MAILTAP_DECODE_BASE64_H
#define MAILTAP_DECODE_BASE64_H

#include "capture/base/view.h"

// Returns the number of bytes; 0: it is none, or more than `most`.
size_t base64_decode(struct view text, uint8_t *bytes, size_t most);

#endif
