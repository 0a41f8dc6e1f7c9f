// SPDX-License-Identifier: Apache-2.0
// SMTP and LMTP as a tap hears them: RFC 5321, with ESMTP's PIPELINING (2920), CHUNKING (3030), AUTH
// (4954), STARTTLS (3207), BURL (4468), LMTP (2033) and XCLIENT. Learns who greets whom, what is
// offered, what is asked and refused; reads over message bodies, and never keeps a path or a secret.
// One state per connection, pushed from both sides by dialogue.c.
#include "decode/commands.h"
#include "decode/line_protocol.h"

#include <string.h>

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
};

// How much of <CRLF>.<CRLF> the body's last bytes match. A body begins as if behind a CRLF.
enum body_end {
	BODY_TEXT,
	BODY_CR,
	BODY_CRLF,
	BODY_CRLF_DOT,
	BODY_CRLF_DOT_CR,
};

struct smtp {
	uint8_t client; // enum client_state
	uint8_t body_end; // enum body_end
	bool gap_in_body; // client bytes of this body are missing
	bool refused_in_body; // the server refused the message before its end
	bool reply_lost; // server bytes are missing since the last command that mattered
	bool message_counted; // one reply of several to one message (LMTP) has counted it
	bool lmtp;
	bool after_ehlo; // the last reply was the end of EHLO's, the client said nothing since
	bool reply_wants_tls; // a line of the reply being read asks for TLS
	bool unasked_220; // the last reply was a 220 that nothing seen had asked for
	uint16_t reply_lines; // of the reply being read
	uint16_t recipients; // accepted for the current message; LMTP answers a body once for each
	struct line_reader readers[2];
	uint64_t body_bytes; // of the message being transferred
	struct commands pending;
	struct capability_list list;
};

struct verb {
	const char *text;
	enum smtp_command command;
};

static const struct verb verbs[] = {
    {"EHLO", COMMAND_EHLO},
    {"HELO", COMMAND_HELO},
    {"LHLO", COMMAND_EHLO},
    {"MAIL", COMMAND_MAIL},
    {"RCPT", COMMAND_RCPT},
    {"DATA", COMMAND_DATA},
    {"BDAT", COMMAND_BDAT},
    {"BURL", COMMAND_OTHER},
    {"STARTTLS", COMMAND_STARTTLS},
    {"AUTH", COMMAND_AUTH},
    {"QUIT", COMMAND_QUIT},
    {"RSET", COMMAND_OTHER},
    {"NOOP", COMMAND_OTHER},
    {"VRFY", COMMAND_OTHER},
    {"EXPN", COMMAND_OTHER},
    {"HELP", COMMAND_OTHER},
    {"ETRN", COMMAND_OTHER},
    {"ATRN", COMMAND_OTHER},
    {"SEND", COMMAND_OTHER},
    {"SOML", COMMAND_OTHER},
    {"SAML", COMMAND_OTHER},
    {"TURN", COMMAND_OTHER},
    {"XCLIENT", COMMAND_OTHER},
    {"XFORWARD", COMMAND_OTHER},
};

static const struct verb *find_verb(const struct line *line)
{
	size_t position = 0;
	struct line word;
	if (!line_word(line, &position, &word) || word.bytes != line->bytes)
		return NULL;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (bytes_equal_keyword(word.bytes, word.length, verbs[i].text))
			return &verbs[i];
	return NULL;
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* ---- first look ---- */

static bool is_reply_prefix(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < 3 && i < length; i++)
		if (!is_digit(bytes[i]) || (i == 0 && (bytes[i] < '2' || bytes[i] > '5')))
			return false;
	return length < 4 || bytes[3] == ' ' || bytes[3] == '-' || bytes[3] == '\r' ||
	       bytes[3] == '\n';
}

// A greeting on a port that is not known for SMTP could be FTP's: it has to name the protocol.
static enum recognised recognise_server(
    const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	if (!is_reply_prefix(bytes, length))
		return RECOGNISED_NO;
	if (length < 4)
		return RECOGNISED_MAYBE;
	if (expected)
		return RECOGNISED_YES;
	if (!from_start || (memcmp(bytes, "220", 3) != 0 && memcmp(bytes, "554", 3) != 0))
		return RECOGNISED_NO;
	struct line line = {.bytes = bytes, .length = length};
	if (line_has_word(&line, "SMTP") || line_has_word(&line, "ESMTP") ||
	    line_has_word(&line, "LMTP"))
		return RECOGNISED_YES;
	return memchr(bytes, '\n', length) != NULL || length > BANNER_MAX ? RECOGNISED_NO
	                                                                  : RECOGNISED_MAYBE;
}

