// SPDX-License-Identifier: Apache-2.0
// IMAP as a tap hears it: RFC 3501 and 9051, with literals (7888), SASL-IR (4959) and STARTTLS.
// Replies pair with commands by tag. Literals are read over by their length, so that neither a
// message nor a password in one is ever looked at. One state per connection, pushed from both sides
// by dialogue.c.
#include "capture/base/ascii.h"
#include "decode/commands.h"
#include "decode/line_protocol.h"

#include <string.h>

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
	uint64_t literal; // its size, while it is awaited
	struct line_reader readers[2];
	struct commands pending;
};

/* ---- words ---- */

// A tag's hash, never 0 (FNV-1a; what a client makes collide is its own pairing).
static uint32_t tag_hash(const struct line *tag)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < tag->length; i++)
		hash = (hash ^ tag->bytes[i]) * 16777619u;
	return hash | 1u;
}

struct literal {
	uint64_t size;
	bool waits; // synchronising: the client waits for "+" before it sends the octets
};

// A line that ends in {n}, {n+} or {n-} announces n octets (RFC 3501 4.3, RFC 7888). Also ~{n}.
static bool line_announces_literal(const struct line *line, struct literal *literal)
{
	size_t end = line->length;
	if (line->overlong || end < 3 || line->bytes[end - 1] != '}')
		return false;
	end--;
	uint8_t sign = line->bytes[end - 1];
	literal->waits = sign != '+' && sign != '-';
	if (!literal->waits)
		end--;
	size_t start = end;
	while (start > 0 && is_digit(line->bytes[start - 1]))
		start--;
	if (start == end || end - start > 18 || start == 0 || line->bytes[start - 1] != '{')
		return false;
	literal->size = 0;
	for (size_t i = start; i < end; i++)
		literal->size = literal->size * 10 + (uint64_t)(line->bytes[i] - '0');
	return true;
}

struct verb {
	const char *text;
	enum imap_command command;
	bool telling; // says IMAP even on a port that is not known for it
};

static const struct verb verbs[] = {
    {"CAPABILITY", COMMAND_CAPABILITY, true},
    {"STARTTLS", COMMAND_STARTTLS, true},
    {"LOGIN", COMMAND_LOGIN, true},
    {"AUTHENTICATE", COMMAND_AUTHENTICATE, true},
    {"APPEND", COMMAND_APPEND, false},
    {"COMPRESS", COMMAND_COMPRESS, false},
    {"ID", COMMAND_OTHER, false},
    {"NOOP", COMMAND_OTHER, false},
    {"LOGOUT", COMMAND_OTHER, false},
    {"SELECT", COMMAND_OTHER, false},
    {"EXAMINE", COMMAND_OTHER, false},
    {"LIST", COMMAND_OTHER, false},
    {"LSUB", COMMAND_OTHER, false},
    {"FETCH", COMMAND_FETCH, false},
    {"UID", COMMAND_FETCH, false},
    {"IDLE", COMMAND_OTHER, false},
    {"NAMESPACE", COMMAND_OTHER, false},
    {"ENABLE", COMMAND_OTHER, false},
    {"STATUS", COMMAND_OTHER, false},
    {"SEARCH", COMMAND_OTHER, false},
    {"STORE", COMMAND_OTHER, false},
    {"CLOSE", COMMAND_OTHER, false},
    {"EXPUNGE", COMMAND_OTHER, false},
};

static const struct verb *find_verb(const struct line *word)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (bytes_equal_keyword(word->bytes, word->length, verbs[i].text))
			return &verbs[i];
	return NULL;
}

/* ---- first look ---- */

static enum recognised begins_with(const uint8_t *bytes, size_t length, const char *text)
{
	static const enum recognised answers[] = {[PREFIX_NONE] = RECOGNISED_NO,
	    [PREFIX_PART] = RECOGNISED_MAYBE,
	    [PREFIX_WHOLE] = RECOGNISED_YES};
	return answers[bytes_begin_keyword(bytes, length, text)];
}

static enum recognised recognise_client(const uint8_t *bytes, size_t length, bool expected)
{
	enum { LOOK = 64 };
	size_t looked_at = length < LOOK ? length : LOOK;
	const uint8_t *end = memchr(bytes, '\n', looked_at);
	struct line line = {
	    .bytes = bytes, .length = end != NULL ? (size_t)(end - bytes) : looked_at};
	struct line tag, word;
	size_t position = 0;
	if (!line_word(&line, &position, &tag) || tag.bytes != bytes)
		return RECOGNISED_NO;
	for (size_t i = 0; i < tag.length; i++)
		if (tag.bytes[i] <= ' ' || tag.bytes[i] > '~')
			return RECOGNISED_NO;
	if (!line_word(&line, &position, &word))
		return length < LOOK && end == NULL ? RECOGNISED_MAYBE : RECOGNISED_NO;
	bool ended = position < line.length || end != NULL;
	if (word.length > 0 && word.bytes[word.length - 1] == '\r')
		word.length--;
	const struct verb *verb = find_verb(&word);
	if (ended)
		return verb != NULL && (expected || verb->telling) ? RECOGNISED_YES : RECOGNISED_NO;
	return length < LOOK ? RECOGNISED_MAYBE : RECOGNISED_NO;
}

