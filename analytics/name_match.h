// SPDX-License-Identifier: Apache-2.0
// Whether a certificate is for the server that was meant (RFC 9525, before it RFC 6125; RFC 7817 for
// mail). Pure; any thread.
#ifndef MAILTAP_ANALYTICS_NAME_MATCH_H
#define MAILTAP_ANALYTICS_NAME_MATCH_H

#include "decode/x509.h"

enum name_match {
	// There is no name to compare with, or none that a client could ask for; or the certificate is
	// malformed, and what names it has could not be read.
	NAME_UNKNOWN,
	NAME_MATCH_SAN, // a dNSName or iPAddress of the subjectAltName
	// Only the subject's commonName, and no subjectAltName of the kind asked for. RFC 9525 does not take
	// it, older clients did.
	NAME_MATCH_COMMON_NAME_ONLY,
	NAME_MISMATCH,
};

// Where the reference comes from.
enum name_source {
	NAME_FROM_SNI, // the client asked for it: any host name, or an address (against RFC 6066, but seen)
	// The server's greeting or the like. A name of one label, localhost, an address or a literal
	// ([192.0.2.1]) says nothing about what a client asked for: unknown.
	NAME_FROM_DIALOGUE,
	NAME_FROM_MX, // of DNS, by the address. Likewise; nobody vouches for it
};

// Compares a reference (host name or address, as text; UTF-8 for internationalised names; one dot at
// its end does not count) with the names of a certificate.
//
// - Host names: dNSName, without regard to ASCII case, label by label. A `*` stands for exactly one
//   whole label, only as the first, and only with two labels or more behind it (`*.com` matches
//   nothing). `m*.example.com` and `*.*.example.com` match nothing.
// - Addresses: iPAddress, by value; never a dNSName, never a wildcard.
// - Internationalised: the reference becomes A-labels (IDNA 2008). A dNSName with bytes above 127
//   matches nothing (RFC 5280 4.2.1.6, RFC 9549: names in certificates are A-labels).
// - A name in the certificate with a byte that no host name has (NUL, space ...) matches nothing.
//
// A reference with such a byte, with empty or too long labels, or all-numeric at its end without being
// an address is no name that a client could ask for: unknown.
enum name_match name_match(
    const struct x509 *certificate, struct view reference, enum name_source source);

#endif
