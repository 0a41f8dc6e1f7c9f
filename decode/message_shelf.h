// SPDX-License-Identifier: Apache-2.0
// What sessions of a worker have to tell of their messages (message_facts.h), from the end of each until the session's
// record is written. A session has the number of a place on the shelf, so that it is no larger where nobody asks for
// headers. Owned by one worker, with --mail-headers only; all that grows comes from the worker's memory. Not thread
// safe.
#ifndef MAILTAP_DECODE_MESSAGE_SHELF_H
#define MAILTAP_DECODE_MESSAGE_SHELF_H

#include "capture/base/memory.h"
#include "decode/message_facts.h"

enum {
	SHELF_PLACES_MAX = 32 * 1024, // sessions at once that have something to tell
	SHELF_SESSION_MAX = 64 * 1024, // bytes of one session
};

struct message_shelf;

// NULL: no memory.
struct message_shelf *message_shelf_create(struct memory *memory);
void message_shelf_destroy(struct message_shelf *shelf); // NULL is allowed

// Adds to what stands at a place; *place is 0 for a session that has none yet. False: there is no room.
bool message_shelf_add(
    struct message_shelf *shelf, uint32_t *place, const struct message_facts *facts);

// What stands there, good until the next call; empty for place 0.
struct view message_shelf_at(const struct message_shelf *shelf, uint32_t place);

// Place 0 is allowed.
void message_shelf_clear(struct message_shelf *shelf, uint32_t place);

#endif
