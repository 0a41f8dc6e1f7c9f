// SPDX-License-Identifier: Apache-2.0
// A ring of messages of any length from one thread to another, without locks: the writer reserves room,
// fills it and commits; the reader looks at the oldest message in place and releases it. Bounded: what
// does not fit has to wait or to be counted as lost, which is the writer's to decide.
// Left out of core dumps: what connections say may pass through it.
// Exactly one thread writes and one reads; create and destroy are for either while the other is not
// there.
#ifndef MAILTAP_CAPTURE_BASE_RING_H
#define MAILTAP_CAPTURE_BASE_RING_H

#include <stdbool.h>
#include <stddef.h>

struct ring;

// `bytes`: all that can be under way, rounded up to a power of two. NULL: no memory.
struct ring *ring_create(size_t bytes);
void ring_destroy(struct ring *ring);

// The longest message that can be sent, in bytes.
size_t ring_message_max(const struct ring *ring);

/* ---- the writer ---- */

// Room for a message of `length` bytes, aligned to 16. NULL: there is none now. Reserving again gives up
// what was reserved before.
void *ring_reserve(struct ring *ring, size_t length);

// The message reserved last is complete.
void ring_commit(struct ring *ring);

// Bytes under way: for the writer, to see how far behind the reader is.
size_t ring_used(const struct ring *ring);

// Nothing more will come.
void ring_close(struct ring *ring);

/* ---- the reader ---- */

// The oldest message; good until it is released. NULL: there is none now.
const void *ring_peek(struct ring *ring, size_t *length);

void ring_release(struct ring *ring);

// True once the writer has closed it and all was released.
bool ring_is_over(struct ring *ring);

#endif
