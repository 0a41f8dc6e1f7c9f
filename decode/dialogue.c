// SPDX-License-Identifier: Apache-2.0
#include "decode/dialogue.h"

#include "capture/base/prefetch.h"
#include "decode/dialogue_state.h"
#include "decode/dns_stream.h"

#include <string.h>

enum { KEPT_MAX = 64 * 1024 }; // bytes of a direction that may wait unparsed

static size_t run(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length);

/* ---- kept bytes ---- */

void dialogue_drop_kept(struct dialogue *dialogue, struct half *half)
{
	memory_give(dialogue->memory, half->kept);
	half->kept = NULL;
	half->length = half->size = 0;
	half->beyond = 0;
}

bool dialogue_keep(
    struct dialogue *dialogue, struct half *half, const uint8_t *bytes, size_t length)
{
	size_t needed = half->length + length;
	if (needed > KEPT_MAX)
		return false;
	if (needed > half->size) {
		size_t size = memory_class_size(needed < 192 ? 192 : needed + needed / 2);
		uint8_t *larger = memory_take(dialogue->memory, size);
		if (larger == NULL)
			return false;
		if (half->length > 0)
			memcpy(larger, half->kept, half->length);
		memory_give(dialogue->memory, half->kept);
		half->kept = larger;
		half->size = (uint32_t)size;
	}
	memcpy(half->kept + half->length, bytes, length);
	half->length += (uint32_t)length;
	return true;
}

// Keeps what a side says that waits for an answer: its beginning, and how much there was beyond that.
static void hold(struct dialogue *dialogue, struct half *half, const uint8_t *bytes, size_t length)
{
	size_t room = half->beyond > 0 ? 0 : KEPT_MAX - half->length;
	size_t kept = length < room ? length : room;
	if (kept > 0 && !dialogue_keep(dialogue, half, bytes, kept))
		kept = 0;
	half->beyond += length - kept;
}

static void run_taken(
    struct dialogue *dialogue, enum direction from, uint8_t *bytes, uint32_t length, uint32_t size)
{
	struct half *half = &dialogue->halves[from];
	size_t used = run(dialogue, from, bytes, length);
	if (used < length && dialogue->stage != STAGE_DONE) {
		memmove(bytes, bytes + used, length - used);
		half->kept = bytes;
		half->length = length - (uint32_t)used;
		half->size = size;
		return;
	}
	memory_give(dialogue->memory, bytes);
}

// Gives the kept bytes of a direction to the parser and keeps what is left. What there was no room for is a
// gap behind them.
void dialogue_run_kept(struct dialogue *dialogue, enum direction from)
{
	struct half *half = &dialogue->halves[from];
	if (half->length == 0 && half->beyond == 0)
		return;
	// They are taken out of the half meanwhile: what the parser does may change the half.
	struct half taken = *half;
	half->kept = NULL;
	half->length = half->size = 0;
	half->beyond = 0;
	run_taken(dialogue, from, taken.kept, taken.length, taken.size);
	if (half->held)
		half->beyond = taken.beyond;
	else
		dialogue_gap(dialogue, from, taken.beyond);
}

/* ---- stages ---- */

void dialogue_end_mail(struct dialogue *dialogue)
{
	if (dialogue->state == NULL)
		return;
	dialogue->ops->end(dialogue->state, dialogue->session);
	memory_give(dialogue->memory, dialogue->state);
	dialogue->state = NULL;
}

void dialogue_finish(struct dialogue *dialogue)
{
	dialogue_end_mail(dialogue);
	dialogue_end_tls(dialogue);
	dialogue->stage = STAGE_DONE;
	dialogue_drop_kept(dialogue, &dialogue->halves[FROM_CLIENT]);
	dialogue_drop_kept(dialogue, &dialogue->halves[FROM_SERVER]);
}

