// SPDX-License-Identifier: Apache-2.0
#include "decode/line_protocol.h"

#include "decode/pattern_set.h"
#include "decode/tls.h"

#include <string.h>

bool dialogue_is_incomplete(const struct session *session)
{
	return session->dialogue_gap[FROM_CLIENT] || session->dialogue_gap[FROM_SERVER];
}

// 1 TLS, 0 not, -1 too few bytes to say.
static int looks_like_upgrade(const struct session *session, const struct chunk *chunk, size_t used)
{
	enum { TLS_HANDSHAKE_RECORD = 22, SSLV2_LENGTH_BIT = 0x80 };
	uint8_t first = chunk->bytes[used];
	bool unclear = session->starttls_unclear && chunk->from == FROM_CLIENT;
	if ((first != TLS_HANDSHAKE_RECORD && first < SSLV2_LENGTH_BIT) ||
	    (!unclear && !dialogue_is_incomplete(session)))
		return 0;
	return tls_looks_like(chunk->from, chunk->bytes + used, chunk->length - used);
}

// A line of the client behind an answer that said neither yes nor no: no TLS. Behind a hole it may be
// the rest of anything.
static void goes_on_in_the_clear(struct session *session)
{
	if (!session->starttls_unclear || session->dialogue_gap[FROM_CLIENT])
		return;
	session->starttls_unclear = false;
	session->starttls_accepted = SEEN_NO;
}

enum line_step line_step(struct line_reader *reader, struct session *session,
    const struct chunk *chunk, size_t *used, struct line *line)
{
	while (*used < chunk->length) {
		int tls = reader->reading_over ? 0 : looks_like_upgrade(session, chunk, *used);
		if (tls > 0)
			return LINE_STEP_UPGRADE;
		if (tls < 0)
			return LINE_STEP_WAIT;
		size_t taken = line_next(reader, chunk->bytes + *used, chunk->length - *used, line);
		*used += taken;
		if (line->bytes != NULL && chunk->from == FROM_CLIENT)
			goes_on_in_the_clear(session);
		if (line->bytes != NULL)
			return LINE_STEP_LINE;
		if (taken == 0)
			return LINE_STEP_WAIT;
	}
	return LINE_STEP_WAIT;
}

struct feed_result upgrade_inferred(struct session *session, size_t consumed)
{
	session->starttls_requested = SEEN_YES;
	session->starttls_accepted = SEEN_YES;
	session->upgrade_inferred = SEEN_YES;
	session->starttls_unclear = false;
	return (struct feed_result){.next = FEED_UPGRADE, .consumed = consumed};
}

size_t answer_length(const struct line *line)
{
	size_t word = 0; // where the word being read begins
	for (size_t i = 0; i < line->length; i++) {
		if (line->bytes[i] == '<')
			return i;
		if (line->bytes[i] == '@')
			return word;
		if (line->bytes[i] == ' ')
			word = i + 1;
	}
	return line->length;
}

void starttls_answer_unclear(struct session *session, const struct line *line)
{
	session->starttls_requested = SEEN_YES;
	session->starttls_unclear = true;
	clue_add(session, CLUE_STARTTLS_ANSWER, line->bytes, answer_length(line));
}

bool is_garbled_keyword(const struct session *session, const struct line *word, const char *keyword)
{
	const struct session_shared *shared = session->shared;
	if (word->length != strlen(keyword))
		return false;
	const char *found = pattern_match(shared->patterns, shared->scratch, PATTERN_FILLER_COMMAND,
	    view_of(word->bytes, word->length));
	return found != NULL && bytes_equal_keyword((const uint8_t *)found, strlen(found), keyword);
}

void garbled_command_refused(struct session *session, const struct line *line)
{
	clue_add(session, CLUE_GARBLED_ANSWER, line->bytes, answer_length(line));
	session->tell_now = true;
}

bool refusal_asks_for_tls(const struct session *session, const struct line *line)
{
	const struct session_shared *shared = session->shared;
	return pattern_match(shared->patterns, shared->scratch, PATTERN_REFUSAL_WANTS_TLS,
	           view_of(line->bytes, line->length)) != NULL;
}

void session_clear_accepted(struct session *session)
{
	if (session->tls_required_by_server != SEEN_YES)
		session->tls_required_by_server = SEEN_NO;
}

static bool before_login(const struct session *session)
{
	return session->login_succeeded != SEEN_YES &&
	       (session->protocol == PROTOCOL_SMTP || !dialogue_is_incomplete(session));
}

void session_note_offer(
    struct session *session, const struct capability_list *list, const char *keyword)
{
	if (capabilities_have(list->bytes, list->length, keyword))
		session->starttls_offered = SEEN_YES;
	else if (!list->incomplete && session->starttls_offered != SEEN_YES &&
	         before_login(session))
		session->starttls_offered = SEEN_NO;
}
