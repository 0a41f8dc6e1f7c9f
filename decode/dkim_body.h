// SPDX-License-Identifier: Apache-2.0
// The hash of a message's body as DKIM asks for it (RFC 6376 3.4.3, 3.4.4), taken while the body passes: nothing of it
// is kept but the state of the hash, and the bytes that make no block of it yet. One message, one signature. From the
// worker's memory, which is in no core dump, but the hash's own state: that is given whole blocks alone, and so has no
// text in it.
#ifndef MAILTAP_DECODE_DKIM_BODY_H
#define MAILTAP_DECODE_DKIM_BODY_H

#include "decode/message_facts.h"

#include <openssl/evp.h>

enum { DKIM_BLOCK = 64 }; // bytes that SHA-256 takes at a time

struct dkim_body {
	EVP_MD_CTX *hash;
	uint64_t left; // of what is signed
	bool limited; // by the signature: less than that is not what was signed
	uint32_t line_ends; // that have passed and count only if something follows
	uint8_t form; // enum dkim_canonicalisation
	bool blank; // has passed, likewise
	bool cr; // the last byte was one
	bool begun; // something counted
	bool bare_line; // a line ended in LF alone
	bool failed;
	uint8_t waiting; // bytes of a block that is not full
	uint8_t block[DKIM_BLOCK];
	uint8_t expected[DKIM_HASH_BYTES];
};

// `most`: bytes that are signed; UINT64_MAX: all. False: no memory, nothing is begun.
bool dkim_body_begin(struct dkim_body *body, EVP_MD *sha256, enum dkim_canonicalisation form,
    uint64_t most, const uint8_t expected[DKIM_HASH_BYTES]);

void dkim_body_take(struct dkim_body *body, const uint8_t *bytes, size_t length);

// Whether the body, which has ended, has the expected hash; and frees it.
bool dkim_body_end(struct dkim_body *body);

// Frees it without an answer.
void dkim_body_drop(struct dkim_body *body);

#endif