void dialogue_begin_mail(struct dialogue *dialogue, enum protocol protocol)
{
	struct session *session = dialogue->session;
	dialogue->ops = protocol_ops_of(protocol);
	dialogue->state = memory_take_zeroed(dialogue->memory, dialogue->ops->state_size);
	session->protocol = (uint8_t)protocol;
	if (session->tls_mode == TLS_MODE_NOT_SEEN)
		session->tls_mode = TLS_MODE_NONE;
	if (dialogue->state == NULL) { // no memory: what follows is not seen
		session->dialogue_gap[FROM_CLIENT] = session->dialogue_gap[FROM_SERVER] = true;
		dialogue->stage = STAGE_DONE;
		return;
	}
	dialogue->stage = STAGE_MAIL;
	dialogue->ops->begin(dialogue->state, session);
}

void dialogue_begin_names(struct dialogue *dialogue, const struct dns_ends *ends)
{
	dialogue->ops = &dns_stream_protocol;
	dialogue->state = memory_take_zeroed(dialogue->memory, dialogue->ops->state_size);
	dialogue->stage = dialogue->state != NULL ? STAGE_NAMES : STAGE_DONE;
	if (dialogue->state == NULL)
		return;
	dialogue->ops->begin(dialogue->state, dialogue->session);
	dns_stream_between(dialogue->state, ends);
}

/* ---- what runs in each stage ---- */

// Bytes of the dialogue that the parser cannot have, or cannot make sense of.
static void tell_lost(struct dialogue *dialogue, enum direction from, uint64_t length)
{
	dialogue->session->dialogue_gap[from] = true;
	dialogue_drop_kept(dialogue, &dialogue->halves[from]);
	dialogue->ops->gap(dialogue->state, dialogue->session, from, length);
}

// No release will come: the answer is not in the capture. What was sent without waiting for it could
// be a command, a message or a secret, depending on that answer: it counts as lost.
static void give_up_hold(struct dialogue *dialogue, enum direction held)
{
	struct half *half = &dialogue->halves[held];
	half->held = false;
	half->unheard = true;
	dialogue->ops->give_up_hold(dialogue->state, dialogue->session, held);
	if (half->length + half->beyond > 0)
		tell_lost(dialogue, held, half->length + half->beyond);
}

static size_t run_mail(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length, bool *wait)
{
	struct chunk chunk = {
	    .from = from, .bytes = bytes, .length = length, .time = dialogue->now};
	struct feed_result result = dialogue->ops->feed(dialogue->state, dialogue->session, &chunk);
	size_t used = result.consumed;
	enum direction other = other_direction(from);
	switch (result.next) {
	case FEED_MORE:
		*wait = true;
		break;
	case FEED_HOLD:
		dialogue->halves[from].held = true;
		*wait = true;
		break;
	case FEED_RELEASE:
		dialogue->halves[other].held = false;
		dialogue_run_kept(dialogue, other);
		break;
	case FEED_UPGRADE:
		dialogue_upgrade(dialogue, from);
		break;
	case FEED_SKIP:
		dialogue->halves[from].skip = result.skip;
		break;
	case FEED_STOP:
		dialogue_finish(dialogue);
		break;
	}
	return used;
}

// Without the beginning, or behind a gap, nobody knows where a message begins.
static void lose_names(struct dialogue *dialogue, enum direction from, uint64_t length)
{
	dialogue->ops->gap(dialogue->state, dialogue->session, from, length);
	dialogue_finish(dialogue);
}

static size_t run_names(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length, bool *wait)
{
	if (dialogue->halves[from].from_start)
		return run_mail(dialogue, from, bytes, length, wait);
	lose_names(dialogue, from, length);
	return length;
}

/* ---- running ---- */

static void tell_skipped(
    const struct dialogue *dialogue, enum direction from, const uint8_t *bytes, uint64_t length)
{
	if (length > 0 && dialogue->stage == STAGE_MAIL && dialogue->ops->skipped != NULL)
		dialogue->ops->skipped(dialogue->state, dialogue->session, from, bytes, length);
}

