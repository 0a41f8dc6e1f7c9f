// SPDX-License-Identifier: Apache-2.0
#include "decode/holes.h"

enum { HOLES_MAX = 2 };

struct hole {
	uint32_t start, end; // sequence numbers
	uint32_t missing; // of the bytes between; 0: no hole
};

struct holes {
	struct hole of[HOLES_MAX]; // the newest is the last
};

static bool after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

void holes_note(struct memory *memory, struct holes **holes, uint32_t start, uint32_t end, uint32_t reach)
{
	if (*holes == NULL)
		*holes = memory_take_zeroed(memory, sizeof **holes);
	if (*holes == NULL)
		return;
	struct hole *old = &(*holes)->of[0], *newest = &(*holes)->of[1];
	if (old->missing == 0 || start - old->start > reach) {
		*old = *newest;
	} else if (newest->missing > 0) {
		old->end = newest->end;
		old->missing += newest->missing;
	}
	*newest = (struct hole){start, end, end - start};
}

// Takes [start, end) out of a hole that has it. What is taken out at an edge cannot fill it again. Out
// of the middle two holes are left if there is room for them; else only the sum is known from then on,
// and the same bytes once more would count again.
static void cut(struct holes *holes, struct hole *hole, uint32_t start, uint32_t end)
{
	struct hole *old = &holes->of[0], *newest = &holes->of[1];
	bool whole = hole->missing == hole->end - hole->start;
	bool alone = old->missing == 0 || newest->missing == 0;
	if (whole && alone && start != hole->start && end != hole->end) {
		struct hole before = {hole->start, start, start - hole->start};
		struct hole behind = {end, hole->end, hole->end - end};
		*old = before;
		*newest = behind;
		return;
	}
	if (start == hole->start)
		hole->start = end;
	else if (end == hole->end)
		hole->end = start;
	hole->missing -= end - start < hole->missing ? end - start : hole->missing;
}

static uint32_t fill(struct holes *holes, struct hole *hole, uint32_t start, uint32_t end)
{
	uint32_t from = after(start, hole->start) ? start : hole->start;
	uint32_t to = after(hole->end, end) ? end : hole->end;
	if (hole->missing == 0 || !after(to, from))
		return 0;
	uint32_t filled = to - from < hole->missing ? to - from : hole->missing;
	cut(holes, hole, from, to);
	return filled;
}

uint32_t holes_fill(struct holes *holes, uint32_t start, uint32_t end)
{
	uint32_t filled = 0;
	if (holes == NULL || !after(end, start))
		return 0;
	for (size_t i = 0; i < HOLES_MAX; i++)
		filled += fill(holes, &holes->of[i], start, end);
	return filled;
}

bool holes_drop_last(struct holes *holes, uint32_t end)
{
	for (size_t i = 0; holes != NULL && i < HOLES_MAX; i++) {
		struct hole *hole = &holes->of[i];
		if (hole->missing == 0 || hole->end != end)
			continue;
		cut(holes, hole, end - 1, end);
		return true;
	}
	return false;
}

void holes_destroy(struct memory *memory, struct holes *holes)
{
	memory_give(memory, holes);
}
