// SPDX-License-Identifier: Apache-2.0
// A DKIM-Signature field (RFC 6376 3.5): its tags, and the hash of the header's fields that it signs (3.7), so that a
// signature can be verified later by whoever has the key, without the message. Pure but for the hash's context.
#ifndef MAILTAP_DECODE_DKIM_SIGNATURE_H
#define MAILTAP_DECODE_DKIM_SIGNATURE_H

#include "decode/header_section.h"
#include "decode/message_facts.h"

#include <openssl/evp.h>

enum { DKIM_SIGNED_FIELDS_MAX = 128 }; // names in h=

struct dkim_number {
	bool there, good; // good: there, and it is one
	uint64_t value;
};

// All point into the field.
struct dkim_tags {
	bool sound; // it is a list of tags at all
	struct view domain, selector, algorithm, form, fields, identity, query, version;
	struct view body_hash, signature;
	struct dkim_number length; // of the body
	struct dkim_number expiry, time; // Unix time
};

// What a field says, as far as it says it.
struct dkim_tags dkim_tags_read(struct view value);

// Fills the facts of a signature but its hashes. Its texts point into the field, but `bytes`, which gets the decoded
// signature. `author`: the domain of From, or length 0.
void dkim_signature_read(const struct dkim_tags *tags, struct view author, nanoseconds now,
    struct dkim_signature *signature, uint8_t bytes[DKIM_SIGNATURE_MAX]);

// Hashes the fields that are signed, and the signature's own, into signature->digest. `hash`: SHA-256, to be begun
// anew. False: it could not be.
bool dkim_header_hash(const struct header_section *section, const struct header_field *own,
    const struct dkim_tags *tags, struct dkim_signature *signature, EVP_MD_CTX *hash);

#endif