static enum recognised recognise_client(const uint8_t *bytes, size_t length, bool expected)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		bool greets = verbs[i].command == COMMAND_EHLO || verbs[i].command == COMMAND_HELO;
		if (!greets && !expected)
			continue;
		size_t wanted = strlen(verbs[i].text);
		size_t have = length < wanted ? length : wanted;
		char prefix[16] = {0};
		memcpy(prefix, verbs[i].text, have);
		if (!bytes_equal_keyword(bytes, have, prefix))
			continue;
		if (length <= wanted)
			return RECOGNISED_MAYBE;
		if (bytes[wanted] == ' ' || bytes[wanted] == '\r' || bytes[wanted] == '\n')
			return RECOGNISED_YES;
	}
	return RECOGNISED_NO;
}

static enum recognised smtp_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	return from == FROM_SERVER ? recognise_server(bytes, length, expected, from_start)
	                           : recognise_client(bytes, length, expected);
}

static void smtp_begin(void *state, struct session *session)
{
	struct smtp *smtp = state;
	if (session->dialogue_gap[FROM_CLIENT])
		smtp->client = CLIENT_LOST;
}

/* ---- the client's side ---- */

static void client_says_hello(struct smtp *smtp, struct session *session, const struct line *line)
{
	size_t position = 4;
	struct line name;
	smtp->lmtp = line_starts(line, "LHLO");
	if (!session->client_settled && line_word(line, &position, &name))
		session_set_text(
		    session, &session->client_name, name.bytes, name.length, NAME_MAX_BYTES);
}

static enum feed_next client_asks_starttls(struct smtp *smtp, struct session *session)
{
	session->starttls_requested = SEEN_YES;
	smtp->client = CLIENT_AWAITS_STARTTLS;
	smtp->reply_lost = false;
	return FEED_HOLD;
}

// AUTH mechanism [initial response]: RFC 4954 4. An initial response of "=" is an empty one.
static enum feed_next client_authenticates(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	size_t position = 4;
	struct line mechanism, response;
	if (!line_word(line, &position, &mechanism))
		return FEED_MORE;
	session_login_begins(session, mechanism.bytes, mechanism.length);
	if (line_word(line, &position, &response) && response.bytes[0] != '=')
		session_credentials_sent(session);
	smtp->client = CLIENT_AWAITS_AUTH;
	return FEED_HOLD;
}

static void body_begins(struct smtp *smtp, struct session *session)
{
	smtp->client = CLIENT_BODY;
	smtp->body_end = BODY_CRLF;
	smtp->body_bytes = 0;
	smtp->gap_in_body = session->dialogue_gap[FROM_CLIENT];
	smtp->refused_in_body = smtp->message_counted = false;
	session->mail_begun = true;
}

// The message is complete: one reply is due, or one for each recipient (RFC 2033 4.2).
static void push_message_replies(struct smtp *smtp, enum smtp_command command)
{
	unsigned replies = smtp->lmtp && smtp->recipients > 0 ? smtp->recipients : 1;
	for (unsigned i = 0; i < replies; i++)
		commands_push(&smtp->pending, (uint8_t)command, 0);
}

// BDAT size [LAST]: RFC 3030 2. The octets follow whatever the server thinks of them.
static struct feed_result client_sends_chunk(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	size_t position = 4;
	struct line number, last;
	uint64_t size = 0;
	if (!line_word(line, &position, &number))
		return (struct feed_result){.next = FEED_MORE};
	for (size_t i = 0; i < number.length && i < 18 && is_digit(number.bytes[i]); i++)
		size = size * 10 + (uint64_t)(number.bytes[i] - '0');
	bool is_last = line_word(line, &position, &last) &&
	               bytes_equal_keyword(last.bytes, last.length, "LAST");
	smtp->body_bytes += size;
	session->mail_begun = true;
	if (is_last)
		push_message_replies(smtp, COMMAND_BDAT_LAST);
	else
		commands_push(&smtp->pending, COMMAND_BDAT, 0);
	return (struct feed_result){.next = size > 0 ? FEED_SKIP : FEED_MORE, .skip = size};
}

