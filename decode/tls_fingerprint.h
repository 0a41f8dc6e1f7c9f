// SPDX-License-Identifier: Apache-2.0
// Fingerprints of the two ends of a TLS connection: JA3 and JA3S (github.com/salesforce/ja3), JA4
// (github.com/FoxIO-LLC/ja4, technical_details/JA4.md). Where programs differ, the published text counts.
// No fingerprint rather than a wrong one: a hello that contradicts itself, one in the SSLv2 format (whose
// lists none of the texts describes), and one with more than TLS_FINGERPRINT_LIST_MAX entries in a list
// have none.
// Owns the hash functions, looked up once, and remembers the fingerprints made last: the same software
// sends the same hello. One of these per worker; one thread. Called by tls_facts.c.
#ifndef MAILTAP_DECODE_TLS_FINGERPRINT_H
#define MAILTAP_DECODE_TLS_FINGERPRINT_H

#include "decode/tls.h"

enum {
	TLS_JA3_BYTES = 16, // an MD5, written as 32 digits
	TLS_JA4_LENGTH = 36, // characters
	TLS_FINGERPRINT_LIST_MAX = 512, // cipher suites, extensions, groups, signature algorithms
};

struct tls_client_fingerprint {
	uint8_t ja3[TLS_JA3_BYTES];
	char ja4[TLS_JA4_LENGTH];
	bool has_ja3, has_ja4;
};

struct tls_fingerprints;

// NULL: no memory.
struct tls_fingerprints *tls_fingerprints_create(void);
void tls_fingerprints_destroy(struct tls_fingerprints *fingerprints);

// All zero where there is none.
struct tls_client_fingerprint tls_fingerprint_client(
    struct tls_fingerprints *fingerprints, const struct tls_client_hello *hello);

// The JA3S of a ServerHello proper; false if there is none, as of a HelloRetryRequest.
bool tls_fingerprint_server(struct tls_fingerprints *fingerprints,
    const struct tls_server_hello *hello, uint8_t ja3s[TLS_JA3_BYTES]);

#endif
