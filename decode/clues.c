// SPDX-License-Identifier: Apache-2.0
#include "decode/clues.h"

#include <string.h>

// In front of each clue's bytes: its kind and the length, the higher byte first.
enum { CLUE_HEAD = 3 };

static size_t clue_bytes_max(enum clue_kind kind)
{
	return kind == CLUE_CONFLICT ? sizeof(struct clue_conflict) + 2 * CLUE_CONFLICT_MAX
	                             : CLUE_LINE_MAX;
}

static void append(
    struct session *session, enum clue_kind kind, const void *bytes, size_t length)
{
	uint8_t all[CLUES_MAX];
	const struct text *old = session->clues;
	size_t have = old != NULL ? old->length : 0;
	if (have > 0)
		memcpy(all, old->bytes, have);
	all[have] = (uint8_t)kind;
	all[have + 1] = (uint8_t)(length >> 8);
	all[have + 2] = (uint8_t)length;
	if (length > 0)
		memcpy(all + have + CLUE_HEAD, bytes, length);
	session_set_text(session, &session->clues, all, have + CLUE_HEAD + length, sizeof all);
	if (session->clues == NULL) // no memory: that there was nothing to see is not seen
		session->dialogue_gap[FROM_CLIENT] = session->dialogue_gap[FROM_SERVER] = true;
}

void clue_add(struct session *session, enum clue_kind kind, const void *bytes, size_t length)
{
	size_t have = session->clues != NULL ? session->clues->length : 0;
	size_t most = clue_bytes_max(kind);
	if (length > most)
		length = most;
	if (have + CLUE_HEAD + length + CLUE_HEAD > CLUES_MAX)
		clue_leave_out(session);
	else
		append(session, kind, bytes, length);
}

void clue_leave_out(struct session *session)
{
	struct clue ignored;
	if (!clue_find(session, CLUES_LEFT_OUT, &ignored))
		append(session, CLUES_LEFT_OUT, NULL, 0);
}

bool clue_next(const struct session *session, size_t *position, struct clue *clue)
{
	const struct text *clues = session->clues;
	if (clues == NULL || *position + CLUE_HEAD > clues->length)
		return false;
	const uint8_t *head = clues->bytes + *position;
	clue->kind = (enum clue_kind)head[0];
	clue->length = (size_t)(head[1] << 8 | head[2]);
	clue->bytes = head + CLUE_HEAD;
	*position += CLUE_HEAD + clue->length;
	return *position <= clues->length;
}

bool clue_find(const struct session *session, enum clue_kind kind, struct clue *clue)
{
	size_t position = 0;
	while (clue_next(session, &position, clue))
		if (clue->kind == kind)
			return true;
	return false;
}
