// SPDX-License-Identifier: Apache-2.0
// The client's side of an IMAP dialogue: commands, literals and log-ins.
#include "decode/imap_message.h"

#include <string.h>

void imap_login_sent(struct session *session)
{
	session_login_begins(session, (const uint8_t *)"LOGIN-COMMAND", strlen("LOGIN-COMMAND"));
	session_credentials_sent(session);
}

// The command's last line was read: what it asks for can count.
static struct feed_result command_complete(struct imap *imap, struct session *session)
{
	imap->client = CLIENT_COMMANDS;
	commands_push(&imap->pending, imap->command, imap->tag);
	if (imap->command == COMMAND_AUTHENTICATE) {
		imap->client = CLIENT_AWAITS_AUTH;
		return next_is(FEED_HOLD);
	}
	if (imap->command == COMMAND_STARTTLS) {
		if (!imap->after_client_gap)
			session->starttls_requested = SEEN_YES;
		imap->client = CLIENT_AWAITS_STARTTLS;
		return next_is(FEED_HOLD);
	}
	if (imap->command == COMMAND_COMPRESS) {
		imap->client = CLIENT_AWAITS_COMPRESS;
		return next_is(FEED_HOLD);
	}
	if (imap->command == COMMAND_LOGIN && !imap->after_client_gap)
		imap_login_sent(session);
	return next_is(FEED_MORE);
}

static void literal_begins(struct imap *imap, struct session *session, uint64_t size)
{
	if (session_reads_messages(session))
		imap_message_append_literal(imap, session, size);
}

// The end of a line of a command: the command's end, or a literal first.
static struct feed_result command_line_end(
    struct imap *imap, struct session *session, const struct line *line)
{
	struct imap_literal literal;
	if (!imap_line_announces_literal(line, &literal))
		return command_complete(imap, session);
	if (imap->command == COMMAND_APPEND)
		session_mail_begins(session);
	if (literal.waits) {
		imap->client = CLIENT_AWAITS_LITERAL;
		imap->literal = literal.size;
		commands_push(&imap->pending, imap->command, imap->tag);
		return next_is(FEED_HOLD);
	}
	imap->client = CLIENT_CONTINUES;
	literal_begins(imap, session, literal.size);
	return (struct feed_result){
	    .next = literal.size > 0 ? FEED_SKIP : FEED_MORE, .skip = literal.size};
}

// STARTTLS behind a tag, as something on the path left it. Only where a client would say it, and
// nothing but the word: nothing else that looks like it is ever kept.
static bool is_garbled(const struct session *session, const struct line *line, size_t position,
    const struct line *word)
{
	struct line rest;
	return !session->client_confided && !dialogue_is_incomplete(session) &&
	       is_garbled_keyword(session, word, "STARTTLS") && !line_word(line, &position, &rest);
}

static enum imap_command command_of(
    struct session *session, const struct line *line, size_t position, const struct line *word)
{
	const struct imap_verb *verb = imap_verb_of(word);
	if (verb != NULL)
		return verb->command;
	if (!is_garbled(session, line, position, word))
		return COMMAND_FETCH;
	clue_add(session, CLUE_GARBLED_COMMAND, word->bytes, word->length);
	return COMMAND_GARBLED;
}

static bool confides(enum imap_command command)
{
	return command != COMMAND_CAPABILITY && command != COMMAND_STARTTLS &&
	       command != COMMAND_GARBLED;
}

