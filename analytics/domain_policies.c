// SPDX-License-Identifier: Apache-2.0
#include "analytics/domain_policies.h"

#include <jansson.h>
#include <string.h>

/* ---- what a line says ---- */

static enum seen seen_at(const json_t *line, const char *key)
{
	const json_t *value = json_object_get(line, key);
	return json_is_true(value) ? SEEN_YES : json_is_false(value) ? SEEN_NO : NOT_SEEN;
}

static enum seen seen_if(bool yes)
{
	return yes ? SEEN_YES : SEEN_NO;
}

static char sign_of(const char *all)
{
	bool is_one = all != NULL && strlen(all) == 4 && strcmp(all + 1, "all") == 0;
	return (char)(is_one ? all[0] : '\0');
}

static enum seen has_key(const json_t *keys)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		if (seen_at(key, "revoked") == SEEN_NO &&
		    json_is_string(json_object_get(key, "key_type")))
			return SEEN_YES;
	}
	return json_array_size(keys) > 0 ? SEEN_NO : NOT_SEEN;
}

static enum seen has_tlsa(const json_t *hosts)
{
	size_t asked = 0, count = json_array_size(hosts);
	for (size_t i = 0; i < count; i++) {
		const json_t *list = json_object_get(json_array_get(hosts, i), "tlsa");
		if (json_array_size(list) > 0)
			return SEEN_YES;
		asked += json_is_array(list);
	}
	return count > 0 && asked == count ? SEEN_NO : NOT_SEEN;
}

static enum seen is_secure(const char *status)
{
	return status == NULL ? NOT_SEEN : seen_if(strcmp(status, "secure") == 0);
}

struct domain_published domain_published_read(const json_t *line)
{
	return (struct domain_published){
	    .spf = seen_at(line, "spf"),
	    .spf_valid = seen_at(line, "spf_valid"),
	    .spf_redirect = seen_at(line, "spf_redirect"),
	    .spf_all = sign_of(json_string_value(json_object_get(line, "spf_all"))),
	    .dmarc = seen_at(line, "dmarc"),
	    .dmarc_policy = json_string_value(json_object_get(line, "dmarc_policy")),
	    .dkim = has_key(json_object_get(line, "dkim")),
	    .tlsa = has_tlsa(json_object_get(line, "mx")),
	    .mta_sts = seen_at(line, "mta_sts"),
	    .tls_rpt = seen_at(line, "tls_rpt"),
	    .dnssec_signatures = seen_at(line, "dnssec_signatures"),
	    .dnssec = is_secure(json_string_value(json_object_get(line, "dnssec"))),
	};
}

/* ---- policies ---- */

static enum spf_policy spf_of(const struct domain_published *published)
{
	static const char signs[] = {
	    [SPF_FAIL] = '-', [SPF_SOFTFAIL] = '~', [SPF_NEUTRAL] = '?', [SPF_PASS] = '+'};
	if (published->spf != SEEN_YES)
		return published->spf == SEEN_NO ? SPF_ABSENT : SPF_NOT_SEEN;
	if (published->spf_valid != SEEN_YES)
		return SPF_INVALID;
	for (int policy = SPF_FAIL; policy <= SPF_PASS; policy++)
		if (published->spf_all == signs[policy])
			return (enum spf_policy)policy;
	return published->spf_redirect == SEEN_YES ? SPF_REDIRECT : SPF_SILENT;
}

static enum dmarc_policy dmarc_of(const struct domain_published *published)
{
	static const char *const names[] = {
	    [DMARC_REJECT] = "reject", [DMARC_QUARANTINE] = "quarantine", [DMARC_NONE] = "none"};
	if (published->dmarc != SEEN_YES)
		return published->dmarc == SEEN_NO ? DMARC_ABSENT : DMARC_NOT_SEEN;
	for (int policy = DMARC_REJECT; policy <= DMARC_NONE; policy++)
		if (published->dmarc_policy != NULL &&
		    strcmp(published->dmarc_policy, names[policy]) == 0)
			return (enum dmarc_policy)policy;
	return DMARC_INVALID;
}

static enum seen is_validated(const struct domain_published *published)
{
	if (published->dnssec != NOT_SEEN)
		return published->dnssec;
	return published->dnssec_signatures == SEEN_NO ? SEEN_NO : NOT_SEEN;
}

static enum seen is_strict(enum spf_policy policy)
{
	// Whose record it leaves it to may say so.
	if (policy == SPF_NOT_SEEN || policy == SPF_REDIRECT)
		return NOT_SEEN;
	return seen_if(policy == SPF_FAIL);
}

static void note(struct domain_policies *policies, enum domain_property property, enum seen value)
{
	policies->properties[property] = (uint8_t)value;
}

struct domain_policies domain_policies_of(const struct domain_published *published)
{
	enum spf_policy spf = spf_of(published);
	enum dmarc_policy dmarc = dmarc_of(published);
	bool enforced = dmarc == DMARC_REJECT || dmarc == DMARC_QUARANTINE;
	struct domain_policies policies = {.spf = (uint8_t)spf, .dmarc = (uint8_t)dmarc};
	note(&policies, PROPERTY_DNSSEC_SIGNED, published->dnssec_signatures);
	note(&policies, PROPERTY_DNSSEC_SECURE, is_validated(published));
	note(&policies, PROPERTY_SPF, published->spf);
	note(&policies, PROPERTY_SPF_VALID, published->spf_valid);
	note(&policies, PROPERTY_SPF_STRICT, is_strict(spf));
	note(&policies, PROPERTY_DMARC, published->dmarc);
	note(&policies, PROPERTY_DMARC_ENFORCED,
	    dmarc == DMARC_NOT_SEEN ? NOT_SEEN : seen_if(enforced));
	note(&policies, PROPERTY_DKIM, published->dkim);
	note(&policies, PROPERTY_TLSA, published->tlsa);
	note(&policies, PROPERTY_MTA_STS, published->mta_sts);
	note(&policies, PROPERTY_TLS_RPT, published->tls_rpt);
	return policies;
}

void domain_policies_beneath(struct domain_policies *policies)
{
	policies->dmarc = DMARC_NOT_SEEN;
	policies->properties[PROPERTY_DMARC] = NOT_SEEN;
	policies->properties[PROPERTY_DMARC_ENFORCED] = NOT_SEEN;
}
