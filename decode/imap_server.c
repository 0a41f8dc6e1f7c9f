// SPDX-License-Identifier: Apache-2.0
// The server's side of an IMAP dialogue: greeting, capabilities, answers, and messages that are fetched.
#include "decode/imap_message.h"

#include <string.h>

// Capabilities as words of `line` from `position` on, up to its end or a closing bracket.
static void take_capabilities(
    struct imap *imap, struct session *session, const struct line *line, size_t position)
{
	struct capability_list list = {0};
	struct line word;
	if (imap->after_lost_ok)
		return;
	while (line_word(line, &position, &word)) {
		const uint8_t *bracket = memchr(word.bytes, ']', word.length);
		if (bracket != NULL)
			word.length = (size_t)(bracket - word.bytes);
		capability_list_add(session, &list, word.bytes, word.length);
		if (bracket != NULL)
			break;
	}
	list.incomplete |= line->overlong;
	// A server may list them anew before it says that the log-in succeeded.
	bool logging_in = commands_have(&imap->pending, COMMAND_LOGIN) ||
	                  commands_have(&imap->pending, COMMAND_AUTHENTICATE);
	if (!logging_in || capabilities_have(list.bytes, list.length, "STARTTLS"))
		session_note_offer(session, &list, "STARTTLS");
	session_set_capabilities(session, &list);
}

// "* OK [CAPABILITY IMAP4rev1 ...] text", "a OK [CAPABILITY ...] done": RFC 3501 7.1. `position`:
// behind the OK.
static void take_response_code(
    struct imap *imap, struct session *session, const struct line *line, size_t position)
{
	struct line word;
	if (line_word(line, &position, &word) &&
	    bytes_equal_keyword(word.bytes, word.length, "[CAPABILITY"))
		take_capabilities(imap, session, line, position);
}

static void login_answered(
    struct imap *imap, struct session *session, int command, bool ok, const struct line *line)
{
	if (command == COMMAND_LOGIN && imap->after_client_gap)
		imap_login_sent(session);
	if (session->login_tried && !imap->cancelled)
		session_login_ends(session, ok);
	imap->cancelled = false;
	if (ok)
		session_clear_accepted(session);
	else if (refusal_asks_for_tls(session, line))
		session->tls_required_by_server = SEEN_YES;
}

static enum feed_next starttls_answered(
    struct session *session, bool ok, const struct line *status, const struct line *line)
{
	if (!ok)
		clue_add(session, CLUE_STARTTLS_ANSWER, line->bytes, answer_length(line));
	session->starttls_requested = SEEN_YES;
	session->starttls_accepted = ok ? SEEN_YES : SEEN_NO;
	memcpy(session->starttls_reply, ok ? "OK\0" : status->length == 2 ? "NO\0" : "BAD", 4);
	return ok ? FEED_UPGRADE : FEED_RELEASE;
}

// Whatever the client is held for is over once the command is answered.
static enum feed_next client_released(struct imap *imap)
{
	switch ((enum client_state)imap->client) {
	case CLIENT_AWAITS_STARTTLS:
	case CLIENT_AWAITS_LITERAL:
	case CLIENT_AWAITS_AUTH:
	case CLIENT_AWAITS_COMPRESS:
	case CLIENT_SASL:
		imap->client = CLIENT_COMMANDS;
		return FEED_RELEASE;
	case CLIENT_LOST:
		imap->client = CLIENT_COMMANDS;
		return FEED_MORE;
	case CLIENT_COMMANDS:
	case CLIENT_CONTINUES:
	case CLIENT_LITERAL_DUE:
	case CLIENT_LITERAL_UNANSWERED:
	case CLIENT_SASL_UNANSWERED:
		break;
	}
	return FEED_MORE;
}

// Behind a gap a line may be one of a message, and say anything. It is a response for sure where no
// message can be on its way: before the log-in, or where no command that brings one waits.
static bool resumes(const struct imap *imap, const struct session *session, int command)
{
	bool before_login = command == COMMAND_LOGIN || command == COMMAND_AUTHENTICATE ||
	                    command == COMMAND_STARTTLS;
	return command >= 0 && !commands_have(&imap->pending, COMMAND_FETCH) &&
	       (before_login || !session->dialogue_gap[FROM_CLIENT]);
}

