// SPDX-License-Identifier: Apache-2.0
// Lines of records on their way from the thread that judges to the thread that stores them: collected in blocks, one
// kind of record in a block, handed over when a block is full or when it is time. Bounded in bytes. What has no room
// waits (a run over files), or is refused (a live run, whose judging thread never waits). A block changes hands
// under a lock, a line is only copied. One thread puts in, one takes out.
#ifndef MAILTAP_ANALYTICS_STORE_QUEUE_H
#define MAILTAP_ANALYTICS_STORE_QUEUE_H

#include "analytics/store_columns.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	STORE_QUEUE_MAX = 16 << 20, // bytes of all blocks under way
	STORE_BLOCK = 64 << 10, // bytes of a block; one for a longer line is as long as that
};

struct store_block {
	struct store_block *next;
	enum store_table_id table;
	size_t lines, length, size;
	char text[]; // whole lines with their ends
};

struct store_queue;

// NULL: no memory.
struct store_queue *store_queue_create(void);
void store_queue_destroy(struct store_queue *queue); // NULL is allowed

/* ---- the thread that puts in ---- */

// Adds a line, end included. False: there is no room for it.
bool store_queue_add(
    struct store_queue *queue, enum store_table_id table, const char *line, size_t length);

// Hands over what was collected so far. Never waits.
void store_queue_flush(struct store_queue *queue);

// Nothing more will come; or nothing more will be taken: who waits for room waits no longer.
void store_queue_close(struct store_queue *queue);

/* ---- the thread that takes out ---- */

// All blocks that are there, oldest first, up to `most` bytes but at least one; waits for them at most this long. The
// caller owns them until they are given back. NULL: there are none now.
struct store_block *store_queue_take(struct store_queue *queue, size_t most, unsigned milliseconds);

// From now on, the one who puts in waits for room; or it is refused. At first it is refused.
void store_queue_let_wait(struct store_queue *queue, bool waits);

// Frees them; their room is free from now on.
void store_queue_give_back(struct store_queue *queue, struct store_block *blocks);

// Waits this long, or until it is closed. True: it is closed.
bool store_queue_pause(struct store_queue *queue, unsigned milliseconds);

// True: it is closed, and all was taken.
bool store_queue_is_over(struct store_queue *queue);

#endif
