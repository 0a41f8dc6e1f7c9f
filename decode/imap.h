// SPDX-License-Identifier: Apache-2.0
// The state of an IMAP dialogue, shared by imap.c (words, first look, gaps, the row of the table),
// imap_client.c (commands), imap_server.c (responses) and imap_message.c (messages that are read).
#ifndef MAILTAP_DECODE_IMAP_H
#define MAILTAP_DECODE_IMAP_H

#include "decode/commands.h"
#include "decode/line_protocol.h"

enum imap_command {
	COMMAND_OTHER,
	COMMAND_FETCH, // or an unknown one: messages may come
	COMMAND_CAPABILITY,
	COMMAND_STARTTLS,
	COMMAND_GARBLED, // what is left of STARTTLS
	COMMAND_LOGIN,
	COMMAND_AUTHENTICATE,
	COMMAND_APPEND,
	COMMAND_COMPRESS,
};

enum client_state {
	CLIENT_COMMANDS,
	CLIENT_CONTINUES, // behind a literal: the rest of the same command
	CLIENT_AWAITS_STARTTLS,
	CLIENT_AWAITS_LITERAL, // held until the server asks for the literal, or refuses the command
	CLIENT_LITERAL_DUE, // the literal is next
	CLIENT_LITERAL_UNANSWERED, // the same, unless the answer that was lost was a refusal
	CLIENT_AWAITS_AUTH,
	CLIENT_AWAITS_COMPRESS, // what follows may be compressed
	CLIENT_SASL, // one line of an authentication exchange
	CLIENT_SASL_UNANSWERED, // the same, with the server's side unseen
	CLIENT_LOST, // after a gap: a command and a literal cannot be told apart
};

enum server_state {
	SERVER_RESPONSES,
	SERVER_CONTINUES, // behind a literal: the rest of the same response
	SERVER_LOST, // after a gap, until a response that can only be one (resumes)
};

// Where in an APPEND the client is.
enum append_stage {
	APPEND_NOTHING,
	APPEND_MAILBOX, // its name is next
	APPEND_ARGUMENTS, // flags, a date, messages
	APPEND_PIECES, // the list of CATENATE
	APPEND_URL, // a piece of it that stands elsewhere
	APPEND_ELSEWHERE, // a list that began so: the header is not in it
};

struct access_message;

struct imap {
	uint8_t client; // enum client_state
	uint8_t server; // enum server_state
	uint8_t command; // enum imap_command, the one whose lines or literals are being read
	bool after_client_gap; // commands count only once the server has answered their tag
	bool cancelled; // the authentication, by the client
	bool in_fetch; // the response being read is a FETCH
	bool
	    after_lost_ok; // its command, unseen, can have been STARTTLS, and what follows injected
	bool message_in_response; // and a message in it was counted
	uint32_t tag; // of that command
	uint32_t message_number; // of messages read so far; with imap_message.h alone
	uint64_t literal; // its size, while it is awaited
	struct line_reader readers[2];
	struct commands pending;
	uint8_t append; // enum append_stage; likewise, and so are the next two
	bool append_literal; // the literal announced is a message, or a piece of one
	struct access_message *messages[2]; // on their way, by enum direction; NULL: none
};

struct imap_literal {
	uint64_t size;
	bool waits; // synchronising: the client waits for "+" before it sends the octets
};

struct imap_verb {
	const char *text;
	enum imap_command command;
	bool telling; // says IMAP even on a port that is not known for it
};

static inline struct feed_result next_is(enum feed_next next)
{
	return (struct feed_result){.next = next};
}

// A tag's hash, never 0 (FNV-1a; what a client makes collide is its own pairing).
uint32_t imap_tag_hash(const struct line *tag);

// A line that ends in {n}, {n+} or {n-} announces n octets (RFC 3501 4.3, RFC 7888). Also ~{n}.
bool imap_line_announces_literal(const struct line *line, struct imap_literal *literal);

// The command that a word names, or NULL.
const struct imap_verb *imap_verb_of(const struct line *word);

// A first look at a client's bytes (protocol.h).
enum recognised imap_recognise_client(const uint8_t *bytes, size_t length, bool expected);

// The client sent LOGIN, with what it logs in with.
void imap_login_sent(struct session *session);

// One direction's bytes.
struct feed_result imap_feed_client(
    struct imap *imap, struct session *session, const struct chunk *chunk);
struct feed_result imap_feed_server(
    struct imap *imap, struct session *session, const struct chunk *chunk);

#endif
