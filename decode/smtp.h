// SPDX-License-Identifier: Apache-2.0
// The state of an SMTP dialogue, shared by smtp.c (first look, gaps, the row of the table),
// smtp_client.c (commands and bodies) and smtp_server.c (greeting and replies).
#ifndef MAILTAP_DECODE_SMTP_H
#define MAILTAP_DECODE_SMTP_H

#include "decode/commands.h"
#include "decode/line_protocol.h"

enum smtp_command {
	COMMAND_OTHER,
	COMMAND_HELO,
	COMMAND_EHLO, // and LHLO
	COMMAND_STARTTLS,
	COMMAND_AUTH,
	COMMAND_SASL, // a line of an authentication exchange
	COMMAND_MAIL,
	COMMAND_RCPT,
	COMMAND_DATA,
	COMMAND_BODY, // the line with the dot that ends a body
	COMMAND_BDAT,
	COMMAND_BDAT_LAST,
	COMMAND_BURL_LAST,
	COMMAND_QUIT,
	COMMAND_GARBLED, // what is left of STARTTLS
	COMMAND_KINDS,
};

// What the client's next bytes are.
enum client_state {
	CLIENT_COMMANDS,
	CLIENT_AWAITS_STARTTLS, // held until the answer to STARTTLS
	CLIENT_AWAITS_DATA, // held until the answer to DATA
	CLIENT_AWAITS_AUTH, // held until the answer to AUTH or to a line of it
	CLIENT_SASL, // one line of an authentication exchange
	CLIENT_SASL_UNANSWERED, // the same, with the server's side unseen
	CLIENT_BODY, // message text up to <CRLF>.<CRLF>
	CLIENT_BODY_ASSUMED, // the answer to DATA was lost: the next line will tell
	CLIENT_LOST, // after a gap: commands and body cannot be told apart
	CLIENT_ANSWERED, // the same, and a reply came: a command is next, or it is lost still
};

// How much of <CRLF>.<CRLF> the body's last bytes match. A body begins as if behind a CRLF.
enum body_end {
	BODY_TEXT,
	BODY_CR,
	BODY_CRLF,
	BODY_CRLF_DOT,
	BODY_CRLF_DOT_CR,
};

struct smtp_message;

struct smtp {
	uint8_t client; // enum client_state
	uint8_t body_end; // enum body_end
	bool gap_in_body; // client bytes of this body are missing
	bool cancelled; // the authentication, by the client
	bool ehlo_lost; // what may have been an answer to EHLO is missing
	bool refused_in_body; // the server refused the message before its end
	bool reply_lost; // server bytes are missing since the last command that mattered
	bool message_counted; // one reply of several to one message (LMTP) has counted it
	bool lmtp;
	bool after_ehlo; // the last reply was the end of EHLO's, the client said nothing since
	bool reply_wants_tls; // a line of the reply being read asks for TLS
	bool unasked_220; // the last reply was a 220 that nothing seen had asked for
	bool further_220; // there was one: it may have taken up STARTTLS
	uint16_t reply_lines; // of the reply being read
	uint16_t recipients; // accepted for the current message; LMTP answers a body once for each
	struct line_reader readers[2];
	uint64_t body_bytes; // of the message being transferred
	struct commands pending;
	uint32_t transactions; // so far; with smtp_message.h alone, and so are the next two
	struct smtp_message *message; // of the transaction that goes on; NULL: there is none
	struct smtp_message *awaiting; // the one before, which was sent and is not answered
	struct capability_list list;
	struct text *ehlo_refusal; // the last line of the refusal, until HELO is answered
};

struct smtp_verb {
	const char *text;
	enum smtp_command command;
};

extern const struct smtp_verb smtp_verbs[];
extern const size_t smtp_verb_count;

// The verb that a line begins with, or NULL.
const struct smtp_verb *smtp_verb_of(const struct line *line);

// True if these bytes, as far as there are any, can begin a reply (RFC 5321 4.2).
bool smtp_is_reply_prefix(const uint8_t *bytes, size_t length);

// The client's next bytes are a message; `torn`: not its first ones.
void smtp_body_begins(struct smtp *smtp, struct session *session, bool torn);

// Records an upgrade that nothing announced (line_protocol.h).
struct feed_result smtp_upgrade_inferred(
    const struct smtp *smtp, struct session *session, size_t consumed);

// A list that may have offered STARTTLS is not in the capture: that another did not says nothing.
void smtp_doubt_missing_offer(struct session *session);

// Records the code that STARTTLS was answered with.
void smtp_set_starttls_reply(struct session *session, uint16_t code);

// The refusal of EHLO, if any, is of no account any more.
void smtp_forget_refusal(struct smtp *smtp, struct session *session);

// One direction's bytes.
struct feed_result smtp_feed_client(
    struct smtp *smtp, struct session *session, const struct chunk *chunk);
struct feed_result smtp_feed_server(
    struct smtp *smtp, struct session *session, const struct chunk *chunk);

#endif