static struct feed_result client_command(
    struct imap *imap, struct session *session, const struct line *line)
{
	size_t position = 0;
	struct line tag, word, mechanism, response;
	if (!line_word(line, &position, &tag) || !line_word(line, &position, &word)) {
		session->client_confided = true;
		return next_is(FEED_MORE); // DONE of IDLE, an empty line
	}
	enum imap_command command = command_of(session, line, position, &word);
	session->client_spoke = true;
	session->client_confided |= confides(command);
	imap->tag = imap_tag_hash(&tag);
	imap->command = (uint8_t)command;
	if (imap_verb_of(&word) != NULL)
		imap->after_lost_ok = false; // it goes on in the clear
	session->capabilities_asked |= imap->command == COMMAND_CAPABILITY;
	if (imap->command == COMMAND_AUTHENTICATE && line_word(line, &position, &mechanism)) {
		session_login_begins(session, mechanism.bytes, mechanism.length);
		if (line_word(line, &position, &response) && response.bytes[0] != '=')
			session_credentials_sent(session);
	}
	if (imap->command == COMMAND_APPEND && session_reads_messages(session))
		imap_message_append_line(imap, session, line, position, true);
	return command_line_end(imap, session, line);
}

static struct feed_result client_sasl_line(
    struct imap *imap, struct session *session, const struct line *line)
{
	imap->cancelled = line->length == 1 && line->bytes[0] == '*';
	if (!imap->cancelled && line->length > 0)
		session_credentials_sent(session);
	imap->client = CLIENT_AWAITS_AUTH;
	return next_is(FEED_HOLD);
}

static struct feed_result client_line(
    struct imap *imap, struct session *session, const struct line *line)
{
	switch ((enum client_state)imap->client) {
	case CLIENT_COMMANDS:
		return client_command(imap, session, line);
	case CLIENT_CONTINUES:
		if (imap->command == COMMAND_APPEND && session_reads_messages(session))
			imap_message_append_line(imap, session, line, 0, false);
		return command_line_end(imap, session, line);
	case CLIENT_SASL:
		return client_sasl_line(imap, session, line);
	case CLIENT_SASL_UNANSWERED:
		if (memchr(line->bytes, ' ', line->length) == NULL) {
			if (line->length > 1)
				session_credentials_sent(session);
			return next_is(FEED_MORE);
		}
		imap->client = CLIENT_COMMANDS;
		return client_command(imap, session, line);
	case CLIENT_AWAITS_STARTTLS:
	case CLIENT_AWAITS_LITERAL:
	case CLIENT_LITERAL_DUE:
	case CLIENT_LITERAL_UNANSWERED:
	case CLIENT_AWAITS_AUTH:
	case CLIENT_AWAITS_COMPRESS:
	case CLIENT_LOST:
		break;
	}
	return next_is(FEED_MORE);
}

// The server's answer to an announced literal was lost. What looks like a command is not taken for
// the literal, nor for a command, as it may be either. False: too few bytes to say.
static bool tell_literal(
    struct imap *imap, struct session *session, const uint8_t *bytes, size_t length)
{
	enum recognised command = imap_recognise_client(bytes, length, true);
	if (command == RECOGNISED_MAYBE && length < imap->literal)
		return false;
	imap->client = CLIENT_LITERAL_DUE;
	if (command != RECOGNISED_NO) {
		imap->client = CLIENT_LOST;
		imap->after_client_gap = true;
		session->dialogue_gap[FROM_CLIENT] = true;
	}
	return true;
}

struct feed_result imap_feed_client(
    struct imap *imap, struct session *session, const struct chunk *chunk)
{
	size_t used = 0;
	struct line line;
	for (;;) {
		if (imap->client == CLIENT_LITERAL_UNANSWERED &&
		    !tell_literal(imap, session, chunk->bytes + used, chunk->length - used))
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		if (imap->client == CLIENT_LITERAL_DUE) {
			imap->client = CLIENT_CONTINUES;
			literal_begins(imap, session, imap->literal);
			if (imap->literal > 0)
				return (struct feed_result){
				    .next = FEED_SKIP, .consumed = used, .skip = imap->literal};
		}
		switch (line_step(&imap->readers[FROM_CLIENT], session, chunk, &used, &line)) {
		case LINE_STEP_WAIT:
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		case LINE_STEP_UPGRADE:
			return upgrade_inferred(session, used);
		case LINE_STEP_LINE:
			break;
		}
		struct feed_result result = client_line(imap, session, &line);
		result.consumed = used;
		if (result.next != FEED_MORE)
			return result;
	}
}