// Behind these a client does not introduce itself any more. What still looks like it could be a line
// of a message or of a secret that the server did not want: it is not kept.
static bool settles(enum smtp_command command)
{
	return command == COMMAND_STARTTLS || command == COMMAND_AUTH || command == COMMAND_MAIL ||
	       command == COMMAND_RCPT || command == COMMAND_DATA || command == COMMAND_BDAT ||
	       command == COMMAND_BURL_LAST;
}

static struct feed_result client_command(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	const struct verb *verb = find_verb(line);
	enum smtp_command command = verb != NULL ? verb->command : COMMAND_OTHER;
	enum feed_next next = FEED_MORE;
	session->client_spoke = true;
	session->client_settled |= settles(command);
	smtp->after_ehlo = false;
	switch (command) {
	case COMMAND_BDAT:
		return client_sends_chunk(smtp, session, line);
	case COMMAND_EHLO:
		session->capabilities_asked = true;
		client_says_hello(smtp, session, line);
		break;
	case COMMAND_HELO:
		client_says_hello(smtp, session, line);
		break;
	case COMMAND_STARTTLS:
		next = client_asks_starttls(smtp, session);
		break;
	case COMMAND_AUTH:
		next = client_authenticates(smtp, session, line);
		break;
	case COMMAND_MAIL:
		smtp->body_bytes = smtp->recipients = 0;
		smtp->message_counted = false;
		break;
	case COMMAND_DATA:
		smtp->client = CLIENT_AWAITS_DATA;
		smtp->reply_lost = false;
		next = FEED_HOLD;
		break;
	case COMMAND_OTHER:
		if (line_starts(line, "BURL") && line_has_word(line, "LAST"))
			command = COMMAND_BURL_LAST;
		break;
	case COMMAND_RCPT:
	case COMMAND_QUIT:
	case COMMAND_SASL:
	case COMMAND_BODY:
	case COMMAND_BDAT_LAST:
	case COMMAND_BURL_LAST:
	case COMMAND_KINDS:
		break;
	}
	commands_push(&smtp->pending, (uint8_t)command, 0);
	return (struct feed_result){.next = next};
}

// A line of the authentication exchange; "*" cancels it (RFC 4954 4).
static enum feed_next client_sasl_line(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	bool cancelled = line->length == 1 && line->bytes[0] == '*';
	if (!cancelled && line->length > 0)
		session_credentials_sent(session);
	commands_push(&smtp->pending, COMMAND_SASL, 0);
	smtp->client = CLIENT_AWAITS_AUTH;
	return FEED_HOLD;
}

// The answer to DATA was lost. A command, or a lone dot, says that it was a refusal, or that nothing
// was sent; anything else is the message.
static struct feed_result first_line_behind_data(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	bool dot = line->length == 1 && line->bytes[0] == '.';
	if (dot || find_verb(line) != NULL) {
		smtp->client = CLIENT_COMMANDS;
		return dot ? (struct feed_result){.next = FEED_MORE}
		           : client_command(smtp, session, line);
	}
	body_begins(smtp, session);
	smtp->body_end = line->overlong ? BODY_TEXT : BODY_CRLF;
	smtp->body_bytes = line->length;
	return (struct feed_result){.next = FEED_MORE};
}

static struct feed_result client_line(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	switch ((enum client_state)smtp->client) {
	case CLIENT_SASL:
		return (struct feed_result){.next = client_sasl_line(smtp, session, line)};
	case CLIENT_SASL_UNANSWERED:
		if (find_verb(line) == NULL) {
			if (line->length > 1)
				session_credentials_sent(session);
			return (struct feed_result){.next = FEED_MORE};
		}
		smtp->client = CLIENT_COMMANDS;
		return client_command(smtp, session, line);
	case CLIENT_BODY_ASSUMED:
		return first_line_behind_data(smtp, session, line);
	case CLIENT_COMMANDS:
		return client_command(smtp, session, line);
	case CLIENT_LOST:
	case CLIENT_AWAITS_STARTTLS:
	case CLIENT_AWAITS_DATA:
	case CLIENT_AWAITS_AUTH:
	case CLIENT_BODY:
		break;
	}
	return (struct feed_result){.next = FEED_MORE};
}

