// SPDX-License-Identifier: Apache-2.0
// What one direction of a connection keeps while it is being read: segments that came too early, in
// order of their sequence numbers, and the last bytes delivered, to compare with what comes again.
// Owned by the stream, from the worker's memory; gone once the connection is cut over. Used by tcp.c and its parts.
#ifndef MAILTAP_DECODE_BACKLOG_H
#define MAILTAP_DECODE_BACKLOG_H

#include "capture/base/memory.h"
#include "decode/looks.h"

// A segment, or a part of one, that is held back.
struct held_segment {
	struct held_segment *next;
	nanoseconds time;
	uint32_t sequence;
	uint32_t captured;
	uint32_t length; // on the wire
	uint32_t room;   // bytes that fit
	uint32_t acknowledgement;
	bool acknowledges;
	bool intact; // all of it came in intact segments (looks.h)
	struct segment_look look; // of the first segment in it; the others have the same TTL
	uint8_t bytes[];
};

// Bytes that came again with another value, from the first differing one to the last.
struct conflict {
	uint32_t sequence, length; // length 0: there is none
	uint32_t differing; // of them
	const uint8_t *first, *again; // as they came first and again: borrowed
	uint32_t before_length; // bytes in front of `first` that were delivered before them
	bool delivered; // what came first was; else it is held
	struct segment_look usual, first_look, again_look; // of the rest of the direction, of the two
	bool unlike; // one of the two does not look like the rest
	// Besides: other bytes came again intact than those that were read, or are held, and may have come damaged.
	bool unclear;
};

struct backlog;

// NULL: memory refused.
struct backlog *backlog_create(struct memory *memory);

// Start to bring it into the cache: what each segment needs, and then the place of `length` bytes to be remembered.
// NULL is allowed.
void backlog_prefetch(const struct backlog *backlog);
void backlog_prefetch_recent(const struct backlog *backlog, uint32_t length);

// Frees it and all that it holds. NULL is allowed.
void backlog_destroy(struct memory *memory, struct backlog *backlog);

// Holds those bytes of a segment that are not held yet: the first capture of a byte counts, differing
// ones are counted. False: some were dropped, there was no memory. *conflict: the first that is no fault
// of the line, its bytes borrowed until the next call.
bool backlog_hold(struct memory *memory, struct backlog *backlog, const struct segment *segment,
    struct conflict *conflict);

// The held segment with the lowest sequence number, or NULL; NULL also for no backlog.
const struct held_segment *backlog_first(const struct backlog *backlog);
void backlog_drop_first(struct memory *memory, struct backlog *backlog);

// More is held than a missing piece is worth.
bool backlog_is_full(const struct backlog *backlog);

// Takes note of bytes just delivered.
void backlog_remember(struct backlog *backlog, const uint8_t *bytes, size_t length);

// Takes note of how a segment looked: one whose bytes were just delivered, or one without any.
void backlog_saw(struct backlog *backlog, const struct sighting *sighting);

// All up to `next` was read as a dialogue in the clear; and nothing of it can be private.
void backlog_mark_clear(struct backlog *backlog, uint32_t next);
void backlog_mark_plain(struct backlog *backlog, uint32_t next);

// True if that was said of all up to there. NULL for no backlog is allowed: false.
bool backlog_is_clear(const struct backlog *backlog, uint32_t end);
bool backlog_is_plain(const struct backlog *backlog, uint32_t end);

// The stream has a gap: what was delivered before it no longer ends where the stream stands.
void backlog_forget(struct backlog *backlog);

// Compares a segment that repeats delivered bytes with them. `next`: where the stream stands. *conflict
// as in backlog_hold.
void backlog_compare(struct backlog *backlog, const struct segment *segment, uint32_t next,
    struct conflict *conflict);

// Bytes that came again with another value.
uint32_t backlog_conflicting(const struct backlog *backlog);

#endif
