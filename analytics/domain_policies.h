// SPDX-License-Identifier: Apache-2.0
// What a domain publishes of policies, as statistics count it: each yes, no, or not seen. From a line of domains.jsonl,
// or from what the line was made of. Pure; any thread.
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

// What a line says, each under the key of that name. All zero: nothing was seen.
struct domain_published {
	enum seen spf, spf_valid, spf_redirect;
	char spf_all; // the sign in front of "all"; '\0': null
	enum seen dmarc;
	const char *dmarc_policy; // or NULL; borrowed
	enum seen dkim; // one of its keys is there, and not revoked
	enum seen tlsa; // a host has some. No: it was asked for at all of them
	enum seen mta_sts, tls_rpt;
	enum seen dnssec_signatures;
	enum seen dnssec; // secure; no: something else
};

struct domain_policies {
	uint8_t spf, dmarc; // enum spf_policy, dmarc_policy
	uint8_t properties[PROPERTIES]; // enum seen
};

struct domain_policies domain_policies_of(const struct domain_published *published);

// As jansson read it; good as long as that is.
struct domain_published domain_published_read(const struct json_t *line);

// Of a domain without a record of DMARC, beneath a registered one, which may have a policy for both (RFC 7489 6.6.3):
// that it has none says nothing then.
void domain_policies_beneath(struct domain_policies *policies);

#endif