static enum body_end body_step(enum body_end at, uint8_t c)
{
	if (c == '\r')
		return at == BODY_CRLF_DOT ? BODY_CRLF_DOT_CR : BODY_CR;
	if (c == '\n' && at == BODY_CR)
		return BODY_CRLF;
	if (c == '.' && at == BODY_CRLF)
		return BODY_CRLF_DOT;
	return BODY_TEXT;
}

// Reads body text up to its end. Returns the bytes used; *ended: the dot was among them.
static size_t body_read(struct smtp *smtp, const uint8_t *bytes, size_t length, bool *ended)
{
	for (size_t i = 0; i < length; i++) {
		if (smtp->body_end == BODY_TEXT) {
			const uint8_t *cr = memchr(bytes + i, '\r', length - i);
			if (cr == NULL)
				return length;
			i = (size_t)(cr - bytes);
		}
		if (smtp->body_end == BODY_CRLF_DOT_CR && bytes[i] == '\n') {
			*ended = true;
			return i + 1;
		}
		smtp->body_end = (uint8_t)body_step((enum body_end)smtp->body_end, bytes[i]);
	}
	return length;
}

static size_t client_body(struct smtp *smtp, const uint8_t *bytes, size_t length)
{
	enum { TERMINATOR = 3 }; // ".\r\n" is no part of the message
	bool ended = false;
	size_t used = body_read(smtp, bytes, length, &ended);
	smtp->body_bytes += used;
	if (ended) {
		smtp->body_bytes -= smtp->body_bytes < TERMINATOR ? smtp->body_bytes : TERMINATOR;
		smtp->client = CLIENT_COMMANDS;
		if (!smtp->refused_in_body)
			push_message_replies(smtp, COMMAND_BODY);
	}
	return used;
}

static void set_starttls_reply(struct session *session, uint16_t code)
{
	session->starttls_reply[0] = (char)('0' + code / 100);
	session->starttls_reply[1] = (char)('0' + code / 10 % 10);
	session->starttls_reply[2] = (char)('0' + code % 10);
	session->starttls_reply[3] = '\0';
}

static struct feed_result smtp_upgrade_inferred(
    const struct smtp *smtp, struct session *session, size_t consumed)
{
	if (smtp->unasked_220)
		set_starttls_reply(session, 220);
	return upgrade_inferred(session, consumed);
}

static struct feed_result feed_client(
    struct smtp *smtp, struct session *session, const struct chunk *chunk)
{
	size_t used = 0;
	struct line line;
	while (used < chunk->length) {
		if (smtp->client == CLIENT_BODY) {
			used += client_body(smtp, chunk->bytes + used, chunk->length - used);
			continue;
		}
		switch (line_step(&smtp->readers[FROM_CLIENT], session, chunk, &used, &line)) {
		case LINE_STEP_WAIT:
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		case LINE_STEP_UPGRADE:
			return smtp_upgrade_inferred(smtp, session, used);
		case LINE_STEP_LINE:
			break;
		}
		struct feed_result result = client_line(smtp, session, &line);
		result.consumed = used;
		if (result.next != FEED_MORE)
			return result;
	}
	return (struct feed_result){.next = FEED_MORE, .consumed = used};
}

/* ---- the server's side ---- */

// The first word behind the code names the server; in a greeting only if it looks like a name.
static void server_names_itself(
    struct session *session, const struct line *line, bool must_have_dot)
{
	size_t position = 4;
	struct line name;
	if (line->length > 4 && line_word(line, &position, &name) &&
	    (!must_have_dot || memchr(name.bytes, '.', name.length) != NULL))
		session_set_text(
		    session, &session->server_name, name.bytes, name.length, NAME_MAX_BYTES);
}

// A line of the reply to EHLO: the first names the server, the others are capabilities (RFC 5321
// 4.1.1.1). A server that forgets the first line's name, or the dashes, is understood as well.
static void ehlo_line(struct smtp *smtp, struct session *session, const struct line *line)
{
	if (line->length <= 4)
		return;
	struct line text = {.bytes = line->bytes + 4, .length = line->length - 4};
	if (smtp->reply_lines > 0 || line_starts(&text, "STARTTLS"))
		capability_list_add(session, &smtp->list, text.bytes, text.length);
	else if (session->server_name == NULL)
		server_names_itself(session, line, false);
}

