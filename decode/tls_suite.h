// SPDX-License-Identifier: Apache-2.0
// What follows from the number of a cipher suite or of a group alone: how keys are exchanged, whether
// the cipher authenticates what it encrypts, what is weak about it, what withstands a quantum computer.
// Read from the registered names, which follow a grammar, so that a new registration is a line in
// tls_names.c alone. Pure; any thread. Called by tls_quality.c and by whoever counts suites.
#ifndef MAILTAP_DECODE_TLS_SUITE_H
#define MAILTAP_DECODE_TLS_SUITE_H

#include <stdbool.h>
#include <stdint.h>

// How the keys of a session come about.
enum tls_exchange {
	TLS_EXCHANGE_STATIC, // whoever gets the server's long-lived key can read all that was recorded
	TLS_EXCHANGE_EPHEMERAL, // with keys made for the session
	TLS_EXCHANGE_EPHEMERAL_GROUP, // likewise, in a group that the handshake names
	TLS_EXCHANGE_BY_EXTENSION, // TLS 1.3: the suite does not say
};

// As bits of a set, in the order in which records list them.
enum tls_weakness {
	TLS_WEAK_ANONYMOUS, // nobody shows who he is: anyone can sit between
	TLS_WEAK_NO_ENCRYPTION,
	TLS_WEAK_EXPORT, // 40 or 56 bits on purpose
	TLS_WEAK_RC4, // RFC 7465
	TLS_WEAK_RC2,
	TLS_WEAK_DES, // 56 bits
	TLS_WEAK_3DES,
	TLS_WEAK_SHORT_BLOCK, // blocks of 64 bits: collide after some gigabytes (Sweet32, CVE-2016-2183)
	TLS_WEAK_MD5,
	TLS_WEAKNESSES,
};

struct tls_suite {
	bool known; // registered: the rest means something
	bool aead;
	enum tls_exchange exchange;
	unsigned weaknesses; // 1 << enum tls_weakness
};

// What was read of the names of suites: sessions have the same few, and each name is read once. One thread's own;
// zero at first.
enum { TLS_SUITES_REMEMBERED = 64 };

struct tls_suite_memory {
	struct {
		bool read;
		uint16_t cipher;
		struct tls_suite suite;
	} places[TLS_SUITES_REMEMBERED]; // of a cipher, by its number
};

struct tls_suite tls_suite_of(uint16_t cipher);
struct tls_suite tls_suite_recall(struct tls_suite_memory *memory, uint16_t cipher);
struct tls_suite tls_suite_of_sslv2(uint32_t kind);

// As records write it: "anonymous", "3des".
const char *tls_weakness_name(enum tls_weakness weakness);

// Does a key exchange withstand a quantum computer?
enum tls_post_quantum {
	POST_QUANTUM_NOT_SEEN = 0, // or the group is not registered
	POST_QUANTUM_NONE,
	POST_QUANTUM_HYBRID, // ML-KEM or Kyber and a curve: safe while either holds
	POST_QUANTUM_PURE, // ML-KEM alone
};

// No group below this number does.
enum { TLS_POST_QUANTUM_FIRST = 512 };

enum tls_post_quantum tls_group_post_quantum(uint16_t group);

// As records write it: "hybrid"; NULL: not seen.
const char *tls_post_quantum_name(enum tls_post_quantum post_quantum);

#endif
