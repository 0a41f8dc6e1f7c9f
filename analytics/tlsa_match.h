// SPDX-License-Identifier: Apache-2.0
// Whether a record of type TLSA (RFC 6698 2.1) fits the certificates that a server showed. Of usages only DANE-EE (3: the
// server's own) and DANE-TA (2: one above it, which the others lead to by their signatures) are judged; the two
// that lean on public issuers are of no use for mail (RFC 7672 3.1.3). Dates and names are not looked at: with
// DANE-EE they do not count (RFC 7671 5.1), with DANE-TA they do, and other facts of the session tell.
//
// Used by dane.c; one thread.
#ifndef MAILTAP_ANALYTICS_TLSA_MATCH_H
#define MAILTAP_ANALYTICS_TLSA_MATCH_H

#include "analytics/certificate_store.h"
#include "analytics/dns_memory.h"

enum tlsa_usage { TLSA_PKIX_TA, TLSA_PKIX_EE, TLSA_DANE_TA, TLSA_DANE_EE };

struct tlsa {
	uint8_t usage, selector, matching_type;
	const uint8_t *data;
	size_t length;
};

enum tlsa_fit {
	TLSA_OF_NO_USE, // a usage, selector or matching type that is not judged, or data of another length than its hash has
	TLSA_FITS,
	TLSA_FITS_NOT,
	TLSA_CANNOT_TELL, // a certificate is not held, or the list is not in order, or too long
};

// The certificates as they were sent, the server's own first; entries that are not held are NULL.
struct tlsa_chain {
	const struct certificate *const *sent;
	size_t count;
	size_t links; // tlsa_links of them; 0 will do where no record has usage 2
};

enum { TLSA_LINKS_MAX = 8 };

// How many certificates, from the first on, are signed by the next. Lists in another order are not sorted. Each costs
// what a signature costs; whoever calls it has had the list judged (chain_judge.h), which bounds that.
size_t tlsa_links(
    struct certificate_store *certificates, const struct certificate *const *sent, size_t count);

// False: it is too short to be one.
bool tlsa_read(const struct dns_data *data, struct tlsa *tlsa);

enum tlsa_fit tlsa_match(const struct tlsa *tlsa, const struct tlsa_chain *chain);

#endif