// Gives bytes to whatever runs in this stage, as often as it makes progress. Returns the bytes done
// with; the rest is to be kept.
static size_t run(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length)
{
	struct half *half = &dialogue->halves[from];
	size_t used = 0;
	bool wait = false;
	while (used < length && !wait && !half->held) {
		if (half->skip > 0) {
			size_t skipped =
			    half->skip < length - used ? (size_t)half->skip : length - used;
			tell_skipped(dialogue, from, bytes + used, skipped);
			half->skip -= skipped;
			used += skipped;
			continue;
		}
		if (half->unheard && dialogue->stage == STAGE_MAIL) {
			tell_lost(dialogue, from, length - used);
			return length;
		}
		switch ((enum stage)dialogue->stage) {
		case STAGE_UNDECIDED:
			used += dialogue_run_undecided(
			    dialogue, from, bytes + used, length - used, &wait);
			break;
		case STAGE_MAIL:
			used += run_mail(dialogue, from, bytes + used, length - used, &wait);
			break;
		case STAGE_TLS:
			used +=
			    dialogue_run_tls(dialogue, from, bytes + used, length - used, &wait);
			break;
		case STAGE_NAMES:
			used += run_names(dialogue, from, bytes + used, length - used, &wait);
			break;
		case STAGE_DONE:
			return length;
		}
	}
	return used;
}

static void tell_gap(struct dialogue *dialogue, enum direction from, uint64_t length)
{
	enum direction other = other_direction(from);
	tell_lost(dialogue, from, length);
	if (dialogue->halves[other].held)
		give_up_hold(dialogue, other);
}

// Behind bytes that wait already, a chunk is taken a piece at a time: together they may be more than is
// kept, although the parser is done with most of it. Returns the bytes taken.
static size_t take_some(
    struct dialogue *dialogue, enum direction from, const uint8_t *bytes, size_t length)
{
	enum { PIECE = KEPT_MAX / 4 };
	struct half *half = &dialogue->halves[from];
	if (half->length == 0 && !half->held) {
		size_t used = run(dialogue, from, bytes, length);
		if (dialogue->stage == STAGE_MAIL && half->held)
			hold(dialogue, half, bytes + used, length - used);
		else if (dialogue->stage != STAGE_DONE && used < length &&
		         !dialogue_keep(dialogue, half, bytes + used, length - used))
			dialogue_gap(dialogue, from, length - used);
		return length;
	}
	if (dialogue->stage == STAGE_MAIL && half->held) {
		hold(dialogue, half, bytes, length);
		return length;
	}
	if (!half->held && length > PIECE)
		length = PIECE;
	if (!dialogue_keep(dialogue, half, bytes, length))
		dialogue_gap(dialogue, from, length);
	else if (!half->held)
		dialogue_run_kept(dialogue, from);
	return length;
}

static void take_in(struct dialogue *dialogue, const struct chunk *chunk)
{
	size_t taken = 0;
	while (taken < chunk->length && dialogue->stage != STAGE_DONE)
		taken +=
		    take_some(dialogue, chunk->from, chunk->bytes + taken, chunk->length - taken);
}

// Whether a chunk was sent after its sender had heard something new.
static bool answers(struct half *half, const struct chunk *chunk)
{
	if (!chunk->acknowledges ||
	    (half->heard_known && (int32_t)(chunk->acknowledgement - half->heard) <= 0))
		return false;
	half->heard = chunk->acknowledgement;
	half->heard_known = true;
	return true;
}

// A held side that goes on after it heard something got its answer, although the parser, with bytes
// of the other side missing, did not recognise it.
static void note_heard(struct dialogue *dialogue, const struct chunk *chunk)
{
	struct half *half = &dialogue->halves[chunk->from];
	if (!answers(half, chunk))
		return;
	if (half->held && dialogue->stage == STAGE_MAIL &&
	    dialogue->session->dialogue_gap[other_direction(chunk->from)])
		give_up_hold(dialogue, chunk->from);
	half->unheard = false;
}