static void ehlo_done(struct smtp *smtp, struct session *session)
{
	session_note_offer(session, &smtp->list, "STARTTLS");
	session->esmtp = SEEN_YES;
	session_set_capabilities(session, &smtp->list);
	smtp->after_ehlo = true;
}

// A server that does not know EHLO offers nothing.
static void ehlo_unknown(struct session *session)
{
	if (session->starttls_offered != SEEN_YES)
		session->starttls_offered = SEEN_NO;
}

// A further "250 KEYWORD" right behind a finished EHLO reply: a server that forgot the dashes.
static void late_capability(struct smtp *smtp, struct session *session, const struct line *line)
{
	struct text *known = session->capabilities;
	if (known != NULL && known->length > 0)
		capability_list_add(session, &smtp->list, known->bytes, known->length);
	for (uint16_t i = 0; known != NULL && i < smtp->list.length; i++)
		if (smtp->list.bytes[i] == ' ' && known->bytes[i] == '\n')
			smtp->list.bytes[i] = '\n';
	capability_list_add(session, &smtp->list, line->bytes + 4, line->length - 4);
	ehlo_done(smtp, session);
}

static void message_taken(struct smtp *smtp, struct session *session)
{
	if (smtp->message_counted)
		return;
	smtp->message_counted = true;
	session->messages++;
	session->message_bytes += smtp->body_bytes;
}

static enum feed_next starttls_answered(struct smtp *smtp, struct session *session, uint16_t code)
{
	set_starttls_reply(session, code);
	session->starttls_accepted = code == 220 ? SEEN_YES : SEEN_NO;
	smtp->client = CLIENT_COMMANDS;
	return code == 220 ? FEED_UPGRADE : FEED_RELEASE;
}

static enum feed_next auth_answered(struct smtp *smtp, struct session *session, uint16_t code)
{
	if (code == 334) {
		smtp->client = CLIENT_SASL;
		return FEED_RELEASE;
	}
	smtp->client = CLIENT_COMMANDS;
	if (code / 100 == 2) {
		session_login_ends(session, true);
		session_clear_accepted(session);
	} else if (code != 501 && code != 503 && code != 504) {
		session_login_ends(
		    session, false); // 501: cancelled or garbled, 503, 504: not tried at all
	}
	return FEED_RELEASE;
}

static enum feed_next data_answered(struct smtp *smtp, struct session *session, uint16_t code)
{
	if (code == 354)
		body_begins(smtp, session);
	else
		smtp->client = CLIENT_COMMANDS;
	return FEED_RELEASE;
}

// A refusal that says TLS is needed first: 530 and 538 by their meaning (RFC 3207 4, RFC 4954 6)
// where the text agrees, others by their text.
static void note_refusal(struct smtp *smtp, struct session *session, uint16_t code)
{
	if (code == 538 || (code / 100 == 5 && smtp->reply_wants_tls))
		session->tls_required_by_server = SEEN_YES;
}

// A reply while the message still seems to go on: its end was lost in a gap or was not the
// standard's (a bare LF), or the server refuses it halfway.
static void reply_in_body(struct smtp *smtp, struct session *session, uint16_t code)
{
	if (code / 100 == 2) {
		if (code == 250 && !smtp->reply_lost)
			message_taken(smtp, session);
		smtp->client = CLIENT_COMMANDS;
	} else if (smtp->gap_in_body) {
		smtp->client = CLIENT_LOST;
	} else {
		smtp->refused_in_body = true;
	}
}

static const char *const extensions[] = {"PIPELINING", "SIZE", "8BITMIME", "STARTTLS", "AUTH",
    "ENHANCEDSTATUSCODES", "DSN", "CHUNKING", "SMTPUTF8", "ETRN", "VRFY", "HELP", "DELIVERBY",
    "BINARYMIME", "LIMITS", "REQUIRETLS", "XCLIENT", "XFORWARD"};

enum { EXTENSIONS = sizeof extensions / sizeof extensions[0] };

// "250 KEYWORD" with a keyword that only EHLO brings.
static bool names_extension(const struct line *line)
{
	struct line text = {.bytes = line->bytes + 4, .length = line->length - 4};
	for (size_t i = 0; line->length > 4 && i < EXTENSIONS; i++)
		if (line_starts(&text, extensions[i]))
			return true;
	return false;
}

