// SPDX-License-Identifier: Apache-2.0
// Signs of TLS beyond a hello at the beginning, for dialogue.c while it finds out what is spoken.
// Pure.
#ifndef MAILTAP_DECODE_FIRST_LOOK_H
#define MAILTAP_DECODE_FIRST_LOOK_H

#include "decode/session.h"

// Behind the beginning of a connection even a record in the middle of TLS is a sign of it. At least
// one byte. 1 yes, 0 no, -1 too few bytes to say.
int tls_looks_like_record(const uint8_t *bytes, size_t length);

// What the client asks to speak inside TLS (IANA's ALPN protocol identifiers), or `otherwise`.
enum protocol protocol_of_alpn(const uint8_t *alpn, size_t length, enum protocol otherwise);

#endif
