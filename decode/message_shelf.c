// SPDX-License-Identifier: Apache-2.0
#include "decode/message_shelf.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 480 }; // bytes: of one or two messages

struct told {
	uint32_t length, size;
	uint8_t bytes[];
};

struct message_shelf {
	struct memory *memory;
	uint32_t used; // places that were ever taken: the lowest ones
	uint32_t free_count;
	struct told *places[SHELF_PLACES_MAX];
	uint32_t free[SHELF_PLACES_MAX]; // numbers of places below `used` that are free
};

struct message_shelf *message_shelf_create(struct memory *memory)
{
	struct message_shelf *shelf = calloc(1, sizeof *shelf);
	if (shelf != NULL)
		shelf->memory = memory;
	return shelf;
}

void message_shelf_destroy(struct message_shelf *shelf)
{
	free(shelf);
}

// 0: all are taken.
static uint32_t take_place(struct message_shelf *shelf)
{
	if (shelf->free_count > 0)
		return shelf->free[--shelf->free_count];
	return shelf->used < SHELF_PLACES_MAX ? ++shelf->used : 0;
}

// Room for `more` bytes behind what is there. NULL: there is none.
static struct told *grow(struct message_shelf *shelf, struct told *told, size_t more)
{
	size_t have = told != NULL ? told->length : 0;
	if (have + more > SHELF_SESSION_MAX)
		return NULL;
	if (told != NULL && told->size - have >= more)
		return told;
	size_t wanted = have == 0 && more < FIRST_SIZE ? FIRST_SIZE : 2 * have + more;
	size_t size = memory_class_size(sizeof *told + wanted);
	struct told *larger = memory_take(shelf->memory, size);
	if (larger == NULL)
		return NULL;
	larger->size = (uint32_t)(size - sizeof *larger);
	larger->length = (uint32_t)have;
	if (have > 0)
		memcpy(larger->bytes, told->bytes, have);
	memory_give(shelf->memory, told);
	return larger;
}

bool message_shelf_add(
    struct message_shelf *shelf, uint32_t *place, const struct message_facts *facts)
{
	size_t size = message_facts_size(facts);
	uint32_t number = *place != 0 ? *place : take_place(shelf);
	if (number == 0)
		return false;
	struct told *told = grow(shelf, shelf->places[number - 1], size);
	if (told == NULL) {
		if (*place == 0)
			shelf->free[shelf->free_count++] = number;
		return false;
	}
	message_facts_put(facts, told->bytes + told->length);
	told->length += (uint32_t)size;
	shelf->places[number - 1] = told;
	*place = number;
	return true;
}

struct view message_shelf_at(const struct message_shelf *shelf, uint32_t place)
{
	if (place == 0)
		return view_of(NULL, 0);
	const struct told *told = shelf->places[place - 1];
	return view_of(told->bytes, told->length);
}

void message_shelf_clear(struct message_shelf *shelf, uint32_t place)
{
	if (place == 0)
		return;
	memory_give(shelf->memory, shelf->places[place - 1]);
	shelf->places[place - 1] = NULL;
	shelf->free[shelf->free_count++] = place;
}
