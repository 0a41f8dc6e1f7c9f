// SPDX-License-Identifier: Apache-2.0
// IMAP as a tap hears it: RFC 3501 and 9051, with literals (7888), SASL-IR (4959) and STARTTLS.
// Replies pair with commands by tag. Literals are read over by their length, so that no
// password in one is ever looked at, nor a message but with --mail-headers (imap_message.h). One state per connection, pushed from both sides
// by dialogue.c.
#include "decode/imap_message.h"

#include "capture/base/ascii.h"

#include <string.h>

/* ---- words ---- */

uint32_t imap_tag_hash(const struct line *tag)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < tag->length; i++)
		hash = (hash ^ tag->bytes[i]) * 16777619u;
	return hash | 1u;
}

bool imap_line_announces_literal(const struct line *line, struct imap_literal *literal)
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

static const struct imap_verb verbs[] = {
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

const struct imap_verb *imap_verb_of(const struct line *word)
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

enum recognised imap_recognise_client(const uint8_t *bytes, size_t length, bool expected)
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
	const struct imap_verb *verb = imap_verb_of(&word);
	if (ended)
		return verb != NULL && (expected || verb->telling) ? RECOGNISED_YES : RECOGNISED_NO;
	return length < LOOK ? RECOGNISED_MAYBE : RECOGNISED_NO;
}

static enum recognised imap_recognise(
    enum direction from, const uint8_t *bytes, size_t length, bool expected, bool from_start)
{
	static const char *const greetings[] = {"* OK", "* PREAUTH", "* BYE", "* CAPABILITY"};
	if (from == FROM_CLIENT)
		return imap_recognise_client(bytes, length, expected);
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

/* ---- what the dialogue calls ---- */

static struct feed_result imap_feed(void *state, struct session *session, const struct chunk *chunk)
{
	return chunk->from == FROM_CLIENT ? imap_feed_client(state, session, chunk)
	                                  : imap_feed_server(state, session, chunk);
}

static void imap_gap(void *state, struct session *session, enum direction from, uint64_t length)
{
	struct imap *imap = state;
	(void)length;
	imap->readers[from] = (struct line_reader){0};
	if (session_reads_messages(session))
		imap_message_stop(imap, session, from);
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

static void imap_skipped(void *state, struct session *session, enum direction from,
    const uint8_t *bytes, uint64_t length)
{
	if (session_reads_messages(session))
		imap_message_octets(state, session, from, bytes, length);
}

static void imap_end(void *state, struct session *session)
{
	if (!session_reads_messages(session))
		return;
	imap_message_stop(state, session, FROM_CLIENT);
	imap_message_stop(state, session, FROM_SERVER);
}

const struct protocol_ops imap_protocol = {
    .protocol = PROTOCOL_IMAP,
    .state_size = sizeof(struct imap),
    .recognise = imap_recognise,
    .begin = imap_begin,
    .feed = imap_feed,
    .gap = imap_gap,
    .skipped = imap_skipped,
    .give_up_hold = imap_give_up_hold,
    .end = imap_end,
};
