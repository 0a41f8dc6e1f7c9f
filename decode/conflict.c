// SPDX-License-Identifier: Apache-2.0
#include "decode/conflict.h"

#include "decode/line_protocol.h"

_Static_assert(sizeof(struct clue_conflict) == 40, "no padding");

static bool is_word_of(const struct line *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (bytes_equal_keyword(word->bytes, word->length, *words))
			return true;
	return false;
}

static bool is_plain_smtp(const struct session *session, const struct line *line)
{
	static const char *const alone[] = {"STARTTLS", "QUIT", NULL};
	return line_starts(line, "EHLO") || line_starts(line, "HELO") ||
	       line_starts(line, "LHLO") || is_word_of(line, alone) ||
	       is_garbled_keyword(session, line, "STARTTLS");
}

static bool is_plain_pop3(const struct session *session, const struct line *line)
{
	static const char *const alone[] = {"CAPA", "STLS", "QUIT", NULL};
	return is_word_of(line, alone) || is_garbled_keyword(session, line, "STLS");
}

static bool is_plain_imap(const struct session *session, const struct line *line)
{
	enum { TAG_MAX = 16 };
	static const char *const alone[] = {"CAPABILITY", "STARTTLS", "LOGOUT", NULL};
	size_t position = 0;
	struct line tag, word, rest;
	if (!line_word(line, &position, &tag) || tag.length > TAG_MAX ||
	    !line_word(line, &position, &word) || line_word(line, &position, &rest))
		return false;
	return is_word_of(&word, alone) || is_garbled_keyword(session, &word, "STARTTLS");
}

static bool is_plain(const struct session *session, const struct line *line)
{
	const enum protocol protocol = (enum protocol)session->protocol;
	return protocol == PROTOCOL_SMTP   ? is_plain_smtp(session, line)
	       : protocol == PROTOCOL_IMAP ? is_plain_imap(session, line)
	                                   : protocol == PROTOCOL_POP3 && is_plain_pop3(session, line);
}

// Lines of the client, the last one perhaps unfinished, that say nothing private.
static bool are_plain(const struct session *session, const uint8_t *bytes, size_t length)
{
	for (size_t start = 0; start < length;) {
		const uint8_t *newline = memchr(bytes + start, '\n', length - start);
		size_t end = newline != NULL ? (size_t)(newline - bytes) : length;
		struct line line = {.bytes = bytes + start, .length = end - start};
		if (line.length > 0 && line.bytes[line.length - 1] == '\r')
			line.length--;
		if (line.length == 0 || !is_plain(session, &line))
			return false;
		start = end + 1;
	}
	return true;
}

// Both ways, from the beginning of the line that the conflict begins in.
static bool both_are_plain(
    const struct session *session, const struct conflict *conflict, uint64_t offset)
{
	uint8_t lines[CLUE_LINE_MAX];
	uint32_t begun = 0; // bytes of that line before the conflict
	while (begun < conflict->before_length && conflict->first[-1 - (ptrdiff_t)begun] != '\n')
		begun++;
	bool beginning_known = begun < conflict->before_length || begun == offset;
	if (!beginning_known || conflict->length > CLUE_CONFLICT_MAX ||
	    begun > sizeof lines - CLUE_CONFLICT_MAX)
		return false;
	if (!are_plain(session, conflict->first - begun, begun + conflict->length))
		return false;
	memcpy(lines, conflict->first - begun, begun);
	memcpy(lines + begun, conflict->again, conflict->length);
	return are_plain(session, lines, begun + conflict->length);
}

static bool is_known(const struct session *session, enum direction from, uint64_t offset)
{
	size_t position = 0;
	struct clue clue;
	struct clue_conflict known;
	while (clue_next(session, &position, &clue)) {
		if (clue.kind != CLUE_CONFLICT)
			continue;
		memcpy(&known, clue.bytes, sizeof known);
		if (known.from == from && known.offset == offset)
			return true;
	}
	return false;
}

void conflict_note(struct session *session, const struct conflict *conflict, enum direction from,
    uint64_t offset, bool may_keep)
{
	uint8_t bytes[sizeof(struct clue_conflict) + 2 * CLUE_CONFLICT_MAX];
	uint32_t kept = 0;
	if (is_known(session, from, offset))
		return;
	if (!conflict->unlike && session->clues != NULL && session->clues->length > CLUES_MAX / 2) {
		clue_leave_out(session); // or it would take the room of one that proves more
		return;
	}
	if (may_keep && (from == FROM_SERVER || both_are_plain(session, conflict, offset)))
		kept = conflict->length < CLUE_CONFLICT_MAX ? conflict->length : CLUE_CONFLICT_MAX;
	struct clue_conflict clue = {
	    .offset = offset,
	    .length = conflict->differing,
	    .first_length = (uint16_t)kept,
	    .second_length = (uint16_t)kept,
	    .usual = conflict->usual,
	    .first = conflict->first_look,
	    .second = conflict->again_look,
	    .from = (uint8_t)from,
	    .unlike = conflict->unlike,
	};
	memcpy(bytes, &clue, sizeof clue);
	memcpy(bytes + sizeof clue, conflict->first, kept);
	memcpy(bytes + sizeof clue + kept, conflict->again, kept);
	clue_add(session, CLUE_CONFLICT, bytes, sizeof clue + 2 * (size_t)kept);
	session->tell_now |= conflict->unlike;
}