// A whole reply with keywords that only EHLO brings, and nothing that looks like an address, while
// the client's side is not seen.
static bool is_ehlo_reply(const struct smtp *smtp)
{
	unsigned known = 0;
	for (size_t i = 0; i < EXTENSIONS; i++)
		known += capabilities_have(smtp->list.bytes, smtp->list.length, extensions[i]);
	return known >= 2 && memchr(smtp->list.bytes, '@', smtp->list.length) == NULL;
}

// A reply that no known command asked for: its command was lost, or the server talks too much.
static void reply_unasked(
    struct smtp *smtp, struct session *session, uint16_t code, const struct line *line)
{
	bool after_ehlo = smtp->after_ehlo;
	smtp->after_ehlo = false;
	if (smtp->client == CLIENT_BODY) {
		reply_in_body(smtp, session, code);
		return;
	}
	if (after_ehlo && code == 250 && smtp->reply_lines == 1 && names_extension(line)) {
		late_capability(smtp, session, line);
		return;
	}
	if (code ==
	    354) { // its DATA stands in what was taken for a message: other ideas of its end
		body_begins(smtp, session);
		return;
	}
	if (!dialogue_is_incomplete(session))
		return;
	smtp->unasked_220 = code == 220;
	if (code == 250 && is_ehlo_reply(smtp))
		ehlo_done(smtp, session);
	if (code == 334)
		smtp->client = CLIENT_SASL;
	else if (smtp->client == CLIENT_LOST)
		smtp->client = CLIENT_COMMANDS;
}

static enum feed_next reply_done(
    struct smtp *smtp, struct session *session, uint16_t code, const struct line *line)
{
	int command = commands_pop(&smtp->pending);
	smtp->unasked_220 = false;
	if (command < 0) {
		reply_unasked(smtp, session, code, line);
		return FEED_MORE;
	}
	smtp->after_ehlo = false;
	switch ((enum smtp_command)command) {
	case COMMAND_EHLO:
		if (code == 250)
			ehlo_done(smtp, session);
		else if (code == 500 || code == 501 || code == 502 || code == 504)
			ehlo_unknown(session);
		break;
	case COMMAND_HELO:
		if (code == 250 && session->esmtp != SEEN_YES)
			session->esmtp = SEEN_NO;
		break;
	case COMMAND_STARTTLS:
		return starttls_answered(smtp, session, code);
	case COMMAND_AUTH:
	case COMMAND_SASL:
		note_refusal(smtp, session, code);
		return auth_answered(smtp, session, code);
	case COMMAND_MAIL:
		if (code == 250)
			session_clear_accepted(session);
		note_refusal(smtp, session, code);
		break;
	case COMMAND_RCPT:
		smtp->recipients = (uint16_t)(smtp->recipients + (code / 100 == 2));
		note_refusal(smtp, session, code);
		break;
	case COMMAND_DATA:
		note_refusal(smtp, session, code);
		return data_answered(smtp, session, code);
	case COMMAND_BODY:
	case COMMAND_BDAT_LAST:
	case COMMAND_BURL_LAST:
		if (code == 250) {
			session->mail_begun = true;
			message_taken(smtp, session);
		}
		break;
	case COMMAND_BDAT:
		break;
	case COMMAND_OTHER:
	case COMMAND_QUIT:
	case COMMAND_KINDS:
		note_refusal(smtp, session, code);
		break;
	}
	return FEED_MORE;
}

// The first line of a server that was heard from its beginning is its greeting, whatever a hasty
// client has sent before it.
static bool awaits_greeting(const struct session *session)
{
	return !session->greeted && !session->dialogue_gap[FROM_SERVER];
}

static void greeting_line(
    struct smtp *smtp, struct session *session, const struct line *line, bool continues)
{
	if (session->server_banner == NULL) {
		session_set_text(
		    session, &session->server_banner, line->bytes, line->length, BANNER_MAX);
		server_names_itself(session, line, true);
	}
	smtp->reply_lines++;
	if (continues)
		return;
	session->greeted = true;
	smtp->reply_lines = 0;
}

static bool collects_capabilities(const struct smtp *smtp, const struct session *session)
{
	int command = commands_oldest(&smtp->pending);
	return command == COMMAND_EHLO || (command < 0 && session->dialogue_gap[FROM_CLIENT] &&
	                                      !session->dialogue_gap[FROM_SERVER]);
}

