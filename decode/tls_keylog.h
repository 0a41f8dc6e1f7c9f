// SPDX-License-Identifier: Apache-2.0
// Key logs: the secrets of TLS sessions that their own clients and servers wrote down, in the format
// of NSS (SSLKEYLOGFILE), looked up by the random of the ClientHello. Of all that such a file holds only
// what opens a handshake is kept: the master secret up to TLS 1.2 (CLIENT_RANDOM) and the two handshake
// traffic secrets of TLS 1.3. The secrets of TLS 1.3's application data and early data are passed over
// unread.
//
// Filled once before the first packet by the front door, then only read: any number of threads. Its
// memory is left out of core dumps, and is overwritten before it is given back.
#ifndef MAILTAP_DECODE_TLS_KEYLOG_H
#define MAILTAP_DECODE_TLS_KEYLOG_H

#include "capture/base/error.h"
#include "capture/base/view.h"

enum {
	TLS_RANDOM_LENGTH = 32,
	TLS_SECRET_MAX = 48, // bytes
	TLS_KEYLOG_SESSIONS_MAX = 1 << 18, // secrets of more are not kept
};

struct tls_secret {
	uint8_t length; // 0: not in the log
	uint8_t bytes[TLS_SECRET_MAX];
};

struct tls_secrets {
	uint8_t client_random[TLS_RANDOM_LENGTH];
	struct tls_secret master; // up to TLS 1.2
	struct tls_secret handshake[2]; // TLS 1.3, by enum direction of the sender
};

struct tls_keylog_counters {
	uint64_t lines; // without comments and empty ones
	uint64_t secrets; // lines that gave a secret
	uint64_t unused; // lines with another label
	uint64_t malformed; // lines that are none of a key log
	uint64_t refused; // good lines for which there was no room
	size_t sessions; // with at least one secret
};

struct tls_keylog;

// Empty. NULL: no memory.
struct tls_keylog *tls_keylog_create(void);

// Overwrites and frees everything. NULL is allowed.
void tls_keylog_destroy(struct tls_keylog *keylog);

// Adds a file, from its beginning to its end as of now: what is written to it later is not seen.
// False: it could not be read, or is larger than 1 GiB; *error says so in one line.
bool tls_keylog_read(struct tls_keylog *keylog, const char *path, struct error *error);

// Adds text; a line may come in pieces. tls_keylog_end ends the last line. Of two secrets with the same
// label for one session the later one counts.
void tls_keylog_add(struct tls_keylog *keylog, const uint8_t *text, size_t length);
void tls_keylog_end(struct tls_keylog *keylog);

// The secrets of the session whose ClientHello has this random; NULL: none. Borrowed from the key log.
const struct tls_secrets *tls_keylog_find(const struct tls_keylog *keylog, struct view random);

struct tls_keylog_counters tls_keylog_counters(const struct tls_keylog *keylog);

#endif
