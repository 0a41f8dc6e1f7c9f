// SPDX-License-Identifier: Apache-2.0
#include "decode/message_facts.h"

#include <stddef.h>
#include <string.h>

static const char *const protocols[HOP_PROTOCOLS] = {
    [HOP_SMTP] = "SMTP",
    [HOP_ESMTP] = "ESMTP",
    [HOP_ESMTPA] = "ESMTPA",
    [HOP_ESMTPS] = "ESMTPS",
    [HOP_ESMTPSA] = "ESMTPSA",
    [HOP_LMTP] = "LMTP",
    [HOP_LMTPA] = "LMTPA",
    [HOP_LMTPS] = "LMTPS",
    [HOP_LMTPSA] = "LMTPSA",
    [HOP_UTF8SMTP] = "UTF8SMTP",
    [HOP_UTF8SMTPA] = "UTF8SMTPA",
    [HOP_UTF8SMTPS] = "UTF8SMTPS",
    [HOP_UTF8SMTPSA] = "UTF8SMTPSA",
    [HOP_UTF8LMTP] = "UTF8LMTP",
    [HOP_UTF8LMTPA] = "UTF8LMTPA",
    [HOP_UTF8LMTPS] = "UTF8LMTPS",
    [HOP_UTF8LMTPSA] = "UTF8LMTPSA",
    [HOP_HTTP] = "HTTP",
    [HOP_HTTPS] = "HTTPS",
    [HOP_OTHER] = "other",
};

const char *hop_protocol_name(enum hop_protocol protocol)
{
	return protocols[protocol];
}

const char *hop_tls_name(enum hop_tls tls)
{
	static const char *const names[HOP_TLS_VERSIONS] = {
	    [HOP_TLS_UNNAMED] = "TLS",
	    [HOP_SSL] = "SSL",
	    [HOP_TLS_1_0] = "TLSv1.0",
	    [HOP_TLS_1_1] = "TLSv1.1",
	    [HOP_TLS_1_2] = "TLSv1.2",
	    [HOP_TLS_1_3] = "TLSv1.3",
	};
	return names[tls];
}

enum seen hop_is_protected(const struct received_hop *hop)
{
	if (hop->tls != HOP_TLS_NOT_SAID)
		return SEEN_YES;
	switch ((enum hop_protocol)hop->protocol) {
	case HOP_ESMTPS:
	case HOP_ESMTPSA:
	case HOP_LMTPS:
	case HOP_LMTPSA:
	case HOP_UTF8SMTPS:
	case HOP_UTF8SMTPSA:
	case HOP_UTF8LMTPS:
	case HOP_UTF8LMTPSA:
	case HOP_HTTPS:
		return SEEN_YES;
	case HOP_SMTP:
	case HOP_ESMTP:
	case HOP_ESMTPA:
	case HOP_LMTP:
	case HOP_LMTPA:
	case HOP_UTF8SMTP:
	case HOP_UTF8SMTPA:
	case HOP_UTF8LMTP:
	case HOP_UTF8LMTPA:
		return SEEN_NO;
	case HOP_NOT_SAID:
	case HOP_HTTP: // of web mail: by what the page came is not said
	case HOP_OTHER:
	case HOP_PROTOCOLS:
		break;
	}
	return NOT_SEEN;
}

const char *result_method_name(enum result_method method)
{
	static const char *const names[RESULT_METHODS] = {
	    [METHOD_OTHER] = "other",
	    [METHOD_ARC] = "arc",
	    [METHOD_AUTH] = "auth",
	    [METHOD_DKIM] = "dkim",
	    [METHOD_DKIM_ADSP] = "dkim-adsp",
	    [METHOD_DMARC] = "dmarc",
	    [METHOD_DOMAINKEYS] = "domainkeys",
	    [METHOD_IPREV] = "iprev",
	    [METHOD_SENDER_ID] = "sender-id",
	    [METHOD_SMIME] = "smime",
	    [METHOD_SPF] = "spf",
	};
	return names[method];
}

