// SPDX-License-Identifier: Apache-2.0
#include "decode/backlog.h"

#include "capture/base/prefetch.h"

#include <string.h>

enum {
	HELD_BYTES_MAX = 64 * 1024, // until what is missing counts as lost
	HELD_COUNT_MAX = 512, // segments, likewise
	ROOM_MIN = 128, // bytes of a held block: small segments share one
	RECENT_MAX = 384, // last bytes delivered
};

struct backlog {
	struct held_segment *first, *last;
	uint32_t held_bytes;
	uint32_t conflicting;
	uint16_t held_count;
	uint16_t recent_length, recent_end; // the bytes are a ring: where the next one goes
	bool clear_known, plain_known;
	uint32_t clear_until, plain_until; // sequence numbers
	struct looks looks;
	uint8_t recent[RECENT_MAX];
};

_Static_assert(sizeof(struct backlog) <= 512, "two of them for each connection that is read");

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

struct backlog *backlog_create(struct memory *memory)
{
	struct backlog *backlog = memory_take(memory, sizeof *backlog);
	if (backlog != NULL)
		memset(backlog, 0, offsetof(struct backlog, recent));
	return backlog;
}

void backlog_prefetch(const struct backlog *backlog)
{
	if (backlog != NULL)
		prefetch(backlog, offsetof(struct backlog, recent));
}

void backlog_prefetch_recent(const struct backlog *backlog, uint32_t length)
{
	if (backlog == NULL)
		return;
	if (length >= RECENT_MAX)
		prefetch(backlog->recent, RECENT_MAX);
	else
		prefetch(backlog->recent + backlog->recent_end, length);
}

void backlog_destroy(struct memory *memory, struct backlog *backlog)
{
	if (backlog == NULL)
		return;
	while (backlog->first != NULL)
		backlog_drop_first(memory, backlog);
	memory_give(memory, backlog);
}

/* ---- what was delivered lately ---- */

void backlog_remember(struct backlog *backlog, const uint8_t *bytes, size_t length)
{
	if (length >= RECENT_MAX) {
		memcpy(backlog->recent, bytes + length - RECENT_MAX, RECENT_MAX);
		backlog->recent_length = RECENT_MAX;
		backlog->recent_end = 0;
		return;
	}
	size_t end = backlog->recent_end, behind = RECENT_MAX - end;
	size_t first = length < behind ? length : behind;
	memcpy(backlog->recent + end, bytes, first);
	memcpy(backlog->recent, bytes + first, length - first);
	size_t kept = backlog->recent_length + length;
	backlog->recent_length = (uint16_t)(kept < RECENT_MAX ? kept : RECENT_MAX);
	backlog->recent_end = (uint16_t)(length < behind ? end + length : length - behind);
}

// Turns the ring so that the oldest byte is the first: so they can be compared and pointed to.
static const uint8_t *recent_in_order(struct backlog *backlog)
{
	uint8_t turned[RECENT_MAX];
	size_t length = backlog->recent_length, end = backlog->recent_end;
	size_t start = (end + RECENT_MAX - length) % RECENT_MAX;
	size_t first = length < RECENT_MAX - start ? length : RECENT_MAX - start;
	if (start == 0)
		return backlog->recent;
	memcpy(turned, backlog->recent + start, first);
	memcpy(turned + first, backlog->recent, length - first);
	memcpy(backlog->recent, turned, length);
	backlog->recent_end = (uint16_t)(length % RECENT_MAX);
	return backlog->recent;
}

void backlog_forget(struct backlog *backlog)
{
	backlog->recent_length = backlog->recent_end = 0;
}

void backlog_saw(struct backlog *backlog, const struct sighting *sighting)
{
	looks_note(&backlog->looks, sighting);
}

void backlog_mark_clear(struct backlog *backlog, uint32_t next)
{
	backlog->clear_known = true;
	backlog->clear_until = next;
}

void backlog_mark_plain(struct backlog *backlog, uint32_t next)
{
	backlog->plain_known = true;
	backlog->plain_until = next;
}

bool backlog_is_clear(const struct backlog *backlog, uint32_t end)
{
	return backlog != NULL && backlog->clear_known && !after(end, backlog->clear_until);
}

bool backlog_is_plain(const struct backlog *backlog, uint32_t end)
{
	return backlog != NULL && backlog->plain_known && !after(end, backlog->plain_until);
}

