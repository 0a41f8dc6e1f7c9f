// SPDX-License-Identifier: Apache-2.0
// What the line-based mail protocols have in common: taking lines out of chunks, seeing an upgrade to
// TLS whose announcement was lost, and understanding a refusal that asks for TLS. Called by smtp.c,
// imap.c and pop3.c. Keeps nothing but the reader passed in.
#ifndef MAILTAP_DECODE_LINE_PROTOCOL_H
#define MAILTAP_DECODE_LINE_PROTOCOL_H

#include "decode/clues.h"
#include "decode/protocol.h"

enum {
	BANNER_MAX = 512, // bytes of a greeting that are kept
	NAME_MAX_BYTES = 255, // bytes of a host name (RFC 1035 2.3.4)
};

enum line_step {
	LINE_STEP_LINE,    // *line is the next one; *used is behind it
	LINE_STEP_WAIT,    // no whole line left
	LINE_STEP_UPGRADE, // TLS begins at *used, although no answer announced it: bytes or a whole
	                   // direction are missing, so that the announcement can have been lost, or
	                   // the answer was unclear
};

enum line_step line_step(struct line_reader *reader, struct session *session,
    const struct chunk *chunk, size_t *used, struct line *line);

// Bytes of the dialogue are missing in one direction or both.
bool dialogue_is_incomplete(const struct session *session);

// Records an upgrade that LINE_STEP_UPGRADE found, and hands over to TLS.
struct feed_result upgrade_inferred(struct session *session, size_t consumed);

// How much of a server's answer may be kept as a clue: what looks like an address is cut off, with all
// behind it, in case the answer is to something else than it seems.
size_t answer_length(const struct line *line);

// STARTTLS or STLS was answered with a line that is neither yes nor no. What the client does next tells
// how it took that: LINE_STEP_UPGRADE if it begins with TLS, a refusal if it goes on in the clear.
void starttls_answer_unclear(struct session *session, const struct line *line);

// True if the word is filler that stands in the place of a keyword and is as long (the pattern class
// filler-command). A word that differs in a letter is not: people mistype.
bool is_garbled_keyword(const struct session *session, const struct line *word, const char *keyword);

// The server did not know the garbled command: both lines are a clue now.
void garbled_command_refused(struct session *session, const struct line *line);

// True if a refusal (5xx, NO, -ERR) says that TLS is needed first ("530 5.7.0 Must issue a STARTTLS
// command first", "Plaintext authentication disallowed on non-secure (SSL/TLS) connections").
bool refusal_asks_for_tls(const struct session *session, const struct line *line);

// The server took mail or a log-in in the clear; a refusal seen before or after stands above it.
void session_clear_accepted(struct session *session);

// What a capability list says of STARTTLS or STLS: an offer seen once stays seen. A list without it is
// no refusal behind a log-in, where the offer would be pointless (RFC 9051 6.2.1, RFC 2595 4), nor where
// bytes are missing that may have held the log-in.
void session_note_offer(struct session *session, const struct capability_list *list,
    const char *keyword);

#endif
