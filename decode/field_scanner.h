// SPDX-License-Identifier: Apache-2.0
// The words of a structured header field (RFC 5322 3.2): words and quoted strings, comments, semicolons; line ends are
// spaces. Bytes are borrowed from the field's. Pure; any thread.
#ifndef MAILTAP_DECODE_FIELD_SCANNER_H
#define MAILTAP_DECODE_FIELD_SCANNER_H

#include "capture/base/view.h"

enum field_token {
	FIELD_END,
	FIELD_WORD,
	FIELD_COMMENT, // without its parentheses
	FIELD_SEMICOLON,
};

// Takes the next token off the front of `rest`.
enum field_token field_next(struct view *rest, struct view *token);

// True if the bytes are this word, in whatever case.
bool field_word_is(struct view token, const char *word);

#endif
