// SPDX-License-Identifier: Apache-2.0
// A piece of evidence: what was seen that points to stripping or downgrade, what it can carry, and the
// facts that it rests on. A value; the bytes of its facts are borrowed from what the detector was given.
#ifndef MAILTAP_ANALYTICS_EVIDENCE_H
#define MAILTAP_ANALYTICS_EVIDENCE_H

#include "capture/packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// In the order of their table in detector.c, one file each.
enum evidence_kind {
	EVIDENCE_CAPABILITY_GARBLED,
	EVIDENCE_BANNER_GARBLED,
	EVIDENCE_CAPABILITY_REMOVED,
	EVIDENCE_COMMAND_GARBLED,
	EVIDENCE_ILLEGAL_REPLY,
	EVIDENCE_REFUSAL_CONTRADICTS_OFFER,
	EVIDENCE_REFUSAL_UNLIKE_SERVER,
	EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT,
	EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER,
	EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT,
	EVIDENCE_INJECTED_SEGMENT,
	EVIDENCE_PATH_DIFFERENCE,
	EVIDENCE_CERTIFICATE_SUBSTITUTED,
	EVIDENCE_PREAUTH_UNEXPECTED,
	EVIDENCE_IMPLICIT_TLS_BLOCKED,
	EVIDENCE_TLS_DOWNGRADE_SENTINEL,
	EVIDENCE_STARTTLS_COMMAND_INJECTION,
	EVIDENCE_STARTTLS_RESPONSE_INJECTION,
	EVIDENCE_KINDS,
};

enum confidence {
	CONFIDENCE_NONE,
	CONFIDENCE_SUSPECTED, // an honest change or a misconfiguration explains it as well
	CONFIDENCE_PROBABLE, // honest explanations are rare
	CONFIDENCE_CONFIRMED, // the bytes themselves show tampering
	CONFIDENCES,
};

enum fact_type {
	FACT_NUMBER,
	FACT_BYTES, // from the wire
	FACT_NAME, // of this program, ASCII
	FACT_TIME, // nanoseconds since 1970
	FACT_DURATION, // nanoseconds
	FACT_HASH, // 32 bytes
	FACT_BOOL,
};

struct fact {
	const char *key; // as records name it
	enum fact_type type;
	union {
		uint64_t number;
		bool boolean;
		const char *name;
		nanoseconds time;
		struct {
			const uint8_t *bytes;
			size_t length;
		};
	};
};

enum {
	EVIDENCE_FACTS_MAX = 16,
	EVIDENCE_BYTES_MAX = 256, // bytes of a fact from the wire that are written
};

struct evidence {
	enum evidence_kind kind;
	enum confidence confidence;
	bool strips; // it keeps TLS from being used, so that what follows in the clear is stripped
	size_t fact_count;
	struct fact facts[EVIDENCE_FACTS_MAX];
};

// As records write them; NULL for CONFIDENCE_NONE.
const char *evidence_kind_name(enum evidence_kind kind);
const char *confidence_name(enum confidence confidence);

// Add a fact to a piece of evidence. More than EVIDENCE_FACTS_MAX are a mistake of the detector: the rest
// is left out.
void evidence_number(struct evidence *evidence, const char *key, uint64_t number);
void evidence_bytes(
    struct evidence *evidence, const char *key, const uint8_t *bytes, size_t length);
void evidence_name(struct evidence *evidence, const char *key, const char *name);
void evidence_time(struct evidence *evidence, const char *key, nanoseconds time);
void evidence_duration(struct evidence *evidence, const char *key, nanoseconds duration);
void evidence_hash(struct evidence *evidence, const char *key, const uint8_t *sha256);
void evidence_bool(struct evidence *evidence, const char *key, bool value);

#endif
