// SPDX-License-Identifier: Apache-2.0
// DER written as text: octets in hexadecimal, 'text' in quotes, and tag{ … } for an element, whose
// length is then worked out. Blanks mean nothing. "30{02{01} 0c{'two'}}" is a SEQUENCE of INTEGER
// and UTF8String. Lengths that break the rules are written as octets.
#ifndef MAILTAP_TESTS_UNIT_DER_TEXT_H
#define MAILTAP_TESTS_UNIT_DER_TEXT_H

#include <stddef.h>
#include <stdint.h>

// Returns the octets written. A text that makes no sense, or does not fit, ends the program.
size_t der_text(const char *text, uint8_t *octets, size_t size);

#endif
