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

#endif
