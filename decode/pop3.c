// SPDX-License-Identifier: Apache-2.0
// POP3 as a tap hears it: RFC 1939, with CAPA (2449), STLS (2595) and AUTH (5034). Replies pair with
// commands by order; multi-line replies end with a dot. Reads over messages, never keeps a user name
// or a secret. One state per connection, pushed from both sides by dialogue.c.
#include "capture/base/ascii.h"
#include "decode/access_message.h"
#include "decode/commands.h"
#include "decode/line_protocol.h"

#include <string.h>

enum pop3_command {
	COMMAND_OTHER,
	COMMAND_CAPA,
	COMMAND_STLS,
	COMMAND_GARBLED, // what is left of STLS
	COMMAND_PASS,
	COMMAND_APOP,
	COMMAND_AUTH,
	COMMAND_AUTH_LIST, // AUTH alone: lists the mechanisms
	COMMAND_SASL,
	COMMAND_RETR,
	COMMAND_TOP,
	COMMAND_LISTING, // LIST, UIDL without an argument, LANG and the like
};

enum client_state {
	CLIENT_COMMANDS,
	CLIENT_AWAITS_STLS,
	CLIENT_AWAITS_AUTH,
	CLIENT_SASL, // one line of an authentication exchange
	CLIENT_SASL_UNANSWERED, // the same, with the server's side unseen
	CLIENT_LOST, // after a gap, until the server answers something
};

enum server_state {
	SERVER_REPLIES,
	SERVER_CAPABILITIES, // lines of CAPA up to the dot
	SERVER_MESSAGE, // lines of a message up to the dot
	SERVER_LISTING, // other lines up to the dot
	SERVER_LOST, // after a gap, until the client asks something new
};

struct pop3 {
	uint8_t client; // enum client_state
	uint8_t server; // enum server_state
	bool gap_in_message;
	bool cancelled; // the authentication, by the client
	struct line_reader readers[2];
	uint32_t message_number; // of messages read so far; with access_message.h alone
	uint64_t message_bytes;
	struct commands pending;
	uint32_t
	    top_lines; // 1 and the fewest that a TOP asked for which may be answered; 0: none did
	struct capability_list list;
	struct access_message *message; // on its way; with access_message.h alone
};

struct verb {
	const char *text;
	enum pop3_command command; // with an argument, or where that makes no difference
	enum pop3_command without_argument;
};

static const struct verb verbs[] = {
    {"CAPA", COMMAND_CAPA, COMMAND_CAPA},
    {"STLS", COMMAND_STLS, COMMAND_STLS},
    {"USER", COMMAND_OTHER, COMMAND_OTHER},
    {"PASS", COMMAND_PASS, COMMAND_PASS},
    {"APOP", COMMAND_APOP, COMMAND_APOP},
    {"AUTH", COMMAND_AUTH, COMMAND_AUTH_LIST},
    {"RETR", COMMAND_RETR, COMMAND_RETR},
    {"TOP", COMMAND_TOP, COMMAND_TOP},
    {"LIST", COMMAND_OTHER, COMMAND_LISTING},
    {"UIDL", COMMAND_OTHER, COMMAND_LISTING},
    {"LANG", COMMAND_OTHER, COMMAND_LISTING},
    {"STAT", COMMAND_OTHER, COMMAND_OTHER},
    {"DELE", COMMAND_OTHER, COMMAND_OTHER},
    {"NOOP", COMMAND_OTHER, COMMAND_OTHER},
    {"RSET", COMMAND_OTHER, COMMAND_OTHER},
    {"LAST", COMMAND_OTHER, COMMAND_OTHER},
    {"UTF8", COMMAND_OTHER, COMMAND_OTHER},
    {"XTND", COMMAND_OTHER, COMMAND_OTHER},
    {"QUIT", COMMAND_OTHER, COMMAND_OTHER},
};

static const struct verb *find_verb(const struct line *line)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (line_starts(line, verbs[i].text))
			return &verbs[i];
	return NULL;
}