static enum recognised imap_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	static const char *const greetings[] = {"* OK", "* PREAUTH", "* BYE", "* CAPABILITY"};
	if (from == FROM_CLIENT)
		return recognise_client(bytes, length, expected);
	enum recognised best = RECOGNISED_NO;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		enum recognised answer = begins_with(bytes, length, greetings[i]);
		if (answer > best)
			best = answer;
	}
	if (best == RECOGNISED_NO && expected && !from_start)
		best = begins_with(bytes, length, "* ");
	return best;
}

static void imap_begin(void *state, struct session *session)
{
	struct imap *imap = state;
	if (session->dialogue_gap[FROM_CLIENT]) {
		imap->client = CLIENT_LOST;
		imap->after_client_gap = true;
	}
	if (session->dialogue_gap[FROM_SERVER])
		imap->server = SERVER_LOST;
}

/* ---- the client's side ---- */

static struct feed_result next_is(enum feed_next next)
{
	return (struct feed_result){.next = next};
}

static void login_sent(struct session *session)
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
		login_sent(session);
	return next_is(FEED_MORE);
}

// The end of a line of a command: the command's end, or a literal first.
static struct feed_result command_line_end(
    struct imap *imap, struct session *session, const struct line *line)
{
	struct literal literal;
	if (!line_announces_literal(line, &literal))
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
	       is_garbled_keyword(session, word, "STARTTLS") &&
	       !line_word(line, &position, &rest);
}

static enum imap_command command_of(
    struct session *session, const struct line *line, size_t position, const struct line *word)
{
	const struct verb *verb = find_verb(word);
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
	imap->tag = tag_hash(&tag);
	imap->command = (uint8_t)command;
	if (find_verb(&word) != NULL)
		imap->after_lost_ok = false; // it goes on in the clear
	session->capabilities_asked |= imap->command == COMMAND_CAPABILITY;
	if (imap->command == COMMAND_AUTHENTICATE && line_word(line, &position, &mechanism)) {
		session_login_begins(session, mechanism.bytes, mechanism.length);
		if (line_word(line, &position, &response) && response.bytes[0] != '=')
			session_credentials_sent(session);
	}
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
	enum recognised command = recognise_client(bytes, length, true);
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

static struct feed_result feed_client(
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

/* ---- the server's side ---- */

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
		login_sent(session);
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
	uint32_t hash = tag_hash(tag);
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
	struct literal literal;
	enum feed_next next = response_line(imap, session, line);
	if (next != FEED_MORE || imap->server == SERVER_LOST)
		return next_is(next);
	if (!line_announces_literal(line, &literal)) {
		imap->server = SERVER_RESPONSES;
		return next_is(FEED_MORE);
	}
	if (imap->message_in_response)
		session->message_bytes += literal.size;
	imap->server = SERVER_CONTINUES;
	return (struct feed_result){
	    .next = literal.size > 0 ? FEED_SKIP : FEED_MORE, .skip = literal.size};
}

static struct feed_result feed_server(
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

/* ---- what the dialogue calls ---- */

static struct feed_result imap_feed(void *state, struct session *session, const struct chunk *chunk)
{
	return chunk->from == FROM_CLIENT ? feed_client(state, session, chunk)
	                                  : feed_server(state, session, chunk);
}

static void imap_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct imap *imap = state;
	(void)length;
	imap->readers[from] = (struct line_reader){0};
	// Which command an answer belongs to is known as long as one side is whole.
	if (session->dialogue_gap[other_direction(from)])
		commands_clear(&imap->pending);
	if (from == FROM_SERVER) {
		session_forget_capabilities(session); // a newer list may have been in the hole
		imap->server = SERVER_LOST;
	} else {
		imap->client = CLIENT_LOST;
		imap->after_client_gap = true;
	}
}

static void imap_give_up_hold(void *state, struct session *session, enum direction held)
{
	struct imap *imap = state;
	(void)held;
	if (imap->client == CLIENT_AWAITS_LITERAL) {
		commands_pop_tag(&imap->pending, imap->tag);
		imap->client = CLIENT_LITERAL_UNANSWERED;
	} else if (imap->client == CLIENT_AWAITS_AUTH) {
		imap->client = CLIENT_SASL_UNANSWERED;
	} else if (imap->client == CLIENT_AWAITS_COMPRESS) {
		imap->client = CLIENT_LOST;
		imap->after_client_gap = true;
		session->dialogue_gap[FROM_CLIENT] = true;
	} else {
		imap->client = CLIENT_COMMANDS;
	}
}

static void imap_end(void *state, struct session *session)
{
	(void)state;
	(void)session;
}

const struct protocol_ops imap_protocol = {
    .protocol = PROTOCOL_IMAP,
    .state_size = sizeof(struct imap),
    .recognise = imap_recognise,
    .begin = imap_begin,
    .feed = imap_feed,
    .gap = imap_gap,
    .give_up_hold = imap_give_up_hold,
    .end = imap_end,
};
