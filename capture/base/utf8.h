// SPDX-License-Identifier: Apache-2.0
// UTF-8 (RFC 3629), and which characters do something to whoever looks at a text instead of standing in it. Used by
// all that writes text from outside: plain_text.c, json.c, error.c. Pure; any thread.
#ifndef MAILTAP_CAPTURE_BASE_UTF8_H
#define MAILTAP_CAPTURE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The code point at `bytes`, and its length in bytes; 0: not valid UTF-8 (RFC 3629 4). `length` > 0.
size_t utf8_code_point(const uint8_t *bytes, size_t length, uint32_t *code);

// All of it is valid UTF-8.
bool utf8_is_valid(const uint8_t *bytes, size_t length);

// Controls of both kinds, line and paragraph separators, and what changes the direction of writing.
bool code_point_is_unsafe(uint32_t code);

#endif