/* ---- first look ---- */

static enum recognised matches(const uint8_t *bytes, size_t length, const char *text)
{
	size_t wanted = strlen(text);
	if (bytes_begin_keyword(bytes, length, text) == PREFIX_NONE)
		return RECOGNISED_NO;
	if (length <= wanted)
		return RECOGNISED_MAYBE;
	return bytes[wanted] == ' ' || bytes[wanted] == '\r' || bytes[wanted] == '\n'
	           ? RECOGNISED_YES
	           : RECOGNISED_NO;
}

static enum recognised pop3_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	(void)from_start;
	if (from == FROM_SERVER) {
		enum recognised ok = matches(bytes, length, "+OK");
		return ok != RECOGNISED_NO ? ok : matches(bytes, length, "-ERR");
	}
	enum recognised best = RECOGNISED_NO;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		bool telling = verbs[i].command == COMMAND_CAPA ||
		               verbs[i].command == COMMAND_STLS || verbs[i].command == COMMAND_APOP;
		enum recognised answer =
		    expected || telling ? matches(bytes, length, verbs[i].text) : RECOGNISED_NO;
		if (answer > best)
			best = answer;
	}
	return best;
}

static void pop3_begin(void *state, struct session *session)
{
	struct pop3 *pop3 = state;
	if (session->dialogue_gap[FROM_CLIENT])
		pop3->client = CLIENT_LOST;
	if (session->dialogue_gap[FROM_SERVER])
		pop3->server = SERVER_LOST;
}

/* ---- the client's side ---- */

static enum feed_next client_authenticates(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	size_t position = 4;
	struct line mechanism, response;
	if (!line_word(line, &position, &mechanism))
		return FEED_MORE; // AUTH alone
	session_login_begins(session, mechanism.bytes, mechanism.length);
	if (line_word(line, &position, &response) && response.bytes[0] != '=')
		session_credentials_sent(session);
	pop3->client = CLIENT_AWAITS_AUTH;
	return FEED_HOLD;
}

static void client_logs_in(struct session *session, const char *mechanism)
{
	session_login_begins(session, (const uint8_t *)mechanism, strlen(mechanism));
	session_credentials_sent(session);
}

static void message_begins(struct pop3 *pop3, struct session *session, bool is_top)
{
	session_mail_begins(session);
	if (!session_reads_messages(session))
		return;
	pop3->message = access_message_begin(session, &pop3->message_number,
	    is_top ? BY_TOP : BY_RETR, is_top ? PART_BEGINNING : PART_WHOLE);
}

// TOP message lines. Of several that wait it is not asked which is answered: the fewest lines count.
static void note_top(struct pop3 *pop3, const struct line *line)
{
	size_t position = strlen("TOP");
	struct line message, lines;
	uint64_t count = 0; // less than 10^9, which no message has
	if (line_word(line, &position, &message) && line_word(line, &position, &lines))
		for (size_t i = 0; i < lines.length && i < 9 && is_digit(lines.bytes[i]); i++)
			count = count * 10 + (uint64_t)(lines.bytes[i] - '0');
	bool alone = pop3->server != SERVER_MESSAGE && !commands_have(&pop3->pending, COMMAND_TOP);
	if (alone || pop3->top_lines == 0 || count + 1 < pop3->top_lines)
		pop3->top_lines = (uint32_t)count + 1;
}

// The dot has come. A TOP that brings fewer lines of a body than it asked for brings all of them.
static void message_ends(struct pop3 *pop3, struct session *session)
{
	if (access_message_body_lines(pop3->message) + 1 < pop3->top_lines)
		access_message_is(pop3->message, PART_WHOLE);
	access_message_end(session, &pop3->message, !pop3->gap_in_message);
}

