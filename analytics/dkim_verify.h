// SPDX-License-Identifier: Apache-2.0
// Verifies signatures of DKIM (RFC 6376 6.1, RFC 8463, RFC 8301) by what was hashed of a message while it passed
// (message_facts.h) and by the key that was seen in answers of DNS: nothing is asked for, and of the message there is
// nothing left here. A library for DKIM wants the whole message, header and body, where the key is at hand; here the
// message is in a worker and the key in another thread, and the one may come long after the other. So a worker does
// what needs the message, which is to put it into its canonical form and hash it, and OpenSSL verifies the hash. One
// thread.
#ifndef MAILTAP_ANALYTICS_DKIM_VERIFY_H
#define MAILTAP_ANALYTICS_DKIM_VERIFY_H

#include "analytics/dns_memory.h"
#include "decode/message_facts.h"

enum {
	DKIM_KEY_BITS_LEAST = 1024, // RFC 8301 3.2: with fewer, nothing is said
	DKIM_KEY_BITS_MOST = 4096,
	DKIM_EXPONENT_BITS_MOST = 64, // a longer one takes as long as signing
};

struct dkim_verdict {
	const char *result; // "pass", "fail", "unverifiable"
	const char *why; // NULL with "pass"
};

// `memory`: NULL where answers of DNS are not read. `time`: of the message. A key whose time to live had run out by then
// may have been replaced: what verifies with it does, but that something does not is not said.
struct dkim_verdict dkim_verify(const struct dns_memory *memory,
    const struct dkim_signature *signature, nanoseconds time);

#endif