// A tag and no status (RFC 3501 7.1 has OK, NO and BAD). It is an answer all the same where the client
// waits for one to STARTTLS.
static enum feed_next illegal_response(
    struct imap *imap, struct session *session, uint32_t tag, const struct line *line)
{
	if (imap->server == SERVER_LOST || imap->client != CLIENT_AWAITS_STARTTLS ||
	    commands_kind_of_tag(&imap->pending, tag) != COMMAND_STARTTLS)
		return FEED_MORE;
	commands_pop_tag(&imap->pending, tag);
	starttls_answer_unclear(session, line);
	imap->client = CLIENT_COMMANDS;
	return FEED_RELEASE;
}

// "tag OK|NO|BAD text". A tag that no waiting command has is the answer to a lost one.
static enum feed_next tagged_response(
    struct imap *imap, struct session *session, const struct line *tag, const struct line *line)
{
	size_t position = tag->length;
	struct line status;
	if (!line_word(line, &position, &status))
		return FEED_MORE;
	bool ok = bytes_equal_keyword(status.bytes, status.length, "OK");
	bool bad = bytes_equal_keyword(status.bytes, status.length, "BAD");
	uint32_t hash = imap_tag_hash(tag);
	if (!ok && !bad && !bytes_equal_keyword(status.bytes, status.length, "NO"))
		return illegal_response(imap, session, hash, line);
	int command = commands_kind_of_tag(&imap->pending, hash);
	if (imap->server == SERVER_LOST) {
		if (!resumes(imap, session, command))
			return FEED_MORE;
		imap->server = SERVER_RESPONSES;
	}
	if (command < 0 && imap->client != CLIENT_LOST)
		return FEED_MORE;
	commands_pop_tag(&imap->pending, hash);
	if (command == COMMAND_LOGIN || command == COMMAND_AUTHENTICATE)
		login_answered(imap, session, command, ok, line);
	if (ok)
		take_response_code(imap, session, line, position);
	imap->after_lost_ok |= command < 0 && ok;
	if (command == COMMAND_GARBLED && bad)
		garbled_command_refused(session, line);
	if (command == COMMAND_STARTTLS && imap->client == CLIENT_AWAITS_STARTTLS) {
		imap->client = CLIENT_COMMANDS;
		return starttls_answered(session, ok, &status, line);
	}
	if (command == COMMAND_COMPRESS && ok)
		return FEED_STOP; // RFC 4978: nothing can be read from here on
	return hash == imap->tag || imap->client == CLIENT_LOST ? client_released(imap) : FEED_MORE;
}

// "+": the server asks for the literal or for the next line of the authentication.
static enum feed_next continuation(struct imap *imap)
{
	if (imap->client == CLIENT_AWAITS_LITERAL) {
		commands_pop_tag(&imap->pending, imap->tag);
		imap->client = CLIENT_LITERAL_DUE;
		return FEED_RELEASE;
	}
	if (imap->client == CLIENT_AWAITS_AUTH) {
		imap->client = CLIENT_SASL;
		return FEED_RELEASE;
	}
	return FEED_MORE;
}

// The first line of a server that was heard from its beginning, whatever it looks like.
static void greeting(
    struct imap *imap, struct session *session, const struct line *line, bool regular)
{
	size_t position = regular ? 1 : 0;
	struct line status;
	session->greeted = true;
	session->greeting_irregular = !regular;
	session_set_text(session, &session->server_banner, line->bytes, line->length, BANNER_MAX);
	if (imap->server == SERVER_LOST || !line_word(line, &position, &status))
		return;
	session->greeting_preauth =
	    regular && bytes_equal_keyword(status.bytes, status.length, "PREAUTH");
	take_response_code(imap, session, line, position);
}

static bool awaits_greeting(const struct session *session)
{
	return !session->greeted && !session->dialogue_gap[FROM_SERVER];
}

