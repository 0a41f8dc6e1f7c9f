// SPDX-License-Identifier: Apache-2.0
// For tests of what a key log opens: seals records of TLS 1.3 (TLS_AES_128_GCM_SHA256) as a client or
// a server would, and watches what is decrypted (a program that links tls_seal.c wraps tls_decrypt).
#ifndef MAILTAP_TESTS_UNIT_TLS_SEAL_H
#define MAILTAP_TESTS_UNIT_TLS_SEAL_H

#include "decode/tls_decrypt.h"
#include "tls_conversation.h"

// A sender's side of the record layer.
struct sealer {
	uint8_t secret[32];
	uint64_t sequence;
};

// Adds a record to a conversation: content, type and `padding` zeros sealed.
void seal(struct conversation *conversation, enum direction sender, struct sealer *sealer,
    uint8_t type, const void *content, size_t length, size_t padding);

// A key log with both handshake traffic secrets of one session, to be destroyed by the caller.
struct tls_keylog *keylog_of_secrets(
    const uint8_t *client_random, const uint8_t *client_secret, const uint8_t *server_secret);
struct tls_keylog *keylog_of_text(const char *text);

// What tls_decrypt was asked for since watch_begin.
struct watched {
	unsigned calls, opened;
	bool saw_forbidden; // a text that must never be decrypted came out, even for a moment
};

// `forbidden`: NULL, or a text.
void watch_begin(const char *forbidden);
struct watched watch_end(void);

#endif
