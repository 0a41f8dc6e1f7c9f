// SPDX-License-Identifier: Apache-2.0
// What DNSSEC says of records that were seen (RFC 4035 4.3, where "cannot tell" is "indeterminate"). Values alone.
#ifndef MAILTAP_ANALYTICS_DNSSEC_VERDICT_H
#define MAILTAP_ANALYTICS_DNSSEC_VERDICT_H

enum dnssec_status {
	DNSSEC_CANNOT_TELL, // something that is needed was not seen; behind a resolver that has it all, this is usual
	DNSSEC_SECURE, // signed, and each step verified, up to a trust anchor
	DNSSEC_INSECURE, // signed with algorithms alone that do not count (RFC 9905)
	DNSSEC_BOGUS, // all that is needed was seen, and it does not verify
};

// Why it is not secure.
enum dnssec_reason {
	DNSSEC_REASON_NONE,
	// Cannot tell.
	DNSSEC_NOT_SEEN, // no answer is remembered
	DNSSEC_NO_SIGNATURES, // none came with it: perhaps nobody asked for them
	DNSSEC_KEYS_NOT_SEEN, // those of a zone on the way
	DNSSEC_DELEGATION_NOT_SEEN, // what the zone above says of a zone's keys
	DNSSEC_NO_ANCHOR, // no trust anchor is known that the keys of the topmost zone fit
	DNSSEC_OTHER_TIME, // keys that were good at another time than the signature
	DNSSEC_ABSENT, // it says that there is nothing; whether that is proved is not looked at
	DNSSEC_WILDCARD, // likewise whether there is no name that would go before a wildcard's
	DNSSEC_NOT_ASKED_FOR, // it does not verify, but nobody is known to have asked for it
	DNSSEC_WORK, // it would be more work than is done for an answer, or in a second
	// Bogus.
	DNSSEC_SIGNATURE, // it does not verify
	DNSSEC_EXPIRED, // before the packet
	DNSSEC_NOT_YET_VALID, // at the time of the packet
	DNSSEC_KEY_MISSING, // the zone has none that the signature names
	DNSSEC_DELEGATION_MISMATCH, // the zone has none of the keys that the zone above names
	// Insecure.
	DNSSEC_ALGORITHM, // none that counts
	DNSSEC_REASONS,
};

struct dnssec_verdict {
	enum dnssec_status status;
	enum dnssec_reason reason;
};

// As in records. NULL: cannot tell; no reason.
const char *dnssec_status_name(enum dnssec_status status);
const char *dnssec_reason_name(enum dnssec_reason reason);

#endif
