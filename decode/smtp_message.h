// SPDX-License-Identifier: Apache-2.0
// With --mail-headers, what an SMTP dialogue tells of its messages: one transaction from MAIL to the answer that ends
// it, its message read by message_reader.c while it passes, its refusals by refusal_cause.c. Called by smtp.c,
// smtp_client.c and smtp_server.c, each time only where session_reads_messages;
// what is told is put on the worker's shelf.
#ifndef MAILTAP_DECODE_SMTP_MESSAGE_H
#define MAILTAP_DECODE_SMTP_MESSAGE_H

#include "decode/smtp.h"

// The client sent MAIL: another transaction begins.
void smtp_message_mail(struct smtp *smtp, struct session *session);

// The client's next bytes are a message, up to a dot; `torn`: not from its beginning.
void smtp_message_body_begins(struct smtp *smtp, struct session *session, bool torn);

// Bytes of it as they cross, the line with the dot included.
void smtp_message_body(struct smtp *smtp, const uint8_t *bytes, size_t length);

// The line with the dot has come.
void smtp_message_body_ends(struct smtp *smtp, struct session *session);

// BDAT: so many octets follow. Then they come by; NULL: they are missing.
void smtp_message_chunk_begins(
    struct smtp *smtp, struct session *session, uint64_t size, bool is_last);
void smtp_message_chunk(struct smtp *smtp, const uint8_t *bytes, uint64_t length);

// A line of a refusal, to the command that is the oldest.
void smtp_message_refusal_line(struct smtp *smtp, uint16_t code, const struct line *line);

// The end of a reply. `command`: enum smtp_command, or -1: nothing that is known of asked for it.
void smtp_message_answered(struct smtp *smtp, struct session *session, int command, uint16_t code);

// Bytes of a direction are missing.
void smtp_message_gap(struct smtp *smtp, struct session *session, enum direction from);

// Nothing more will come.
void smtp_message_end(struct smtp *smtp, struct session *session);

#endif