static enum feed_next server_line(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	bool is_reply = line->length >= 3 && is_reply_prefix(line->bytes, line->length);
	bool continues = is_reply && line->length > 3 && line->bytes[3] == '-';
	if (awaits_greeting(session)) {
		greeting_line(smtp, session, line, continues);
		return FEED_MORE;
	}
	if (!is_reply)
		return FEED_MORE;
	uint16_t code = (uint16_t)((line->bytes[0] - '0') * 100 + (line->bytes[1] - '0') * 10 +
	                           (line->bytes[2] - '0'));
	if (refusal_asks_for_tls(line))
		smtp->reply_wants_tls = true;
	if (code == 250 && collects_capabilities(smtp, session))
		ehlo_line(smtp, session, line);
	smtp->reply_lines++;
	if (continues)
		return FEED_MORE;
	enum feed_next next = reply_done(smtp, session, code, line);
	if (smtp->list.length > 0)
		capability_list_clear(session, &smtp->list);
	smtp->reply_lines = 0;
	smtp->reply_wants_tls = false;
	return next;
}

static struct feed_result feed_server(
    struct smtp *smtp, struct session *session, const struct chunk *chunk)
{
	size_t used = 0;
	struct line line;
	for (;;) {
		switch (line_step(&smtp->readers[FROM_SERVER], session, chunk, &used, &line)) {
		case LINE_STEP_WAIT:
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		case LINE_STEP_UPGRADE:
			return smtp_upgrade_inferred(smtp, session, used);
		case LINE_STEP_LINE:
			break;
		}
		enum feed_next next = server_line(smtp, session, &line);
		if (next != FEED_MORE)
			return (struct feed_result){.next = next, .consumed = used};
	}
}

/* ---- what the dialogue calls ---- */

static struct feed_result smtp_feed(void *state, struct session *session, const struct chunk *chunk)
{
	return chunk->from == FROM_CLIENT ? feed_client(state, session, chunk)
	                                  : feed_server(state, session, chunk);
}

static void server_gap(struct smtp *smtp, struct session *session)
{
	commands_clear(&smtp->pending);
	capability_list_clear(session, &smtp->list);
	session_forget_capabilities(session);
	smtp->reply_lines = 0;
	smtp->reply_wants_tls = smtp->after_ehlo = smtp->unasked_220 = false;
	smtp->reply_lost = true;
}

// In a body, the hole is most likely body too; a reply will tell if it was more. Elsewhere, what
// follows could be commands or a body, until a reply tells.
static void client_gap(struct smtp *smtp, uint64_t length)
{
	commands_clear(&smtp->pending);
	if (smtp->client == CLIENT_BODY_ASSUMED)
		smtp->client = CLIENT_LOST;
	if (smtp->client == CLIENT_BODY) {
		smtp->gap_in_body = true;
		smtp->body_end = BODY_TEXT;
		smtp->body_bytes += length;
	} else {
		smtp->client = CLIENT_LOST;
	}
}

static void smtp_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct smtp *smtp = state;
	smtp->readers[from] = (struct line_reader){0};
	if (from == FROM_SERVER)
		server_gap(smtp, session);
	else
		client_gap(smtp, length);
}

static void smtp_give_up_hold(void *state, struct session *session, enum direction held)
{
	struct smtp *smtp = state;
	(void)session;
	(void)held;
	commands_clear(&smtp->pending);
	if (smtp->client == CLIENT_AWAITS_DATA) {
		smtp->client = CLIENT_BODY_ASSUMED;
		smtp->reply_lost = true;
	} else if (smtp->client == CLIENT_AWAITS_AUTH) {
		smtp->client = CLIENT_SASL_UNANSWERED;
	} else {
		smtp->client = CLIENT_COMMANDS;
	}
}

static void smtp_end(void *state, struct session *session)
{
	capability_list_clear(session, &((struct smtp *)state)->list);
}

const struct protocol_ops smtp_protocol = {
    .protocol = PROTOCOL_SMTP,
    .state_size = sizeof(struct smtp),
    .recognise = smtp_recognise,
    .begin = smtp_begin,
    .feed = smtp_feed,
    .gap = smtp_gap,
    .give_up_hold = smtp_give_up_hold,
    .end = smtp_end,
};