static void message_done(struct pop3 *pop3, struct session *session)
{
	if (pop3->message != NULL)
		message_ends(pop3, session);
	session->messages++;
	session->message_bytes += pop3->message_bytes;
	pop3->server = SERVER_REPLIES;
	pop3->gap_in_message = false;
}

// A new command: whatever was lost of the last reply is over, its dot too.
static void server_is_asked(struct pop3 *pop3, struct session *session)
{
	if (pop3->server == SERVER_MESSAGE && pop3->gap_in_message)
		message_done(pop3, session);
	else if (pop3->server == SERVER_LOST)
		pop3->server = SERVER_REPLIES;
}

// STLS as something on the path left it. Only where a client would say it: nothing else that looks like
// it is ever kept.
static bool is_garbled(const struct session *session, const struct line *line)
{
	return !session->client_confided && !dialogue_is_incomplete(session) &&
	       is_garbled_keyword(session, line, "STLS");
}

static enum pop3_command command_of(struct session *session, const struct line *line)
{
	const struct verb *verb = find_verb(line);
	size_t position = verb != NULL ? strlen(verb->text) : 0;
	struct line argument;
	if (verb != NULL)
		return line_word(line, &position, &argument) ? verb->command
		                                             : verb->without_argument;
	if (!is_garbled(session, line))
		return COMMAND_OTHER;
	clue_add(session, CLUE_GARBLED_COMMAND, line->bytes, line->length);
	return COMMAND_GARBLED;
}

static enum feed_next client_command(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	enum pop3_command command = command_of(session, line);
	session->client_spoke = true;
	session->client_confided |=
	    command != COMMAND_CAPA && command != COMMAND_STLS && command != COMMAND_GARBLED;
	server_is_asked(pop3, session);
	if (command == COMMAND_TOP)
		note_top(pop3, line);
	commands_push(&pop3->pending, (uint8_t)command, 0);
	switch (command) {
	case COMMAND_CAPA:
		session->capabilities_asked = true;
		break;
	case COMMAND_STLS:
		session->starttls_requested = SEEN_YES;
		pop3->client = CLIENT_AWAITS_STLS;
		return FEED_HOLD;
	case COMMAND_AUTH:
		return client_authenticates(pop3, session, line);
	case COMMAND_PASS:
		client_logs_in(session, "USER");
		return FEED_MORE;
	case COMMAND_APOP:
		client_logs_in(session, "APOP");
		return FEED_MORE;
	case COMMAND_OTHER:
	case COMMAND_GARBLED:
	case COMMAND_AUTH_LIST:
	case COMMAND_SASL:
	case COMMAND_RETR:
	case COMMAND_TOP:
	case COMMAND_LISTING:
		break;
	}
	return FEED_MORE;
}

static enum feed_next client_sasl_line(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	pop3->cancelled = line->length == 1 && line->bytes[0] == '*';
	if (!pop3->cancelled && line->length > 0)
		session_credentials_sent(session);
	commands_push(&pop3->pending, COMMAND_SASL, 0);
	pop3->client = CLIENT_AWAITS_AUTH;
	return FEED_HOLD;
}

static enum feed_next client_line(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	switch ((enum client_state)pop3->client) {
	case CLIENT_COMMANDS:
		return client_command(pop3, session, line);
	case CLIENT_SASL:
		return client_sasl_line(pop3, session, line);
	case CLIENT_SASL_UNANSWERED:
		if (find_verb(line) == NULL) {
			if (line->length > 1)
				session_credentials_sent(session);
			return FEED_MORE;
		}
		pop3->client = CLIENT_COMMANDS;
		return client_command(pop3, session, line);
	case CLIENT_AWAITS_STLS:
	case CLIENT_AWAITS_AUTH:
	case CLIENT_LOST:
		break;
	}
	return FEED_MORE;
}

/* ---- the server's side ---- */

static enum feed_next auth_answered(struct pop3 *pop3, struct session *session, bool accepted)
{
	pop3->client = CLIENT_COMMANDS;
	if (accepted)
		session_clear_accepted(session);
	if (!pop3->cancelled)
		session_login_ends(session, accepted);
	pop3->cancelled = false;
	return FEED_RELEASE;
}

