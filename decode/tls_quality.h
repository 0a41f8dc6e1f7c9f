// SPDX-License-Identifier: Apache-2.0
// How good the TLS of a session is: facts that several observations make together, each of them yes, no
// or not seen. Pure but for the suites remembered; any thread. Called by whoever writes or counts sessions.
#ifndef MAILTAP_DECODE_TLS_QUALITY_H
#define MAILTAP_DECODE_TLS_QUALITY_H

#include "decode/session.h"
#include "decode/tls_suite.h"

// "Not seen" also where the question does not arise: what only TLS 1.2 has, or what nobody asked for.
struct tls_quality {
	bool suite_known; // of the suite chosen: aead and weaknesses mean something
	bool aead;
	unsigned weaknesses; // 1 << enum tls_weakness
	enum seen forward_secrecy; // of an exchange made in this session
	enum tls_post_quantum post_quantum;
	enum seen compression;
	enum seen secure_renegotiation, secure_renegotiation_offered; // RFC 5746
	enum seen extended_master_secret; // RFC 7627; TLS 1.3 always does the same (RFC 8446 D)
	enum seen ocsp_staple; // RFC 6066 8
	bool timestamps_seen;
	unsigned timestamps; // RFC 6962 3.3.1, in the ServerHello, or with the certificate
	enum seen ech_offered; // or GREASE that looks like it
	enum seen post_quantum_offered;
	bool key_share_seen;
	uint32_t key_share_bytes; // public keys of the first ClientHello
};

struct tls_quality tls_quality_of(const struct tls_facts *facts, struct tls_suite_memory *suites);

#endif