// A bit error is found by the checksum of the segment that has it. A single byte may be a keep-alive's
// garbage (RFC 9293 3.8.4), come out of order.
static bool is_fault_of_line(const struct segment *segment)
{
	return !segment_is_intact(segment) || segment->length == 1;
}

// `known`: what came first, from `start` on; `again` and `before` point to the two versions of
// `length` bytes from `from` on, which differ.
static void describe(struct conflict *conflict, const struct segment *segment,
    const uint8_t *before, uint32_t from, uint32_t length)
{
	const uint8_t *again = segment->payload + (from - segment->sequence);
	uint32_t skipped = 0;
	while (again[skipped] == before[skipped])
		skipped++;
	while (again[length - 1] == before[length - 1])
		length--;
	conflict->sequence = from + skipped;
	conflict->length = length - skipped;
	conflict->first = before + skipped;
	conflict->again = again + skipped;
	conflict->again_look = segment_look_of(segment);
	conflict->differing = 0;
	for (uint32_t i = skipped; i < length; i++)
		conflict->differing += again[i] != before[i];
}

static void judge_looks(struct conflict *conflict, const struct backlog *backlog)
{
	conflict->unlike = looks_unlike(&backlog->looks, conflict->sequence,
	    conflict->sequence + conflict->length, &conflict->first_look, &conflict->again_look,
	    &conflict->usual);
}

// Compares the part of a segment that lies in [start, end) with the bytes known of it. Returns where
// in `known` they begin to be compared, and how many are; *length 0: none differ.
static uint32_t compare(struct backlog *backlog, const struct segment *segment,
    const uint8_t *known, uint32_t start, uint32_t end, uint32_t *length)
{
	*length = 0;
	uint32_t from = after(segment->sequence, start) ? segment->sequence : start;
	uint32_t segment_end = segment->sequence + segment->captured;
	uint32_t to = after(segment_end, end) ? end : segment_end;
	if (!after(to, from))
		return 0;
	const uint8_t *again = segment->payload + (from - segment->sequence);
	const uint8_t *before = known + (from - start);
	if (memcmp(again, before, to - from) == 0)
		return 0;
	for (uint32_t i = 0; i < to - from; i++)
		backlog->conflicting += again[i] != before[i];
	*length = to - from;
	return from - start;
}

void backlog_compare(struct backlog *backlog, const struct segment *segment, uint32_t next,
    struct conflict *conflict)
{
	uint32_t start = next - backlog->recent_length, length;
	conflict->length = 0;
	if (backlog->recent_length == 0)
		return;
	const uint8_t *recent = recent_in_order(backlog);
	uint32_t at = compare(backlog, segment, recent, start, next, &length);
	if (length == 0 || is_fault_of_line(segment))
		return;
	describe(conflict, segment, recent + at, start + at, length);
	const struct sighting *first = looks_of(
	    &backlog->looks, conflict->sequence, conflict->sequence + conflict->length);
	if (first == NULL) {
		conflict->length = 0;
		conflict->unclear = true;
		return;
	}
	conflict->delivered = true;
	conflict->before_length = conflict->sequence - start;
	conflict->first_look = first->look;
	judge_looks(conflict, backlog);
}

static void compare_with_held(struct backlog *backlog, const struct segment *segment,
    const struct held_segment *held, struct conflict *conflict)
{
	uint32_t length;
	uint32_t at = compare(backlog, segment, held->bytes, held->sequence,
	    held->sequence + held->captured, &length);
	if (length == 0 || is_fault_of_line(segment))
		return;
	conflict->unclear |= !held->intact;
	if (conflict->length > 0 || !held->intact)
		return;
	conflict->delivered = false;
	conflict->before_length = 0;
	conflict->first_look = held->look;
	describe(conflict, segment, held->bytes + at, held->sequence + at, length);
	judge_looks(conflict, backlog);
}

uint32_t backlog_conflicting(const struct backlog *backlog)
{
	return backlog->conflicting;
}

/* ---- what came too early ---- */

const struct held_segment *backlog_first(const struct backlog *backlog)
{
	return backlog != NULL ? backlog->first : NULL;
}

void backlog_drop_first(struct memory *memory, struct backlog *backlog)
{
	struct held_segment *first = backlog->first;
	backlog->first = first->next;
	backlog->held_bytes -= first->captured;
	backlog->held_count--;
	memory_give(memory, first);
}