static enum feed_next reply_done(
    struct pop3 *pop3, struct session *session, bool ok, const struct line *line)
{
	int command = commands_pop(&pop3->pending);
	if (!ok && command >= 0 && command != COMMAND_STLS && refusal_asks_for_tls(session, line))
		session->tls_required_by_server = SEEN_YES;
	switch (command) {
	case COMMAND_CAPA:
		pop3->server = ok ? SERVER_CAPABILITIES : SERVER_REPLIES;
		break;
	case COMMAND_STLS:
		memcpy(session->starttls_reply, ok ? "+OK" : "-ERR", ok ? 4 : 5);
		session->starttls_accepted = ok ? SEEN_YES : SEEN_NO;
		if (!ok)
			clue_add(session, CLUE_STARTTLS_ANSWER, line->bytes, answer_length(line));
		pop3->client = CLIENT_COMMANDS;
		return ok ? FEED_UPGRADE : FEED_RELEASE;
	case COMMAND_GARBLED:
		if (!ok && !pop3->pending.lost)
			garbled_command_refused(session, line);
		break;
	case COMMAND_AUTH:
	case COMMAND_SASL:
		return auth_answered(pop3, session, ok);
	case COMMAND_PASS:
	case COMMAND_APOP:
		auth_answered(pop3, session, ok);
		break;
	case COMMAND_RETR:
	case COMMAND_TOP:
		pop3->server = ok ? SERVER_MESSAGE : SERVER_REPLIES;
		pop3->message_bytes = 0;
		if (ok)
			message_begins(pop3, session, command == COMMAND_TOP);
		break;
	case COMMAND_LISTING:
	case COMMAND_AUTH_LIST:
		pop3->server = ok ? SERVER_LISTING : SERVER_REPLIES;
		break;
	default: // nothing asked for it: its command was lost, and whether lines follow is unknown
		if (command < 0 && dialogue_is_incomplete(session)) {
			pop3->server = SERVER_LOST;
			if (pop3->client == CLIENT_LOST)
				pop3->client = CLIENT_COMMANDS;
		}
		break;
	}
	return FEED_MORE;
}

static enum feed_next single_line(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	bool ok = line_starts(line, "+OK");
	if (!session->greeted && !session->dialogue_gap[FROM_SERVER]) {
		session->greeted = true;
		session_set_text(
		    session, &session->server_banner, line->bytes, line->length, BANNER_MAX);
		return FEED_MORE;
	}
	if (ok || line_starts(line, "-ERR"))
		return reply_done(pop3, session, ok, line);
	int command = commands_oldest(&pop3->pending);
	if (line->length > 0 && line->bytes[0] == '+' &&
	    (command == COMMAND_AUTH || command == COMMAND_SASL)) {
		commands_pop(&pop3->pending);
		pop3->client = CLIENT_SASL;
		return FEED_RELEASE;
	}
	if (command == COMMAND_STLS && line->length > 0) {
		commands_pop(&pop3->pending);
		starttls_answer_unclear(session, line);
		pop3->client = CLIENT_COMMANDS;
		return FEED_RELEASE;
	}
	return FEED_MORE;
}

// `dot_line`: bytes of the line with the dot, which is no part of the message.
static void multi_line_done(struct pop3 *pop3, struct session *session, unsigned dot_line)
{
	if (pop3->server == SERVER_CAPABILITIES) {
		session_note_offer(session, &pop3->list, "STLS");
		session_set_capabilities(session, &pop3->list);
	} else if (pop3->server == SERVER_MESSAGE) {
		pop3->message_bytes -= dot_line;
		message_done(pop3, session);
	}
	pop3->server = SERVER_REPLIES;
}

