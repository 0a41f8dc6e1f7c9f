// SPDX-License-Identifier: Apache-2.0
#include "analytics/domain_policies.h"

#include <jansson.h>
#include <string.h>

static enum seen seen_at(const json_t *line, const char *key)
{
	const json_t *value = json_object_get(line, key);
	return json_is_true(value) ? SEEN_YES : json_is_false(value) ? SEEN_NO : NOT_SEEN;
}

static bool is_text(const json_t *line, const char *key, const char *text)
{
	const char *value = json_string_value(json_object_get(line, key));
	return value != NULL && strcmp(value, text) == 0;
}

static enum seen seen_if(bool yes)
{
	return yes ? SEEN_YES : SEEN_NO;
}

static enum spf_policy spf_of(const json_t *line)
{
	static const char *const all[] = {[SPF_FAIL] = "-all",
	    [SPF_SOFTFAIL] = "~all",
	    [SPF_NEUTRAL] = "?all",
	    [SPF_PASS] = "+all"};
	enum seen there = seen_at(line, "spf");
	if (there != SEEN_YES)
		return there == SEEN_NO ? SPF_ABSENT : SPF_NOT_SEEN;
	if (seen_at(line, "spf_valid") != SEEN_YES)
		return SPF_INVALID;
	for (int policy = SPF_FAIL; policy <= SPF_PASS; policy++)
		if (is_text(line, "spf_all", all[policy]))
			return (enum spf_policy)policy;
	return seen_at(line, "spf_redirect") == SEEN_YES ? SPF_REDIRECT : SPF_SILENT;
}

static enum dmarc_policy dmarc_of(const json_t *line)
{
	static const char *const names[] = {
	    [DMARC_REJECT] = "reject", [DMARC_QUARANTINE] = "quarantine", [DMARC_NONE] = "none"};
	enum seen there = seen_at(line, "dmarc");
	if (there != SEEN_YES)
		return there == SEEN_NO ? DMARC_ABSENT : DMARC_NOT_SEEN;
	for (int policy = DMARC_REJECT; policy <= DMARC_NONE; policy++)
		if (is_text(line, "dmarc_policy", names[policy]))
			return (enum dmarc_policy)policy;
	return DMARC_INVALID;
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

// No: it was asked for at all of them.
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

static enum seen is_secure(const json_t *line)
{
	if (json_is_string(json_object_get(line, "dnssec")))
		return seen_if(is_text(line, "dnssec", "secure"));
	return seen_at(line, "dnssec_signatures") == SEEN_NO ? SEEN_NO : NOT_SEEN;
}

static enum seen is_strict(enum spf_policy policy)
{
	// Whose record it leaves it to may say so.
	if (policy == SPF_NOT_SEEN || policy == SPF_REDIRECT)
		return NOT_SEEN;
	return seen_if(policy == SPF_FAIL);
}

static void note(
    struct domain_policies *policies, enum domain_property property, enum seen value)
{
	policies->properties[property] = (uint8_t)value;
}

struct domain_policies domain_policies_read(const json_t *line)
{
	enum spf_policy spf = spf_of(line);
	enum dmarc_policy dmarc = dmarc_of(line);
	bool enforced = dmarc == DMARC_REJECT || dmarc == DMARC_QUARANTINE;
	struct domain_policies policies = {.spf = (uint8_t)spf, .dmarc = (uint8_t)dmarc};
	note(&policies, PROPERTY_DNSSEC_SIGNED, seen_at(line, "dnssec_signatures"));
	note(&policies, PROPERTY_DNSSEC_SECURE, is_secure(line));
	note(&policies, PROPERTY_SPF, seen_at(line, "spf"));
	note(&policies, PROPERTY_SPF_VALID, seen_at(line, "spf_valid"));
	note(&policies, PROPERTY_SPF_STRICT, is_strict(spf));
	note(&policies, PROPERTY_DMARC, seen_at(line, "dmarc"));
	note(&policies, PROPERTY_DMARC_ENFORCED,
	    dmarc == DMARC_NOT_SEEN ? NOT_SEEN : seen_if(enforced));
	note(&policies, PROPERTY_DKIM, has_key(json_object_get(line, "dkim")));
	note(&policies, PROPERTY_TLSA, has_tlsa(json_object_get(line, "mx")));
	note(&policies, PROPERTY_MTA_STS, seen_at(line, "mta_sts"));
	note(&policies, PROPERTY_TLS_RPT, seen_at(line, "tls_rpt"));
	return policies;
}

void domain_policies_beneath(struct domain_policies *policies)
{
	if (policies->dmarc != DMARC_ABSENT)
		return;
	policies->dmarc = DMARC_NOT_SEEN;
	policies->properties[PROPERTY_DMARC] = NOT_SEEN;
	policies->properties[PROPERTY_DMARC_ENFORCED] = NOT_SEEN;
}
