// SPDX-License-Identifier: Apache-2.0
// Certificate compression of TLS 1.3 (RFC 8879): zlib, brotli, zstd, as far as the libraries were there
// when mailtap was built. Pure; any thread. Called by tls_opened.c.
#ifndef MAILTAP_DECODE_TLS_CERTIFICATE_COMPRESSION_H
#define MAILTAP_DECODE_TLS_CERTIFICATE_COMPRESSION_H

#include "capture/base/memory.h"
#include "capture/base/view.h"

// Decompresses a Certificate message into `into`, which takes exactly `length` bytes: as many as the
// sender said. Never writes more, and takes no more memory than a message of that length needs: of
// zlib and brotli from `memory`, zstd's state of fixed size from the system. False: an algorithm (the
// number of RFC 8879 3) that is not known here, no such data, another length, no memory.
bool tls_certificate_decompress(struct memory *memory, uint16_t algorithm, struct view compressed,
    uint8_t *into, size_t length);

#endif