// True if the item right before a literal or string is a message or its text, not only headers.
static bool holds_message(const struct line *line)
{
	static const char *const items[] = {
	    "BODY[]", "BODY[TEXT]", "BODY[1]", "RFC822", "RFC822.TEXT", "BINARY[]", "BINARY[1]"};
	size_t position = 0;
	struct line word;
	while (line_word(line, &position, &word)) {
		while (word.length > 0 && word.bytes[0] == '(') {
			word.bytes++;
			word.length--;
		}
		const uint8_t *partial = memchr(word.bytes, '<', word.length);
		if (partial != NULL)
			word.length = (size_t)(partial - word.bytes);
		for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
			if (bytes_equal_keyword(word.bytes, word.length, items[i]))
				return true;
	}
	return false;
}

// A line of a FETCH response: counts its message once, however many parts it comes in.
static void fetch_line(struct imap *imap, struct session *session, const struct line *line)
{
	if (imap->message_in_response || !holds_message(line))
		return;
	imap->message_in_response = true;
	session->messages++;
	session_mail_begins(session);
}

static enum feed_next untagged_response(
    struct imap *imap, struct session *session, const struct line *line)
{
	size_t position = 1;
	struct line word, second;
	if (!line_word(line, &position, &word))
		return FEED_MORE;
	if (bytes_equal_keyword(word.bytes, word.length, "CAPABILITY"))
		take_capabilities(imap, session, line, position);
	else if (bytes_equal_keyword(word.bytes, word.length, "OK"))
		take_response_code(imap, session, line, position);
	else if (line_word(line, &position, &second) &&
	         bytes_equal_keyword(second.bytes, second.length, "FETCH")) {
		imap->in_fetch = true;
		fetch_line(imap, session, line);
	}
	return FEED_MORE;
}

static enum feed_next response_line(
    struct imap *imap, struct session *session, const struct line *line)
{
	size_t position = 0;
	struct line tag;
	if (imap->server == SERVER_CONTINUES) {
		if (imap->in_fetch)
			fetch_line(imap, session, line);
		return FEED_MORE;
	}
	imap->message_in_response = imap->in_fetch = false;
	if (!line_word(line, &position, &tag))
		return FEED_MORE;
	bool untagged = tag.bytes == line->bytes && tag.length == 1 && tag.bytes[0] == '*';
	if (awaits_greeting(session)) {
		greeting(imap, session, line, untagged);
		return FEED_MORE;
	}
	if (untagged)
		return imap->server == SERVER_LOST ? FEED_MORE
		                                   : untagged_response(imap, session, line);
	if (tag.bytes == line->bytes && tag.bytes[0] == '+')
		return imap->server == SERVER_LOST ? FEED_MORE : continuation(imap);
	return tagged_response(imap, session, &tag, line);
}

static struct feed_result server_line(
    struct imap *imap, struct session *session, const struct line *line)
{
	struct imap_literal literal;
	enum feed_next next = response_line(imap, session, line);
	if (next != FEED_MORE || imap->server == SERVER_LOST)
		return next_is(next);
	bool announced = imap_line_announces_literal(line, &literal);
	if (imap->in_fetch && session_reads_messages(session))
		imap_message_fetch_line(imap, session, line, announced ? &literal : NULL);
	if (!announced) {
		imap->server = SERVER_RESPONSES;
		return next_is(FEED_MORE);
	}
	if (imap->message_in_response)
		session->message_bytes += literal.size;
	imap->server = SERVER_CONTINUES;
	return (struct feed_result){
	    .next = literal.size > 0 ? FEED_SKIP : FEED_MORE, .skip = literal.size};
}

struct feed_result imap_feed_server(
    struct imap *imap, struct session *session, const struct chunk *chunk)
{
	size_t used = 0;
	struct line line;
	for (;;) {
		switch (line_step(&imap->readers[FROM_SERVER], session, chunk, &used, &line)) {
		case LINE_STEP_WAIT:
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		case LINE_STEP_UPGRADE:
			return upgrade_inferred(session, used);
		case LINE_STEP_LINE:
			break;
		}
		struct feed_result result = server_line(imap, session, &line);
		result.consumed = used;
		if (result.next != FEED_MORE)
			return result;
	}
}