const char *result_outcome_name(enum result_outcome outcome)
{
	static const char *const names[RESULT_OUTCOMES] = {
	    [OUTCOME_OTHER] = "other",
	    [OUTCOME_NONE] = "none",
	    [OUTCOME_PASS] = "pass",
	    [OUTCOME_FAIL] = "fail",
	    [OUTCOME_SOFTFAIL] = "softfail",
	    [OUTCOME_NEUTRAL] = "neutral",
	    [OUTCOME_POLICY] = "policy",
	    [OUTCOME_TEMPERROR] = "temperror",
	    [OUTCOME_PERMERROR] = "permerror",
	};
	return names[outcome];
}

const char *refusal_cause_name(enum refusal_cause cause)
{
	switch (cause) {
	case CAUSE_SPF:
		return "spf";
	case CAUSE_DKIM:
		return "dkim";
	case CAUSE_DMARC:
		return "dmarc";
	case CAUSE_ARC:
		return "arc";
	case CAUSE_AUTHENTICATION:
	case CAUSES_MAX:
		break;
	}
	return "authentication";
}

/* ---- one behind the other ---- */

// Everything in front of the lists, which are as long as they need be.
enum { HEAD = offsetof(struct message_facts, hops) };

size_t message_facts_size(const struct message_facts *facts)
{
	size_t size = HEAD + facts->hop_count * sizeof facts->hops[0] +
	              facts->result_count * sizeof facts->results[0] +
	              facts->signature_count * sizeof facts->signatures[0] + facts->server_length;
	for (size_t i = 0; i < facts->signature_count; i++) {
		const struct dkim_signature *signature = &facts->signatures[i];
		size += (size_t)signature->domain_length + signature->selector_length +
		        signature->signature_length;
	}
	return size;
}

static void put(uint8_t **at, const void *bytes, size_t length)
{
	if (length > 0)
		memcpy(*at, bytes, length);
	*at += length;
}

void message_facts_put(const struct message_facts *facts, uint8_t *room)
{
	put(&room, facts, HEAD);
	put(&room, facts->hops, facts->hop_count * sizeof facts->hops[0]);
	put(&room, facts->results, facts->result_count * sizeof facts->results[0]);
	put(&room, facts->signatures, facts->signature_count * sizeof facts->signatures[0]);
	put(&room, facts->server, facts->server_length);
	for (size_t i = 0; i < facts->signature_count; i++) {
		const struct dkim_signature *signature = &facts->signatures[i];
		put(&room, signature->domain, signature->domain_length);
		put(&room, signature->selector, signature->selector_length);
		put(&room, signature->signature, signature->signature_length);
	}
}

static void take(struct view *from, void *bytes, size_t length)
{
	memcpy(bytes, from->data, length);
	from->data += length;
	from->length -= length;
}

static const uint8_t *take_bytes(struct view *from, size_t length)
{
	const uint8_t *bytes = from->data;
	from->data += length;
	from->length -= length;
	return bytes;
}

bool message_facts_take(struct view *from, struct message_facts *facts)
{
	if (from->length < HEAD)
		return false;
	take(from, facts, HEAD);
	take(from, facts->hops, facts->hop_count * sizeof facts->hops[0]);
	take(from, facts->results, facts->result_count * sizeof facts->results[0]);
	take(from, facts->signatures, facts->signature_count * sizeof facts->signatures[0]);
	facts->server = take_bytes(from, facts->server_length);
	for (size_t i = 0; i < facts->signature_count; i++) {
		struct dkim_signature *signature = &facts->signatures[i];
		signature->domain = take_bytes(from, signature->domain_length);
		signature->selector = take_bytes(from, signature->selector_length);
		signature->signature = take_bytes(from, signature->signature_length);
	}
	return true;
}
