// SPDX-License-Identifier: Apache-2.0
// Classes of ASCII, whatever the locale. Used by the parsers of all rooms; pure, any thread.
#ifndef MAILTAP_CAPTURE_BASE_ASCII_H
#define MAILTAP_CAPTURE_BASE_ASCII_H

#include <stdbool.h>
#include <stdint.h>

static inline bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Within a line.
static inline bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

// Line ends as well.
static inline bool is_space(uint8_t c)
{
	return is_blank(c) || c == '\r' || c == '\n';
}

#endif
