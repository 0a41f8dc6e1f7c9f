// SPDX-License-Identifier: Apache-2.0
// What is known of one mail transaction in the clear, with --mail-headers: how its message came here, who signed it,
// what was said of it, what became of it; or of a message that is fetched from a mail store or put into it. No address,
// no subject, no other field of the header is in it. Filled by message_reader.c, smtp_message.c and access_message.c,
// kept by message_shelf.c until the session's record is written, read by analytics.
#ifndef MAILTAP_DECODE_MESSAGE_FACTS_H
#define MAILTAP_DECODE_MESSAGE_FACTS_H

#include "capture/base/view.h"
#include "capture/packet.h"
#include "decode/seen.h"

enum {
	HOPS_MAX = 32, // Received fields of a message that are told of
	SIGNATURES_MAX = 4, // DKIM-Signature fields
	RESULTS_MAX = 16, // outcomes of the topmost Authentication-Results
	DKIM_HASH_BYTES = 32, // SHA-256
	DKIM_SIGNATURE_MAX = 512, // bytes: a key of 4096 bits
	MESSAGE_NAME_MAX = 253, // bytes of a host's or domain's name
	SELECTOR_MAX = 127,
	REFUSAL_STATUS_SIZE = 12, // "5.7.123", terminated
};

// "with" of a Received field (RFC 3848, RFC 6531 3.7.3 and what the field has). The names stand in records as
// hop_protocol_name gives them.
enum hop_protocol {
	HOP_NOT_SAID, // there is no such clause
	HOP_SMTP,
	HOP_ESMTP,
	HOP_ESMTPA,
	HOP_ESMTPS,
	HOP_ESMTPSA,
	HOP_LMTP,
	HOP_LMTPA,
	HOP_LMTPS,
	HOP_LMTPSA,
	HOP_UTF8SMTP,
	HOP_UTF8SMTPA,
	HOP_UTF8SMTPS,
	HOP_UTF8SMTPSA,
	HOP_UTF8LMTP,
	HOP_UTF8LMTPA,
	HOP_UTF8LMTPS,
	HOP_UTF8LMTPSA,
	HOP_HTTP,
	HOP_HTTPS,
	HOP_OTHER,
	HOP_PROTOCOLS,
};

// The version of TLS that a Received field names in a comment.
enum hop_tls {
	HOP_TLS_NOT_SAID,
	HOP_TLS_UNNAMED, // TLS, and no version
	HOP_SSL, // SSL of whatever version
	HOP_TLS_1_0,
	HOP_TLS_1_1,
	HOP_TLS_1_2,
	HOP_TLS_1_3,
	HOP_TLS_VERSIONS,
};

struct received_hop {
	uint8_t protocol; // enum hop_protocol
	uint8_t tls; // enum hop_tls
	uint8_t cipher; // one is named
	uint8_t
	    internal; // enum seen: between hosts of one registered domain, or of one private network
};

enum dkim_algorithm { DKIM_RSA_SHA256, DKIM_RSA_SHA1, DKIM_ED25519_SHA256, DKIM_OTHER_ALGORITHM };
enum dkim_canonicalisation { DKIM_SIMPLE, DKIM_RELAXED, DKIM_OTHER_CANONICALISATION };

// Whether the author's domain is the signer's: what DMARC would ask. The domain itself is not kept.
enum dkim_author { AUTHOR_NOT_SEEN, AUTHOR_SAME, AUTHOR_BENEATH, AUTHOR_OTHER };

// How far a signature could be followed.
enum dkim_progress {
	DKIM_NOT_TRIED, // nobody wants to verify signatures
	DKIM_HASHED, // `digest` and `body` are what they are to be
	DKIM_MALFORMED, // tags are missing or are not what RFC 6376 3.5 asks for
	DKIM_UNKNOWN_WAYS, // an algorithm or canonicalisation that is not (or no longer) to be verified
	DKIM_NOT_WHOLE, // bytes of the message were not seen
	DKIM_TOO_LONG, // it is beyond what is kept of a header
	DKIM_BARE_LINES, // lines end in LF alone: what a server makes of them is not known here
	DKIM_NO_ROOM, // too many messages at once
};

struct dkim_signature {
	uint8_t algorithm; // enum dkim_algorithm
	uint8_t header_form, body_form; // enum dkim_canonicalisation
	uint8_t length_tag; // only a beginning of the body is signed
	uint8_t author; // enum dkim_author
	uint8_t progress; // enum dkim_progress
	uint8_t body; // enum seen: the body has the hash that the signature says
	uint8_t identity_beneath; // who signed did so for a domain beneath the signature's
	uint8_t expired; // by its own word, when it crossed
	uint8_t digest[DKIM_HASH_BYTES]; // of the header's fields
	uint8_t domain_length, selector_length;
	uint16_t signature_length;
	const uint8_t *domain, *selector, *signature; // borrowed
};

