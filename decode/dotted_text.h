// SPDX-License-Identifier: Apache-2.0
// A message between lines of a protocol that ends it with a dot (RFC 5321 4.5.2, RFC 1939 3), on its way into a
// message_reader.c: without the dots that the transport put in front of lines, and without the last line. Called by
// smtp_message.c and access_message.c.
#ifndef MAILTAP_DECODE_DOTTED_TEXT_H
#define MAILTAP_DECODE_DOTTED_TEXT_H

#include "decode/message_reader.h"

// Where its bytes stand in a line. Zeroed in front of the first.
struct dotted_text {
	uint8_t stage; // enum dot_stage
};

// The next bytes as they cross, the line with the dot included.
void dotted_text_read(
    struct dotted_text *text, struct message_reader *reader, const uint8_t *bytes, size_t length);

#endif
