// SPDX-License-Identifier: Apache-2.0
// The client's side of SMTP: commands, lines of an authentication, messages. Called by smtp.c.
#include "decode/smtp_message.h"

#include "capture/base/ascii.h"

#include <string.h>

const struct smtp_verb smtp_verbs[] = {
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

const size_t smtp_verb_count = sizeof smtp_verbs / sizeof smtp_verbs[0];

const struct smtp_verb *smtp_verb_of(const struct line *line)
{
	size_t position = 0;
	struct line word;
	if (!line_word(line, &position, &word) || word.bytes != line->bytes)
		return NULL;
	for (size_t i = 0; i < smtp_verb_count; i++)
		if (bytes_equal_keyword(word.bytes, word.length, smtp_verbs[i].text))
			return &smtp_verbs[i];
	return NULL;
}

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

// FTP asks for TLS by AUTH (RFC 4217 4, and as it was before); no mechanism of SASL has such a name.
static bool is_tls_of_ftp(const struct line *mechanism)
{
	return bytes_equal_keyword(mechanism->bytes, mechanism->length, "TLS") ||
	       bytes_equal_keyword(mechanism->bytes, mechanism->length, "SSL");
}

// AUTH mechanism [initial response]: RFC 4954 4. An initial response of "=" is an empty one.
static enum feed_next client_authenticates(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	size_t position = 4;
	struct line mechanism, response;
	if (!line_word(line, &position, &mechanism))
		return FEED_MORE;
	if (session->esmtp == NOT_SEEN && is_tls_of_ftp(&mechanism)) {
		session_becomes(session, PROTOCOL_FTP);
		return FEED_STOP;
	}
	session_login_begins(session, mechanism.bytes, mechanism.length);
	if (line_word(line, &position, &response) && response.bytes[0] != '=')
		session_credentials_sent(session);
	smtp->client = CLIENT_AWAITS_AUTH;
	return FEED_HOLD;
}

void smtp_body_begins(struct smtp *smtp, struct session *session, bool torn)
{
	smtp->client = CLIENT_BODY;
	smtp->readers[FROM_CLIENT] = (struct line_reader){0}; // of a line that has begun, the rest is body
	smtp->body_end = BODY_CRLF;
	smtp->body_bytes = 0;
	smtp->gap_in_body = session->dialogue_gap[FROM_CLIENT];
	smtp->refused_in_body = smtp->message_counted = false;
	session_mail_begins(session);
	if (session_reads_messages(session))
		smtp_message_body_begins(smtp, session, torn);
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
	session_mail_begins(session);
	if (is_last)
		push_message_replies(smtp, COMMAND_BDAT_LAST);
	else
		commands_push(&smtp->pending, COMMAND_BDAT, 0);
	if (session_reads_messages(session))
		smtp_message_chunk_begins(smtp, session, size, is_last);
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

// Behind these alone, nothing private has crossed.
static bool confides(enum smtp_command command)
{
	return command != COMMAND_EHLO && command != COMMAND_HELO && command != COMMAND_STARTTLS &&
	       command != COMMAND_GARBLED && command != COMMAND_QUIT;
}

// STARTTLS as something on the path left it. Only where a client would say it: nothing else that looks
// like it is ever kept.
static bool is_garbled(const struct session *session, const struct line *line)
{
	return !session->client_confided && !dialogue_is_incomplete(session) &&
	       is_garbled_keyword(session, line, "STARTTLS");
}

static enum smtp_command command_of(struct session *session, const struct line *line)
{
	const struct smtp_verb *verb = smtp_verb_of(line);
	if (verb != NULL)
		return verb->command;
	if (!is_garbled(session, line))
		return COMMAND_OTHER;
	clue_add(session, CLUE_GARBLED_COMMAND, line->bytes, line->length);
	return COMMAND_GARBLED;
}

static void client_begins_transaction(struct smtp *smtp, struct session *session)
{
	smtp->body_bytes = smtp->recipients = 0;
	smtp->message_counted = false;
	if (session_reads_messages(session))
		smtp_message_mail(smtp, session);
}

static struct feed_result client_command(
    struct smtp *smtp, struct session *session, const struct line *line)
{
	enum smtp_command command = command_of(session, line);
	enum feed_next next = FEED_MORE;
	session->client_spoke = true;
	session->client_settled |= settles(command);
	session->client_confided |= confides(command);
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
		client_begins_transaction(smtp, session);
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
	case COMMAND_GARBLED:
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
	smtp->cancelled = line->length == 1 && line->bytes[0] == '*';
	if (!smtp->cancelled && line->length > 0)
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
	if (dot || smtp_verb_of(line) != NULL) {
		smtp->client = CLIENT_COMMANDS;
		return dot ? (struct feed_result){.next = FEED_MORE}
		           : client_command(smtp, session, line);
	}
	smtp_body_begins(smtp, session, true);
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
		if (smtp_verb_of(line) == NULL) {
			if (line->length > 1)
				session_credentials_sent(session);
			return (struct feed_result){.next = FEED_MORE};
		}
		smtp->client = CLIENT_COMMANDS;
		return client_command(smtp, session, line);
	case CLIENT_BODY_ASSUMED:
		return first_line_behind_data(smtp, session, line);
	case CLIENT_ANSWERED: // a chunk of a message may end within a line, which goes on in a command
		smtp->client = smtp_verb_of(line) != NULL ? CLIENT_COMMANDS : CLIENT_LOST;
		return smtp->client == CLIENT_LOST ? (struct feed_result){.next = FEED_MORE}
		                                   : client_command(smtp, session, line);
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

// The next CR in body text that may begin its end, or the end of the bytes: where a line begins otherwise, nothing
// has to be looked at but its first byte.
static size_t next_line_end(const uint8_t *bytes, size_t from, size_t length)
{
	for (size_t at = from; at < length; at += 2) {
		const uint8_t *cr = memchr(bytes + at, '\r', length - at);
		if (cr == NULL)
			return length;
		at = (size_t)(cr - bytes);
		if (length - at < 3 || cr[1] != '\n' || cr[2] == '.' || cr[2] == '\r')
			return at;
	}
	return length;
}

// Reads body text up to its end. Returns the bytes used; *ended: the dot was among them.
static size_t body_read(struct smtp *smtp, const uint8_t *bytes, size_t length, bool *ended)
{
	for (size_t i = 0; i < length; i++) {
		if (smtp->body_end == BODY_TEXT) {
			i = next_line_end(bytes, i, length);
			if (i == length)
				return length;
		}
		if (smtp->body_end == BODY_CRLF_DOT_CR && bytes[i] == '\n') {
			*ended = true;
			return i + 1;
		}
		smtp->body_end = (uint8_t)body_step((enum body_end)smtp->body_end, bytes[i]);
	}
	return length;
}

static size_t client_body(
    struct smtp *smtp, struct session *session, const uint8_t *bytes, size_t length)
{
	enum { TERMINATOR = 3 }; // ".\r\n" is no part of the message
	bool ended = false;
	size_t used = body_read(smtp, bytes, length, &ended);
	smtp->body_bytes += used;
	if (session_reads_messages(session))
		smtp_message_body(smtp, bytes, used);
	if (ended) {
		smtp->body_bytes -= smtp->body_bytes < TERMINATOR ? smtp->body_bytes : TERMINATOR;
		smtp->client = CLIENT_COMMANDS;
		if (!smtp->refused_in_body)
			push_message_replies(smtp, COMMAND_BODY);
		if (session_reads_messages(session))
			smtp_message_body_ends(smtp, session);
	}
	return used;
}

void smtp_set_starttls_reply(struct session *session, uint16_t code)
{
	session->starttls_reply[0] = (char)('0' + code / 100);
	session->starttls_reply[1] = (char)('0' + code / 10 % 10);
	session->starttls_reply[2] = (char)('0' + code % 10);
	session->starttls_reply[3] = '\0';
}

struct feed_result smtp_upgrade_inferred(
    const struct smtp *smtp, struct session *session, size_t consumed)
{
	if (smtp->unasked_220)
		smtp_set_starttls_reply(session, 220);
	return upgrade_inferred(session, consumed);
}

struct feed_result smtp_feed_client(
    struct smtp *smtp, struct session *session, const struct chunk *chunk)
{
	size_t used = 0;
	struct line line;
	while (used < chunk->length) {
		if (smtp->client == CLIENT_BODY) {
			used += client_body(
			    smtp, session, chunk->bytes + used, chunk->length - used);
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
