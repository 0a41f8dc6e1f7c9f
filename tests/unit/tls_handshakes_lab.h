// SPDX-License-Identifier: Apache-2.0
// For tests of the TLS parser: handshakes of many kinds that OpenSSL makes through memory, and what was said of them.
#ifndef MAILTAP_TESTS_UNIT_TLS_HANDSHAKES_LAB_H
#define MAILTAP_TESTS_UNIT_TLS_HANDSHAKES_LAB_H

#include "tls_seal.h"

#include <openssl/ssl.h>

enum twist {
	TWIST_NONE,
	TWIST_CLIENT_CERTIFICATE, // asked for and given
	TWIST_CLIENT_HAS_NONE, // asked for, not given
	TWIST_REJECT, // the client does not trust the certificate
	TWIST_RESUME_ID,
	TWIST_RESUME_TICKET,
	TWIST_PSK,
	TWIST_EARLY_DATA,
	TWIST_STAPLE, // asked for, and given where the version is for it
	TWIST_CLIENT_LEAVES, // after the server's first flight
};

// A handshake, and what is to be found in it (NULL, 0: not looked for).
struct scenario {
	const char *name;
	int client_min, client_max, server_min, server_max;
	const char *client_ciphers, *server_ciphers; // up to TLS 1.2; NULL: all
	const char *client_groups, *server_groups;
	enum twist twist;
	enum seen established, resumed, requested;
	bool hidden;
	const char *lines[4];
};

#define TLS10 TLS1_VERSION
#define TLS11 TLS1_1_VERSION
#define TLS12 TLS1_2_VERSION
#define TLS13 TLS1_3_VERSION

struct handshake {
	const struct scenario *scenario;
	struct conversation conversation;
	struct tls_keylog *keylog;
	struct facts whole, opened; // without and with the key log
	struct watched watched; // when it was opened
};

enum { SCENARIOS = 26 };

extern struct handshake handshakes[SCENARIOS];

// For cmocka: makes all handshakes, and gives back what they were made with.
int make_handshakes(void **state);
int free_handshakes(void **state);

void for_each_handshake(void (*check)(const struct handshake *handshake));

// Bytes of the record that this byte of a direction stands in, from there on.
size_t record_length(const struct conversation *talk, enum direction sender, size_t at);

// The same numbers in each run.
size_t chance(size_t below);
struct hole chance_hole(const struct conversation *talk, enum direction sender);

#endif