static enum feed_next server_line(
    struct pop3 *pop3, struct session *session, const struct line *line)
{
	if (pop3->server == SERVER_REPLIES)
		return single_line(pop3, session, line);
	if (pop3->server == SERVER_LOST) {
		if (pop3->client == CLIENT_LOST)
			pop3->client = CLIENT_COMMANDS;
		return FEED_MORE;
	}
	if (line->length == 1 && line->bytes[0] == '.') {
		multi_line_done(pop3, session, line->bare_lf ? 2 : 3);
	} else if (pop3->server == SERVER_CAPABILITIES) {
		capability_list_add(session, &pop3->list, line->bytes, line->length);
		pop3->list.incomplete |= line->overlong;
	}
	return FEED_MORE;
}

// Bytes of a message that is read, which end a line unless more of it must come.
static void message_step(struct pop3 *pop3, const uint8_t *bytes, size_t length,
    enum line_step step, const struct line *line)
{
	access_message_take_dotted(pop3->message, bytes, length);
	bool is_dot = step == LINE_STEP_LINE && line->length == 1 && line->bytes[0] == '.';
	if (step == LINE_STEP_LINE && !is_dot)
		access_message_line(pop3->message, line->length);
}

/* ---- what the dialogue calls ---- */

static struct feed_result pop3_feed(void *state, struct session *session, const struct chunk *chunk)
{
	struct pop3 *pop3 = state;
	const bool reads = session_reads_messages(session);
	size_t used = 0;
	struct line line;
	for (;;) {
		size_t before = used;
		enum line_step step =
		    line_step(&pop3->readers[chunk->from], session, chunk, &used, &line);
		if (chunk->from == FROM_SERVER && pop3->server == SERVER_MESSAGE) {
			pop3->message_bytes += used - before;
			if (reads && pop3->message != NULL)
				message_step(
				    pop3, chunk->bytes + before, used - before, step, &line);
		}
		switch (step) {
		case LINE_STEP_WAIT:
			return (struct feed_result){.next = FEED_MORE, .consumed = used};
		case LINE_STEP_UPGRADE:
			return upgrade_inferred(session, used);
		case LINE_STEP_LINE:
			break;
		}
		enum feed_next next = chunk->from == FROM_CLIENT
		                          ? client_line(pop3, session, &line)
		                          : server_line(pop3, session, &line);
		if (next != FEED_MORE)
			return (struct feed_result){.next = next, .consumed = used};
	}
}

static void pop3_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct pop3 *pop3 = state;
	pop3->readers[from] = (struct line_reader){0};
	commands_clear(&pop3->pending);
	if (from == FROM_CLIENT) {
		pop3->client = CLIENT_LOST;
	} else if (pop3->server == SERVER_MESSAGE) {
		pop3->message_bytes += length; // most likely still the message
		pop3->gap_in_message = true;
		if (pop3->message != NULL)
			access_message_take(pop3->message, NULL, length);
	} else {
		capability_list_clear(session, &pop3->list);
		session_forget_capabilities(session);
		pop3->server = SERVER_LOST;
	}
}

static void pop3_give_up_hold(void *state, struct session *session, enum direction held)
{
	struct pop3 *pop3 = state;
	(void)session;
	(void)held;
	commands_clear(&pop3->pending);
	pop3->client =
	    pop3->client == CLIENT_AWAITS_AUTH ? CLIENT_SASL_UNANSWERED : CLIENT_COMMANDS;
}

static void pop3_end(void *state, struct session *session)
{
	struct pop3 *pop3 = state;
	capability_list_clear(session, &pop3->list);
	if (pop3->message != NULL)
		access_message_end(session, &pop3->message, false);
}

const struct protocol_ops pop3_protocol = {
    .protocol = PROTOCOL_POP3,
    .state_size = sizeof(struct pop3),
    .recognise = pop3_recognise,
    .begin = pop3_begin,
    .feed = pop3_feed,
    .gap = pop3_gap,
    .give_up_hold = pop3_give_up_hold,
    .end = pop3_end,
};
