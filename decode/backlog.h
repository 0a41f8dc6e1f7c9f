// SPDX-License-Identifier: Apache-2.0
// What one direction of a connection keeps while it is being read: segments that came too early, in
// order of their sequence numbers, and the last bytes delivered, to compare with what comes again.
// Owned by the stream, from the worker's memory; gone once the connection is cut over. Used by tcp.c.
#ifndef MAILTAP_DECODE_BACKLOG_H
#define MAILTAP_DECODE_BACKLOG_H

#include "capture/base/memory.h"
#include "decode/headers.h"

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
	uint8_t bytes[];
};

struct backlog;

// NULL: memory refused.
struct backlog *backlog_create(struct memory *memory);

// Frees it and all that it holds. NULL is allowed.
void backlog_destroy(struct memory *memory, struct backlog *backlog);

// Holds those bytes of a segment that are not held yet: the first capture of a byte counts, differing
// ones are counted. False: some were dropped, there was no memory.
bool backlog_hold(struct memory *memory, struct backlog *backlog, const struct segment *segment);

// The held segment with the lowest sequence number, or NULL; NULL also for no backlog.
const struct held_segment *backlog_first(const struct backlog *backlog);
void backlog_drop_first(struct memory *memory, struct backlog *backlog);

// More is held than a missing piece is worth.
bool backlog_is_full(const struct backlog *backlog);

// Takes note of bytes just delivered.
void backlog_remember(struct backlog *backlog, const uint8_t *bytes, size_t length);

// The stream has a gap: what was delivered before it no longer ends where the stream stands.
void backlog_forget(struct backlog *backlog);

// Compares a segment that repeats delivered bytes with them. `next`: where the stream stands.
void backlog_compare(struct backlog *backlog, const struct segment *segment, uint32_t next);

// Bytes that came again with another value.
uint32_t backlog_conflicting(const struct backlog *backlog);

#endif
