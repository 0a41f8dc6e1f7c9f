// SPDX-License-Identifier: Apache-2.0
#include "analytics/evidence.h"

const char *evidence_kind_name(enum evidence_kind kind)
{
	static const char *const names[EVIDENCE_KINDS] = {
	    [EVIDENCE_CAPABILITY_GARBLED] = "capability_garbled",
	    [EVIDENCE_BANNER_GARBLED] = "banner_garbled",
	    [EVIDENCE_CAPABILITY_REMOVED] = "capability_removed",
	    [EVIDENCE_COMMAND_GARBLED] = "command_garbled",
	    [EVIDENCE_ILLEGAL_REPLY] = "illegal_reply",
	    [EVIDENCE_REFUSAL_CONTRADICTS_OFFER] = "refusal_contradicts_offer",
	    [EVIDENCE_REFUSAL_UNLIKE_SERVER] = "refusal_unlike_server",
	    [EVIDENCE_OFFER_IGNORED_UNLIKE_CLIENT] = "offer_ignored_unlike_client",
	    [EVIDENCE_EHLO_REFUSED_UNLIKE_SERVER] = "ehlo_refused_unlike_server",
	    [EVIDENCE_TLS_BROKEN_THEN_CLEARTEXT] = "tls_broken_then_cleartext",
	    [EVIDENCE_INJECTED_SEGMENT] = "injected_segment",
	    [EVIDENCE_PATH_DIFFERENCE] = "path_difference",
	    [EVIDENCE_CERTIFICATE_SUBSTITUTED] = "certificate_substituted",
	    [EVIDENCE_PREAUTH_UNEXPECTED] = "preauth_unexpected",
	    [EVIDENCE_IMPLICIT_TLS_BLOCKED] = "implicit_tls_blocked",
	    [EVIDENCE_TLS_DOWNGRADE_SENTINEL] = "tls_downgrade_sentinel",
	    [EVIDENCE_STARTTLS_COMMAND_INJECTION] = "starttls_command_injection",
	    [EVIDENCE_STARTTLS_RESPONSE_INJECTION] = "starttls_response_injection",
	};
	return names[kind];
}

const char *confidence_name(enum confidence confidence)
{
	static const char *const names[CONFIDENCES] = {
	    [CONFIDENCE_SUSPECTED] = "suspected",
	    [CONFIDENCE_PROBABLE] = "probable",
	    [CONFIDENCE_CONFIRMED] = "confirmed",
	};
	return names[confidence];
}

static void add(struct evidence *evidence, const char *key, struct fact fact)
{
	fact.key = key;
	if (evidence->fact_count < EVIDENCE_FACTS_MAX)
		evidence->facts[evidence->fact_count++] = fact;
}

void evidence_number(struct evidence *evidence, const char *key, uint64_t number)
{
	add(evidence, key, (struct fact){.type = FACT_NUMBER, .number = number});
}

void evidence_bytes(
    struct evidence *evidence, const char *key, const uint8_t *bytes, size_t length)
{
	if (length > EVIDENCE_BYTES_MAX)
		length = EVIDENCE_BYTES_MAX;
	add(evidence, key, (struct fact){.type = FACT_BYTES, .bytes = bytes, .length = length});
}

void evidence_name(struct evidence *evidence, const char *key, const char *name)
{
	add(evidence, key, (struct fact){.type = FACT_NAME, .name = name});
}

void evidence_time(struct evidence *evidence, const char *key, nanoseconds time)
{
	add(evidence, key, (struct fact){.type = FACT_TIME, .time = time});
}

void evidence_duration(struct evidence *evidence, const char *key, nanoseconds duration)
{
	add(evidence, key, (struct fact){.type = FACT_DURATION, .time = duration});
}

void evidence_hash(struct evidence *evidence, const char *key, const uint8_t *sha256)
{
	add(evidence, key, (struct fact){.type = FACT_HASH, .bytes = sha256, .length = 32});
}

void evidence_bool(struct evidence *evidence, const char *key, bool value)
{
	add(evidence, key, (struct fact){.type = FACT_BOOL, .boolean = value});
}
