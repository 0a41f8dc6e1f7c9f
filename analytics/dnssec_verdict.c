// SPDX-License-Identifier: Apache-2.0
#include "analytics/dnssec_verdict.h"

#include <stddef.h>

const char *dnssec_status_name(enum dnssec_status status)
{
	static const char *const names[] = {
	    [DNSSEC_SECURE] = "secure", [DNSSEC_INSECURE] = "insecure", [DNSSEC_BOGUS] = "bogus"};
	return names[status];
}

const char *dnssec_reason_name(enum dnssec_reason reason)
{
	static const char *const names[DNSSEC_REASONS] = {
	    [DNSSEC_NOT_SEEN] = "not_seen",
	    [DNSSEC_NO_SIGNATURES] = "no_signatures",
	    [DNSSEC_KEYS_NOT_SEEN] = "keys_not_seen",
	    [DNSSEC_DELEGATION_NOT_SEEN] = "delegation_not_seen",
	    [DNSSEC_NO_ANCHOR] = "no_anchor",
	    [DNSSEC_OTHER_TIME] = "other_time",
	    [DNSSEC_ABSENT] = "absent",
	    [DNSSEC_WILDCARD] = "wildcard",
	    [DNSSEC_NOT_ASKED_FOR] = "not_asked_for",
	    [DNSSEC_WORK] = "work",
	    [DNSSEC_SIGNATURE] = "signature",
	    [DNSSEC_EXPIRED] = "expired",
	    [DNSSEC_NOT_YET_VALID] = "not_yet_valid",
	    [DNSSEC_KEY_MISSING] = "key_missing",
	    [DNSSEC_DELEGATION_MISMATCH] = "delegation_mismatch",
	    [DNSSEC_ALGORITHM] = "algorithm",
	};
	return names[reason];
}
