// SPDX-License-Identifier: Apache-2.0
// With --mail-headers, a message that crosses in the clear between a mail store and its client, by IMAP or POP3: read by
// message_reader.c while it passes, and then put on the worker's shelf. Exists while the message passes; from the worker's
// memory. Called by imap_message.c and pop3.c, only where session_reads_messages.
#ifndef MAILTAP_DECODE_ACCESS_MESSAGE_H
#define MAILTAP_DECODE_ACCESS_MESSAGE_H

#include "decode/message_facts.h"
#include "decode/session.h"

struct access_message;

// `number`: of messages of this session so far, which it counts up. NULL: no memory.
struct access_message *access_message_begin(struct session *session, uint32_t *number,
    enum message_transport transport, enum message_part part);

// Its next bytes; NULL: they are missing.
void access_message_take(struct access_message *message, const uint8_t *bytes, uint64_t length);

// Its next bytes between lines of which the last is a dot.
void access_message_take_dotted(
    struct access_message *message, const uint8_t *bytes, size_t length);

// A line of it, of so many bytes, has come by. Then how many were its body's so far.
void access_message_line(struct access_message *message, size_t length);
uint64_t access_message_body_lines(const struct access_message *message);

// Its next bytes are so many octets. Then they come by; true: they have come.
void access_message_expect(struct access_message *message, uint64_t octets);
bool access_message_take_expected(
    struct access_message *message, const uint8_t *bytes, uint64_t length);

// What of it crosses is another part than was thought.
void access_message_is(struct access_message *message, enum message_part part);

// Tells of it and forgets it; `ended`: all of its part has come. NULL is allowed there.
void access_message_end(struct session *session, struct access_message **message, bool ended);

#endif
