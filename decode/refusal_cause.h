// SPDX-License-Identifier: Apache-2.0
// What a server's refusal gives for its reason, where that is how a sender is authenticated: SPF, DKIM, DMARC, ARC, by
// enhanced status codes (RFC 7372, RFC 8617) and by what the text names. A name counts only as a word: one in an
// address, a host's name or a link is somebody's own. Pure; any thread.
#ifndef MAILTAP_DECODE_REFUSAL_CAUSE_H
#define MAILTAP_DECODE_REFUSAL_CAUSE_H

#include "decode/line.h"
#include "decode/message_facts.h"

// The enhanced status code behind the code of a reply's line (RFC 2034 4), terminated; empty: there is none.
void refusal_status(const struct line *line, char status[REFUSAL_STATUS_SIZE]);

// enum refusal_cause, together, of one line of a refusal. 0: it gives none of them.
unsigned refusal_causes(const struct line *line);

#endif