// Methods and their outcomes (RFC 8601 2.7 and what is registered beside).
enum result_method {
	METHOD_OTHER,
	METHOD_ARC,
	METHOD_AUTH,
	METHOD_DKIM,
	METHOD_DKIM_ADSP,
	METHOD_DMARC,
	METHOD_DOMAINKEYS,
	METHOD_IPREV,
	METHOD_SENDER_ID,
	METHOD_SMIME,
	METHOD_SPF,
	RESULT_METHODS,
};

enum result_outcome {
	OUTCOME_OTHER,
	OUTCOME_NONE,
	OUTCOME_PASS,
	OUTCOME_FAIL,
	OUTCOME_SOFTFAIL,
	OUTCOME_NEUTRAL,
	OUTCOME_POLICY,
	OUTCOME_TEMPERROR,
	OUTCOME_PERMERROR,
	RESULT_OUTCOMES,
};

struct authentication_result {
	uint8_t method, outcome;
};

enum body_protection { BODY_PROTECTION_NOT_SEEN, BODY_UNPROTECTED, BODY_PGP_MIME, BODY_SMIME };

// SMTP's first; behind them those by which a mail store gives out its messages or takes them in.
enum message_transport { NO_MESSAGE, BY_DATA, BY_BDAT, BY_FETCH, BY_APPEND, BY_RETR, BY_TOP };

// What of a message crosses: of what is whole or a beginning all bytes are as they were sent.
enum message_part {
	PART_WHOLE,
	PART_HEADER,
	PART_BEGINNING, // so far as was asked for: where it ends is not known
	PART_DECODED, // its header as it is, its body not
};

enum message_outcome { OUTCOME_NOT_SEEN, MESSAGE_ACCEPTED, MESSAGE_REFUSED, MESSAGE_DEFERRED };

enum refusal_stage {
	REFUSED_NOWHERE,
	REFUSED_AT_MAIL,
	REFUSED_AT_RCPT,
	REFUSED_AT_DATA,
	REFUSED_AT_MESSAGE
};

// What a refusal names; a bit each.
enum refusal_cause {
	CAUSE_SPF = 1,
	CAUSE_DKIM = 2,
	CAUSE_DMARC = 4,
	CAUSE_ARC = 8,
	CAUSE_AUTHENTICATION = 16, // several of them, or none by name (RFC 7372 3.3)
	CAUSES_MAX = 5, // of these
};

struct message_facts {
	nanoseconds time; // when its outcome was seen, or what was seen last of it
	uint32_t number; // in the session, from 1
	uint8_t transport; // enum message_transport
	uint8_t part; // enum message_part
	uint8_t complete; // all of the header was seen and read
	uint8_t body_protection; // enum
	uint8_t results_known; // an Authentication-Results field is there
	uint8_t outcome; // enum message_outcome
	uint8_t refused_at; // enum refusal_stage
	uint8_t causes; // enum refusal_cause, together
	uint16_t refusal_code;
	char refusal_status[REFUSAL_STATUS_SIZE]; // RFC 3463; empty: none was given
	uint32_t header_bytes; // of the header that were seen
	uint16_t hops_left_out, signatures_left_out, results_left_out;
	uint8_t hop_count, signature_count, result_count;
	uint8_t server_length;
	const uint8_t
	    *server; // whose results these are: a host's name, borrowed; length 0: none, or no name
	struct received_hop hops[HOPS_MAX]; // the latest first
	struct authentication_result results[RESULTS_MAX];
	struct dkim_signature signatures[SIGNATURES_MAX];
};

// It belongs to a mail store: a copy of what was delivered, or is to be kept.
static inline bool message_is_copy(const struct message_facts *facts)
{
	return facts->transport >= BY_FETCH;
}

const char *hop_protocol_name(enum hop_protocol protocol); // NULL: not said
const char *hop_tls_name(enum hop_tls tls); // NULL: not said

// Whether a hop was protected, by what its server wrote: yes by name of protocol or by a comment, no by the name of
// a protocol that has another for TLS.
enum seen hop_is_protected(const struct received_hop *hop);

const char *result_method_name(enum result_method method);
const char *result_outcome_name(enum result_outcome outcome);
const char *refusal_cause_name(enum refusal_cause cause); // of one

// Bytes that facts take when they are put one behind the other, and how that is done: `room` has so many.
size_t message_facts_size(const struct message_facts *facts);
void message_facts_put(const struct message_facts *facts, uint8_t *room);

// Takes the next ones, which point into `from`, and moves it behind them. False: there are none.
bool message_facts_take(struct view *from, struct message_facts *facts);

#endif
