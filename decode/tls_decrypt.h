// SPDX-License-Identifier: Apache-2.0
// Opens one protected record of TLS 1.2 (RFC 5246 6.2.3, RFC 7366) or TLS 1.3 (RFC 8446 5.2) with the
// secrets of a key log. Keys are derived for the one call and overwritten at its end; between two
// records there is nothing but the secrets in the key log. Pure; any thread. Called by
// tls_protected.c, which decides what is opened at all.
#ifndef MAILTAP_DECODE_TLS_DECRYPT_H
#define MAILTAP_DECODE_TLS_DECRYPT_H

#include "decode/seen.h"
#include "decode/tls_keylog.h"

// What is needed to open the records of a session.
struct tls_protection {
	const struct tls_secrets *secrets; // borrowed from the key log
	uint16_t version; // enum tls_version
	uint16_t cipher;
	bool encrypt_then_mac; // negotiated; of meaning for CBC ciphers only
	uint8_t server_random[TLS_RANDOM_LENGTH];
};

struct tls_protected_record {
	enum direction sender;
	uint64_t sequence; // records of the sender before it under the same keys
	uint8_t type; // of its header
	struct view body;
};

// What was in it. TLS 1.3: the type inside, padding left out.
struct tls_opened_record {
	uint8_t type;
	struct view content; // in the room given
};

// True if the log has the secret for what this side sends in the session's version, and its cipher suite
// is known here. In TLS 1.3 one side's may be missing: a client that rejects the certificate may never
// have come to write down its own.
bool tls_can_decrypt(const struct tls_protection *protection, enum direction sender);

// Opens a record. `room` takes as many bytes as the body has; what is in it afterwards is of no use if
// false is returned, but may be what it should not be: the caller overwrites it. False: the record is
// not what these secrets protected at this place, or was changed on its way.
bool tls_decrypt(const struct tls_protection *protection, const struct tls_protected_record *record,
    uint8_t *room, struct tls_opened_record *opened);

#endif