bool backlog_is_full(const struct backlog *backlog)
{
	return backlog != NULL &&
	       (backlog->held_bytes > HELD_BYTES_MAX || backlog->held_count > HELD_COUNT_MAX);
}

// The part of a segment between two sequence numbers, as far as it was captured.
struct piece {
	const uint8_t *bytes;
	uint32_t captured;
	uint32_t sequence, end;
};

static struct piece piece_of(const struct segment *segment, uint32_t sequence, uint32_t end)
{
	uint32_t skipped = sequence - segment->sequence;
	uint32_t captured = segment->captured > skipped ? segment->captured - skipped : 0;
	return (struct piece){
	    .bytes = captured > 0 ? segment->payload + skipped : NULL,
	    .captured = captured < end - sequence ? captured : end - sequence,
	    .sequence = sequence,
	    .end = end,
	};
}

static void append(struct backlog *backlog, struct held_segment *held, const struct piece *piece)
{
	if (piece->captured > 0)
		memcpy(held->bytes + held->captured, piece->bytes, piece->captured);
	held->captured += piece->captured;
	held->length += piece->end - piece->sequence;
	backlog->held_bytes += piece->captured;
}

// A connection of one-byte segments would need a block for each byte: a piece that continues the one
// before it, and was sent on the same knowledge of the other side, joins it while there is room.
static bool fits_behind(
    const struct held_segment *before, const struct piece *piece, const struct segment *segment)
{
	return before != NULL && before->sequence + before->length == piece->sequence &&
	       before->captured == before->length &&
	       before->room - before->captured >= piece->captured &&
	       before->acknowledges == ((segment->flags & TCP_ACK) != 0) &&
	       before->acknowledgement == segment->acknowledgement &&
	       before->look.ttl == segment->ttl && before->intact == segment_is_intact(segment);
}

static struct held_segment *make_held(
    struct memory *memory, const struct piece *piece, const struct segment *segment)
{
	uint32_t room = piece->captured < ROOM_MIN ? ROOM_MIN : piece->captured;
	struct held_segment *held = memory_take(memory, sizeof *held + room);
	if (held != NULL)
		*held = (struct held_segment){
		    .time = segment->context.time,
		    .sequence = piece->sequence,
		    .room = room,
		    .acknowledgement = segment->acknowledgement,
		    .acknowledges = (segment->flags & TCP_ACK) != 0,
		    .intact = segment_is_intact(segment),
		    .look = segment_look_of(segment),
		};
	return held;
}

// Links a piece behind `before` (NULL: in front of all). False: no memory.
static bool add_piece(struct memory *memory, struct backlog *backlog, struct held_segment *before,
    const struct piece *piece, const struct segment *segment)
{
	if (fits_behind(before, piece, segment)) {
		append(backlog, before, piece);
		return true;
	}
	struct held_segment *held = make_held(memory, piece, segment);
	if (held == NULL)
		return false;
	struct held_segment **link = before != NULL ? &before->next : &backlog->first;
	held->next = *link;
	*link = held;
	if (held->next == NULL)
		backlog->last = held;
	backlog->held_count++;
	append(backlog, held, piece);
	return true;
}

// Most segments come behind all others; the rest walks the list, whose length is bounded.
bool backlog_hold(struct memory *memory, struct backlog *backlog, const struct segment *segment,
    struct conflict *conflict)
{
	conflict->length = 0;
	uint32_t at = segment->sequence, end = segment->sequence + segment->length;
	struct held_segment *before = NULL, *next = backlog->first;
	if (next != NULL && !after(backlog->last->sequence + backlog->last->length, at)) {
		before = backlog->last;
		next = NULL;
	}
	for (; after(end, at); before = next, next = next->next) {
		if (next == NULL || after(next->sequence, at)) {
			bool meets = next != NULL && after(end, next->sequence);
			struct piece piece = piece_of(segment, at, meets ? next->sequence : end);
			if (!add_piece(memory, backlog, before, &piece, segment))
				return false;
			at = piece.end;
		}
		if (next == NULL || !after(end, at))
			break;
		uint32_t next_end = next->sequence + next->length;
		if (after(next_end, at)) {
			compare_with_held(backlog, segment, next, conflict);
			at = next_end;
		}
	}
	return true;
}
