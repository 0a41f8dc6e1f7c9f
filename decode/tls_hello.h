// SPDX-License-Identifier: Apache-2.0
// ClientHello and ServerHello taken apart. Pure functions over one whole message each (without its
// 4-byte handshake header); the hellos borrow the message. Tolerant: unknown extensions are passed
// over, lies in lengths set `malformed` and keep what was read before them.
#ifndef MAILTAP_DECODE_TLS_HELLO_H
#define MAILTAP_DECODE_TLS_HELLO_H

#include "decode/tls.h"

// RFC 8446 4.1.2, RFC 5246 7.4.1.2, RFC 6101 5.6.1.2.
void tls_parse_client_hello(struct view message, struct tls_client_hello *hello);

// RFC 8446 4.1.3 (and 4.1.4 for HelloRetryRequest), RFC 5246 7.4.1.3.
void tls_parse_server_hello(struct view message, struct tls_server_hello *hello);

// The SSLv2-format hello from its message type byte on (RFC 5246 E.2).
void tls_parse_sslv2_client_hello(struct view message, struct tls_client_hello *hello);

// The next extension of a list. False at its end, or where a length lies (the list is then null).
bool tls_next_extension(struct view *list, uint16_t *type, struct view *body);

// How many timestamps are in the body of a signed_certificate_timestamp extension (RFC 6962 3.3), up to
// where it contradicts itself.
uint16_t tls_count_timestamps(struct view body);

// Values that stand for nothing, sent to keep others tolerant (RFC 8701 2): versions, cipher suites,
// extensions, groups, signature algorithms, ALPN names of two bytes.
bool tls_is_grease(uint16_t value);

#endif
