// SPDX-License-Identifier: Apache-2.0
// The server's side of SMTP: greeting, capabilities, and replies to what the client asked. Called by
// smtp.c.
#include "decode/smtp_message.h"

#include <string.h>

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

static void add_capability(
    struct smtp *smtp, struct session *session, const struct line *text, bool overlong)
{
	capability_list_add(session, &smtp->list, text->bytes, text->length);
	smtp->list.incomplete |= overlong;
}

// A line of the reply to EHLO: the first names the server, the others are capabilities (RFC 5321
// 4.1.1.1). A server that forgets the first line's name, or the dashes, is understood as well. The name
// counts where the greeting had none: one in a greeting that was lost could be another. Where the command is
// not seen only a first line of several is surely EHLO's: the answer to HELO, or to MAIL, looks like one alone.
static void ehlo_line(struct smtp *smtp, struct session *session, const struct line *line)
{
	if (line->length <= 4)
		return;
	struct line text = {.bytes = line->bytes + 4, .length = line->length - 4};
	bool is_ehlo = line->bytes[3] == '-' || commands_oldest(&smtp->pending) == COMMAND_EHLO;
	if (smtp->reply_lines > 0 || line_starts(&text, "STARTTLS"))
		add_capability(smtp, session, &text, line->overlong);
	else if (is_ehlo && session->greeted && session->server_name == NULL)
		server_names_itself(session, line, false);
}

// A list without STARTTLS says that the server does not offer it, unless an earlier list may have been
// lost that did: a server that was asked for TLS does not offer it again.
static bool may_have_offered(const struct smtp *smtp, const struct session *session)
{
	bool asked = session->starttls_requested == SEEN_YES ||
	             (session->dialogue_gap[FROM_CLIENT] && smtp->further_220);
	return smtp->ehlo_lost || (asked && dialogue_is_incomplete(session)) ||
	       (session->dialogue_gap[FROM_CLIENT] && session->dialogue_gap[FROM_SERVER]);
}

static void ehlo_done(struct smtp *smtp, struct session *session)
{
	if (!may_have_offered(smtp, session) ||
	    capabilities_have(smtp->list.bytes, smtp->list.length, "STARTTLS"))
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
	session_mail_begins(session);
	session->messages++;
	session->message_bytes += smtp->body_bytes;
}

static enum feed_next starttls_answered(
    struct smtp *smtp, struct session *session, uint16_t code, const struct line *line)
{
	smtp_set_starttls_reply(session, code);
	if (code != 220)
		clue_add(session, CLUE_STARTTLS_ANSWER, line->bytes, answer_length(line));
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
	// 501: cancelled or garbled, 503, 504: not tried at all
	bool tried = !smtp->cancelled && code != 501 && code != 503 && code != 504;
	smtp->client = CLIENT_COMMANDS;
	smtp->cancelled = false;
	if (code / 100 == 2) {
		session_login_ends(session, true);
		session_clear_accepted(session);
	} else if (tried) {
		session_login_ends(session, false);
	}
	return FEED_RELEASE;
}

static enum feed_next data_answered(struct smtp *smtp, struct session *session, uint16_t code)
{
	if (code == 354)
		smtp_body_begins(smtp, session, false);
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

// The bit of the extension that a line of a list names; 0: of none.
static unsigned extension_bit(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < EXTENSIONS; i++)
		if (bytes[0] == (uint8_t)extensions[i][0] &&
		    capabilities_have(bytes, length, extensions[i]))
			return 1u << i;
	return 0;
}

// A whole reply with keywords that only EHLO brings, and nothing that looks like an address, while
// the client's side is not seen.
static bool is_ehlo_reply(const struct smtp *smtp)
{
	const uint8_t *bytes = smtp->list.bytes;
	unsigned known = 0;
	size_t length = smtp->list.length;
	for (size_t start = 0, end; start < length; start = end + 1) {
		const uint8_t *newline = memchr(bytes + start, '\n', length - start);
		end = newline != NULL ? (size_t)(newline - bytes) : length;
		if (end > start)
			known |= extension_bit(bytes + start, end - start);
	}
	return (known & (known - 1)) != 0 && memchr(bytes, '@', length) == NULL;
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
		smtp_body_begins(smtp, session, false);
		return;
	}
	if (!dialogue_is_incomplete(session))
		return;
	smtp->unasked_220 = code == 220;
	smtp->further_220 |= code == 220;
	if (capabilities_have(smtp->list.bytes, smtp->list.length, "STARTTLS"))
		smtp_doubt_missing_offer(session);
	if (code == 250 && is_ehlo_reply(smtp))
		ehlo_done(smtp, session);
	if (code == 334)
		smtp->client = CLIENT_SASL;
	else if (smtp->client == CLIENT_LOST)
		smtp->client = CLIENT_ANSWERED;
}

void smtp_forget_refusal(struct smtp *smtp, struct session *session)
{
	text_release(session->shared->texts, smtp->ehlo_refusal);
	smtp->ehlo_refusal = NULL;
}

