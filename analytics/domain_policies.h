// SPDX-License-Identifier: Apache-2.0
// What a line of domains.jsonl says of a domain's policies, as statistics count it: each yes, no, or not seen. Pure; any
// thread.
#ifndef MAILTAP_ANALYTICS_DOMAIN_POLICIES_H
#define MAILTAP_ANALYTICS_DOMAIN_POLICIES_H

#include "decode/seen.h"

#include <stdbool.h>
#include <stdint.h>

struct json_t;

enum domain_property {
	PROPERTY_DNSSEC_SIGNED,
	PROPERTY_DNSSEC_SECURE,
	PROPERTY_SPF,
	PROPERTY_SPF_VALID,
	PROPERTY_SPF_STRICT, // "-all"
	PROPERTY_DMARC,
	PROPERTY_DMARC_ENFORCED, // quarantine or reject
	PROPERTY_DKIM, // a key that is not revoked
	PROPERTY_TLSA, // at one of its hosts
	PROPERTY_MTA_STS,
	PROPERTY_TLS_RPT,
	PROPERTIES,
};

enum spf_policy {
	SPF_NOT_SEEN,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_REDIRECT,
	SPF_SILENT, // it does not say what becomes of others
	SPF_INVALID,
	SPF_ABSENT,
	SPF_POLICIES,
};

enum dmarc_policy {
	DMARC_NOT_SEEN,
	DMARC_REJECT,
	DMARC_QUARANTINE,
	DMARC_NONE,
	DMARC_INVALID,
	DMARC_ABSENT,
	DMARC_POLICIES,
};

struct domain_policies {
	uint8_t spf, dmarc; // enum spf_policy, dmarc_policy
	uint8_t properties[PROPERTIES]; // enum seen
};

// As jansson read it.
struct domain_policies domain_policies_read(const struct json_t *line);

// Of a domain beneath a registered one, which may have a policy for both (RFC 7489 6.6.3): that it has no record of
// DMARC says nothing then.
void domain_policies_beneath(struct domain_policies *policies);

#endif