void dialogue_data(struct dialogue *dialogue, const struct chunk *chunk, bool other_seen)
{
	struct half *half = &dialogue->halves[chunk->from];
	if (dialogue->stage == STAGE_DONE)
		return;
	dialogue->now = chunk->time;
	half->begun = true;
	note_heard(dialogue, chunk);
	if (!other_seen && dialogue->stage != STAGE_TLS) {
		dialogue->session->dialogue_gap[other_direction(chunk->from)] = true;
		dialogue->halves[other_direction(chunk->from)].from_start = false;
	}
	take_in(dialogue, chunk);
	if (chunk->from == FROM_SERVER && !dialogue->halves[FROM_CLIENT].held)
		dialogue_run_kept(dialogue, FROM_CLIENT); // what waited to learn what is spoken
}

void dialogue_gap(struct dialogue *dialogue, enum direction from, uint64_t length)
{
	struct half *half = &dialogue->halves[from];
	uint64_t skipped = half->skip < length ? half->skip : length;
	tell_skipped(dialogue, from, NULL, skipped);
	half->skip -= skipped;
	length -= skipped;
	if (length == 0)
		return;
	half->from_start = false;
	switch ((enum stage)dialogue->stage) {
	case STAGE_UNDECIDED:
		dialogue->session->dialogue_gap[from] = true;
		half->held = false;
		dialogue_drop_kept(dialogue, half);
		break;
	case STAGE_MAIL:
		if (half->held)
			give_up_hold(dialogue, from);
		if (dialogue->stage == STAGE_MAIL)
			tell_gap(dialogue, from, length);
		break;
	case STAGE_TLS:
		dialogue_drop_kept(dialogue, half);
		half->entered_tls = half->gap_in_tls = dialogue->session->tls_gap = true;
		tls_gap(dialogue->tls, from, length);
		break;
	case STAGE_NAMES:
		lose_names(dialogue, from, length);
		break;
	case STAGE_DONE:
		break;
	}
}

void dialogue_close(struct dialogue *dialogue, enum direction from)
{
	dialogue->halves[from].closed = true;
}

void dialogue_reopen(struct dialogue *dialogue, enum direction from)
{
	dialogue->halves[from].closed = false;
}

bool dialogue_in_the_clear(const struct dialogue *dialogue)
{
	return dialogue->stage == STAGE_MAIL;
}

bool dialogue_is_tls(const struct dialogue *dialogue)
{
	return dialogue->stage == STAGE_TLS;
}

bool dialogue_keeps(const struct dialogue *dialogue, enum direction from)
{
	return dialogue->halves[from].length > 0;
}

bool dialogue_done(const struct dialogue *dialogue)
{
	return dialogue->stage == STAGE_DONE;
}

void dialogue_prefetch(const struct dialogue *dialogue)
{
	prefetch(dialogue, sizeof *dialogue);
}

void dialogue_prefetch_parser(const struct dialogue *dialogue)
{
	if (dialogue->stage == STAGE_TLS)
		tls_prefetch(dialogue->tls);
	else if (dialogue->stage == STAGE_MAIL)
		prefetch(dialogue->state, dialogue->ops->state_size);
}

struct dialogue *dialogue_create(
    struct memory *memory, struct session *session, struct port_hint hint, const bool missing[2])
{
	struct dialogue *dialogue = memory_take_zeroed(memory, sizeof *dialogue);
	if (dialogue == NULL)
		return NULL;
	dialogue->memory = memory;
	dialogue->session = session;
	dialogue->hint = hint;
	for (int from = FROM_CLIENT; from <= FROM_SERVER; from++) {
		dialogue->halves[from].from_start = !missing[from];
		session->dialogue_gap[from] |= missing[from];
	}
	return dialogue;
}

void dialogue_destroy(struct dialogue *dialogue)
{
	if (dialogue == NULL)
		return;
	for (int from = FROM_SERVER; from >= FROM_CLIENT; from--)
		if (dialogue->stage == STAGE_UNDECIDED && !dialogue->hint.elsewhere)
			dialogue_decide_alone(dialogue, (enum direction)from);
	dialogue_finish(dialogue);
	memory_give(dialogue->memory, dialogue);
}
