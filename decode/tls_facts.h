// SPDX-License-Identifier: Apache-2.0
// Carries what the TLS reader reports into the facts of a session, hashing certificates on the way.
// What a hello says of the software that sent it is the same in all its sessions, and kept once, as a
// text (session.h). Called by dialogue.c; what was kept is read back by whoever reports sessions.
#ifndef MAILTAP_DECODE_TLS_FACTS_H
#define MAILTAP_DECODE_TLS_FACTS_H

#include "decode/session.h"
#include "decode/tls.h"
#include "decode/tls_fingerprint.h"

// What a ClientHello says of its client; the bytes of tls_facts.offer. No padding.
struct tls_offer {
	uint8_t ja3[TLS_JA3_BYTES];
	char ja4[TLS_JA4_LENGTH];
	uint32_t key_share_bytes; // of the public keys
	bool has_ja3, has_ja4;
	bool
	    first; // if not, a hello came before it: no fingerprints, and key_share_bytes means nothing
	bool secure_renegotiation;
	bool asks_ocsp, asks_timestamps;
	bool ech;
	bool post_quantum; // in supported_groups
};

// What a ServerHello that is no HelloRetryRequest says of its server (not in SSLv2); the bytes of
// tls_facts.answer. No padding.
struct tls_answer {
	uint8_t ja3s[TLS_JA3_BYTES];
	uint16_t timestamps; // signed ones of the certificate
	bool has_ja3s;
	bool key_share; // TLS 1.3
	bool compression;
	bool secure_renegotiation;
	bool extended_master_secret;
	bool reserved;
};

// The sink to give to tls_create, with the session as its context.
extern const struct tls_sink tls_facts_sink;

// What only the end of the handshake settles. Called once, before the reader is destroyed.
void tls_facts_conclude(struct session *session, const struct tls *tls);

// What was kept of the hellos; false: not seen, and *offer or *answer all zero.
bool tls_facts_offer(const struct tls_facts *facts, struct tls_offer *offer);
bool tls_facts_answer(const struct tls_facts *facts, struct tls_answer *answer);

#endif
