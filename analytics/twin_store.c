// SPDX-License-Identifier: Apache-2.0
#include "analytics/twin_store.h"

#include <stdlib.h>
#include <string.h>

struct held {
	struct held *next;
	struct session_record *record; // and all it points to, in one piece
};

// Few are held at a time: connections that ended at one tap point and not yet at the other. A list,
// the oldest first.
struct twin_store {
	struct held *first, **end;
	struct held *lent; // handed out last
	size_t count;
};

static void release(struct held *held)
{
	if (held != NULL)
		free(held->record);
	free(held);
}

struct twin_store *twin_store_create(void)
{
	struct twin_store *store = calloc(1, sizeof *store);
	if (store != NULL)
		store->end = &store->first;
	return store;
}

void twin_store_destroy(struct twin_store *store)
{
	if (store == NULL)
		return;
	while (twin_store_drain(store) != NULL)
		;
	release(store->lent);
	free(store);
}

static const struct session_record *lend(struct twin_store *store, struct held **link)
{
	struct held *held = *link;
	*link = held->next;
	if (held->next == NULL)
		store->end = link;
	store->count--;
	release(store->lent);
	store->lent = held;
	return held->record;
}

bool twin_store_hold(struct twin_store *store, const struct session_record *record,
    const struct session_record **released)
{
	*released = NULL;
	struct held *held = calloc(1, sizeof *held);
	size_t size = session_record_size(record);
	// Aligned as session_record_copy wants it: malloc does.
	struct session_record *copy = held != NULL ? malloc(size) : NULL;
	if (copy == NULL) {
		free(held);
		return false;
	}
	session_record_copy(record, copy);
	held->record = copy;
	if (store->count == TWINS_HELD_MAX)
		*released = lend(store, &store->first);
	*store->end = held;
	store->end = &held->next;
	store->count++;
	return true;
}

static bool are_twins(const struct session_record *one, const struct session_record *other)
{
	return memcmp(one->address, other->address, sizeof one->address) == 0 &&
	       memcmp(one->port, other->port, sizeof one->port) == 0 &&
	       one->tap_point != other->tap_point &&
	       one->start <= other->end + TWIN_DELAY && other->start <= one->end + TWIN_DELAY;
}

const struct session_record *twin_store_take(
    struct twin_store *store, const struct session_record *record)
{
	for (struct held **link = &store->first; *link != NULL; link = &(*link)->next)
		if (are_twins((*link)->record, record))
			return lend(store, link);
	return NULL;
}

const struct session_record *twin_store_drain(struct twin_store *store)
{
	return store->first != NULL ? lend(store, &store->first) : NULL;
}

const struct session_record *twin_better(
    const struct session_record *one, const struct session_record *other)
{
	uint64_t missing_one = one->missing[FROM_CLIENT] + one->missing[FROM_SERVER];
	uint64_t missing_other = other->missing[FROM_CLIENT] + other->missing[FROM_SERVER];
	if (missing_one != missing_other)
		return missing_one < missing_other ? one : other;
	return other->start < one->start ? other : one;
}
