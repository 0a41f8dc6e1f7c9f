// SPDX-License-Identifier: Apache-2.0
// With --mail-headers, the messages of an IMAP dialogue: those that FETCH brings (RFC 3501 7.4.2, RFC 3516 4.3) and those
// that APPEND puts into a mailbox (RFC 3501 6.3.11, RFC 3502, RFC 4469). Called by imap.c, imap_client.c and
// imap_server.c, only where session_reads_messages.
#ifndef MAILTAP_DECODE_IMAP_MESSAGE_H
#define MAILTAP_DECODE_IMAP_MESSAGE_H

#include "decode/imap.h"

// A line of a FETCH response. `literal`: what it announces, which follows; NULL: nothing.
void imap_message_fetch_line(struct imap *imap, struct session *session, const struct line *line,
    const struct imap_literal *literal);

// A line of a command, from `position` on; `is_first`: that of APPEND itself.
void imap_message_append_line(struct imap *imap, struct session *session, const struct line *line,
    size_t position, bool is_first);

// The octets of the literal that the command announced follow.
void imap_message_append_literal(struct imap *imap, struct session *session, uint64_t size);

// Octets of a literal come by; NULL: they are missing.
void imap_message_octets(struct imap *imap, struct session *session, enum direction from,
    const uint8_t *bytes, uint64_t length);

// Whatever message of a direction has begun does not go on.
void imap_message_stop(struct imap *imap, struct session *session, enum direction from);

#endif