static void ehlo_answered(
    struct smtp *smtp, struct session *session, uint16_t code, const struct line *line)
{
	smtp_forget_refusal(smtp, session);
	if (code / 100 == 5)
		session_set_text(session, &smtp->ehlo_refusal, line->bytes, answer_length(line),
		    CLUE_LINE_MAX);
	if (code == 250)
		ehlo_done(smtp, session);
	else if (code == 500 || code == 501 || code == 502 || code == 504)
		ehlo_unknown(session);
}

static void helo_answered(struct smtp *smtp, struct session *session, uint16_t code)
{
	const struct text *refusal = smtp->ehlo_refusal;
	if (code != 250)
		return;
	if (session->esmtp != SEEN_YES && !smtp->ehlo_lost)
		session->esmtp = SEEN_NO;
	if (refusal != NULL)
		clue_add(session, CLUE_EHLO_REFUSED, refusal->bytes, refusal->length);
	smtp_forget_refusal(smtp, session);
}

// Codes of FTP's answers to USER and AUTH (RFC 959 5.4, RFC 4217 4), which SMTP does not have, from a
// server that has not answered a greeting.
static bool is_ftp(const struct session *session, uint16_t code)
{
	return session->esmtp == NOT_SEEN && (code == 331 || code == 234);
}

static enum feed_next command_answered(struct smtp *smtp, struct session *session,
    enum smtp_command command, uint16_t code, const struct line *line)
{
	switch (command) {
	case COMMAND_EHLO:
		ehlo_answered(smtp, session, code, line);
		break;
	case COMMAND_HELO:
		helo_answered(smtp, session, code);
		break;
	case COMMAND_GARBLED:
		if ((code == 500 || code == 502) && !smtp->pending.lost)
			garbled_command_refused(session, line);
		break;
	case COMMAND_STARTTLS:
		return starttls_answered(smtp, session, code, line);
	case COMMAND_AUTH:
	case COMMAND_SASL:
		return auth_answered(smtp, session, code);
	case COMMAND_MAIL:
		if (code == 250)
			session_clear_accepted(session);
		break;
	case COMMAND_RCPT:
		smtp->recipients = (uint16_t)(smtp->recipients + (code / 100 == 2));
		break;
	case COMMAND_DATA:
		return data_answered(smtp, session, code);
	case COMMAND_BODY:
	case COMMAND_BDAT_LAST:
	case COMMAND_BURL_LAST:
		if (code == 250)
			message_taken(smtp, session);
		break;
	case COMMAND_BDAT:
	case COMMAND_OTHER:
	case COMMAND_QUIT:
	case COMMAND_KINDS:
		break;
	}
	return FEED_MORE;
}

static enum feed_next reply_done(
    struct smtp *smtp, struct session *session, uint16_t code, const struct line *line)
{
	int command = commands_pop(&smtp->pending);
	smtp->unasked_220 = false;
	if (session_reads_messages(session))
		smtp_message_answered(smtp, session, command, code);
	if (is_ftp(session, code)) {
		session_becomes(session, PROTOCOL_FTP);
		return FEED_STOP;
	}
	if (command < 0) {
		bool in_body = smtp->client == CLIENT_BODY;
		reply_unasked(smtp, session, code, line);
		// Of a message that begins here what the client has said of a line is the beginning.
		return smtp->client == CLIENT_BODY && !in_body ? FEED_RELEASE : FEED_MORE;
	}
	smtp->after_ehlo = false;
	if (command != COMMAND_STARTTLS)
		note_refusal(smtp, session, code);
	return command_answered(smtp, session, (enum smtp_command)command, code, line);
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
	bool is_reply = line->length >= 3 && smtp_is_reply_prefix(line->bytes, line->length);
	bool continues = is_reply && line->length > 3 && line->bytes[3] == '-';
	if (awaits_greeting(session)) {
		greeting_line(smtp, session, line, continues);
		return FEED_MORE;
	}
	if (!is_reply) { // the first line of a list may stick to the end of something that is torn
		smtp->list.incomplete |= dialogue_is_incomplete(session);
		return FEED_MORE;
	}
	uint16_t code = (uint16_t)((line->bytes[0] - '0') * 100 + (line->bytes[1] - '0') * 10 +
	                           (line->bytes[2] - '0'));
	if (code >= 500 && refusal_asks_for_tls(session, line))
		smtp->reply_wants_tls = true;
	if (code >= 400 && session_reads_messages(session))
		smtp_message_refusal_line(smtp, code, line);
	if (code == 250 && collects_capabilities(smtp, session))
		ehlo_line(smtp, session, line);
	smtp->reply_lines++;
	if (continues)
		return FEED_MORE;
	enum feed_next next = reply_done(smtp, session, code, line);
	if (smtp->list.length > 0 || smtp->list.incomplete)
		capability_list_clear(session, &smtp->list);
	smtp->reply_lines = 0;
	smtp->reply_wants_tls = false;
	return next;
}

struct feed_result smtp_feed_server(
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
