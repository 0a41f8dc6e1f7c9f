// SPDX-License-Identifier: Apache-2.0
// Addresses in text from the wire ("[192.0.2.5]", "[IPv6:2001:db8::1]", "ip-192-0-2-5.example"), which take the
// form of the ones in their place. Found is what is written as an address: four numbers up to 255 with dots or
// with hyphens between them, and IPv6 as in RFC 4291 2.2. What is only made from one (its bytes in another
// order or base, a name that leads to it) is not. Work and memory are bounded whatever the text is.
#ifndef MAILTAP_ANALYTICS_ANONYMISE_TEXT_H
#define MAILTAP_ANALYTICS_ANONYMISE_TEXT_H

#include "analytics/anonymise.h"

enum {
	ANONYMISE_TEXT_ADDRESSES =
	    32, // in a text; of further ones nothing is left but that they were there
	ANONYMISE_TEXT_GROWTH =
	    ANONYMISE_TEXT_ADDRESSES * 37, // bytes that a text may become longer by
};

// True if the text has an address in it.
bool text_has_address(const uint8_t *text, size_t length);

// Writes the text with other addresses to `out`, which has room for length + ANONYMISE_TEXT_GROWTH bytes and does
// not overlap it. Returns its length.
size_t anonymise_text(
    struct anonymiser *anonymiser, const uint8_t *text, size_t length, uint8_t *out);

#endif
