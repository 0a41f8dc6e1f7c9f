// SPDX-License-Identifier: Apache-2.0
#include "analytics/live_windows.h"

#include <stdlib.h>

enum {
	MINUTES = 60, // seconds
	CELLS_IN_ALL = 16 + 13 + 25,
	CELL_MOST = 512, // servers, clients, pairs and so on that a cell tells apart
	WINDOW_MOST = 4096, // likewise a window
};

// Time that goes back by no more than this is packets out of order, or a clock being kept right.
#define BACK_MOST SECONDS(15 * MINUTES)

// Those of a window lie side by side in a ring. The lengths divide each other, so that a cell goes into one of
// the next window's whole.
static const struct tier {
	nanoseconds length; // of a cell
	size_t count; // of cells, the open one included
	size_t first; // of them, among all
} tiers[LIVE_WINDOWS] = {
    [LIVE_QUARTER] = {SECONDS(1 * MINUTES), 16, 0},
    [LIVE_HOUR] = {SECONDS(5 * MINUTES), 13, 16},
    [LIVE_DAY] = {SECONDS(60 * MINUTES), 25, 29},
};

_Static_assert((int)CELLS_IN_ALL - 29 == 25 && 25 <= LIVE_CELLS_MAX, "as the table has it");

struct cell_of_time {
	bool used;
	nanoseconds from;
	uint64_t sessions, verdicts[VERDICTS], uncounted;
	struct statistics *statistics; // NULL: no session yet
	struct live_count before; // when it was opened
};

struct live_windows {
	struct table_frame frame, sum_frame;
	struct cell_of_time cells[CELLS_IN_ALL];
	bool begun;
	nanoseconds begin, latest; // of what is known
	struct live_count now;
};

struct live_windows *live_windows_create(struct error *error)
{
	struct live_windows *windows = calloc(1, sizeof *windows);
	error_set(error, "no memory for the last day");
	if (windows == NULL)
		return NULL;
	windows->frame = (struct table_frame){CELL_MOST, hash_key_random()};
	windows->sum_frame = (struct table_frame){WINDOW_MOST, windows->frame.key};
	return windows;
}

static void clear(struct cell_of_time *cell)
{
	statistics_destroy(cell->statistics);
	*cell = (struct cell_of_time){.used = false};
}

void live_windows_destroy(struct live_windows *windows)
{
	if (windows == NULL)
		return;
	for (size_t i = 0; i < CELLS_IN_ALL; i++)
		clear(&windows->cells[i]);
	free(windows);
}

/* ---- cells ---- */

static nanoseconds beginning(const struct tier *tier, nanoseconds time)
{
	return time - time % tier->length;
}

static size_t place(const struct tier *tier, nanoseconds from)
{
	return tier->first + (size_t)(from / tier->length) % tier->count;
}

// The one in which the latest time is.
static struct cell_of_time *open_cell(struct live_windows *windows, const struct tier *tier)
{
	return &windows->cells[place(tier, beginning(tier, windows->latest))];
}

// From here on cells belong to the window.
static nanoseconds oldest(const struct live_windows *windows, const struct tier *tier)
{
	return beginning(tier, windows->latest) - (nanoseconds)(tier->count - 1) * tier->length;
}

// Opens the one of the latest time, and forgets those that are too old for the window by then.
static void open_anew(struct live_windows *windows, const struct tier *tier)
{
	nanoseconds bound = oldest(windows, tier);
	for (size_t i = 0; i < tier->count; i++)
		if (windows->cells[tier->first + i].from < bound)
			clear(&windows->cells[tier->first + i]);
	struct cell_of_time *cell = open_cell(windows, tier);
	*cell = (struct cell_of_time){
	    .used = true, .from = beginning(tier, windows->latest), .before = windows->now};
}

static void add_statistics(
    struct live_windows *windows, struct cell_of_time *to, const struct cell_of_time *from)
{
	struct error ignored;
	to->sessions += from->sessions;
	for (size_t i = 0; i < VERDICTS; i++)
		to->verdicts[i] += from->verdicts[i];
	to->uncounted += from->uncounted;
	if (from->statistics == NULL)
		return;
	if (to->statistics == NULL)
		to->statistics = statistics_create_in(&windows->frame, 0, &ignored);
	if (to->statistics != NULL)
		statistics_add(to->statistics, from->statistics);
	else
		to->uncounted += from->sessions - from->uncounted;
}

static void forget(struct live_windows *windows, nanoseconds time)
{
	for (size_t i = 0; i < CELLS_IN_ALL; i++)
		clear(&windows->cells[i]);
	windows->begun = true;
	windows->begin = windows->latest = time;
	for (size_t i = 0; i < LIVE_WINDOWS; i++)
		open_anew(windows, &tiers[i]);
}

// Closes the cells that are over, the shortest first: each goes into the open one of the next window.
static void go_on(struct live_windows *windows, nanoseconds time)
{
	size_t over = 0;
	for (; over < LIVE_WINDOWS; over++) {
		struct cell_of_time *cell = open_cell(windows, &tiers[over]);
		if (time < cell->from + tiers[over].length)
			break;
		if (over + 1 < LIVE_WINDOWS)
			add_statistics(windows, open_cell(windows, &tiers[over + 1]), cell);
	}
	windows->latest = time;
	for (size_t i = 0; i < over; i++)
		open_anew(windows, &tiers[i]);
}

static void pass_to(struct live_windows *windows, nanoseconds time)
{
	if (!windows->begun)
		forget(windows, time);
	else if (time > windows->latest)
		go_on(windows, time);
}

/* ---- what comes ---- */

void live_windows_account(
    struct live_windows *windows, nanoseconds time, const struct live_count *count)
{
	if (time <= 0)
		return; // no packet yet
	if (windows->begun && time < windows->latest - BACK_MOST)
		forget(windows, time);
	pass_to(windows, time);
	windows->now = *count;
}

void live_windows_session(struct live_windows *windows, const struct session_facts *facts)
{
	struct error ignored;
	pass_to(windows, facts->end > 0 ? facts->end : 1);
	struct cell_of_time *cell = open_cell(windows, &tiers[LIVE_QUARTER]);
	cell->sessions++;
	cell->verdicts[facts->verdict]++;
	if (cell->statistics == NULL)
		cell->statistics = statistics_create_in(&windows->frame, 0, &ignored);
	if (cell->statistics != NULL)
		statistics_count(cell->statistics, facts);
	else
		cell->uncounted++;
}

/* ---- looking ---- */

bool live_windows_empty(const struct live_windows *windows)
{
	return !windows->begun;
}

// The cells of a window in the order of time: those that are over, and then the open ones, the longest first. Each
// session of the window is in one of them.
struct cell_list {
	size_t count;
	const struct cell_of_time *cells[LIVE_CELLS_MAX + LIVE_WINDOWS];
};

static struct cell_list cells_of(const struct live_windows *windows, enum live_window window)
{
	const struct tier *tier = &tiers[window];
	struct cell_list list = {.count = 0};
	nanoseconds end = beginning(tier, windows->latest);
	for (nanoseconds from = oldest(windows, tier); from < end; from += tier->length) {
		if (from < 0)
			continue;
		const struct cell_of_time *cell = &windows->cells[place(tier, from)];
		if (cell->used && cell->from == from)
			list.cells[list.count++] = cell;
	}
	for (int open = (int)window; open >= 0; open--) {
		nanoseconds from = beginning(&tiers[open], windows->latest);
		list.cells[list.count++] = &windows->cells[place(&tiers[open], from)];
	}
	return list;
}

static struct live_count count_since(const struct live_count *now, const struct live_count *before)
{
	return (struct live_count){
	    .capture = capture_accounting_since(&now->capture, &before->capture),
	    .packets = now->packets - before->packets,
	    .bytes = now->bytes - before->bytes,
	    .lost = now->lost - before->lost};
}

static void add_sessions(struct live_span *span, const struct cell_of_time *cell)
{
	span->sessions += cell->sessions;
	span->uncounted += cell->uncounted;
	for (size_t i = 0; i < VERDICTS; i++)
		span->verdicts[i] += cell->verdicts[i];
}

static nanoseconds later(nanoseconds one, nanoseconds other)
{
	return one > other ? one : other;
}

struct live_span live_windows_span(const struct live_windows *windows, enum live_window window)
{
	struct live_span span = {.from = 0};
	if (!windows->begun)
		return span;
	struct cell_list list = cells_of(windows, window);
	span.from = later(windows->begin, oldest(windows, &tiers[window]));
	span.until = windows->latest;
	span.count = count_since(&windows->now, &list.cells[0]->before);
	for (size_t i = 0; i < list.count; i++)
		add_sessions(&span, list.cells[i]);
	return span;
}

struct statistics *live_windows_statistics(
    const struct live_windows *windows, enum live_window window, struct error *error)
{
	struct statistics *sum = statistics_create_in(&windows->sum_frame, 0, error);
	if (sum == NULL || !windows->begun)
		return sum;
	struct cell_list list = cells_of(windows, window);
	for (size_t i = 0; i < list.count; i++)
		if (list.cells[i]->statistics != NULL)
			statistics_add(sum, list.cells[i]->statistics);
	return sum;
}

size_t live_windows_cells(const struct live_windows *windows, enum live_window window,
    struct live_span cells[LIVE_CELLS_MAX])
{
	if (!windows->begun)
		return 0;
	struct cell_list list = cells_of(windows, window);
	size_t count =
	    list.count - (size_t)window; // open ones of shorter windows belong to the last
	for (size_t i = 0; i < count; i++) {
		const struct cell_of_time *cell = list.cells[i];
		const struct live_count *after =
		    i + 1 < count ? &list.cells[i + 1]->before : &windows->now;
		nanoseconds end = cell->from + tiers[window].length;
		cells[i] = (struct live_span){.from = later(cell->from, windows->begin),
		    .until = end < windows->latest ? end : windows->latest,
		    .count = count_since(after, &cell->before)};
		add_sessions(&cells[i], cell);
	}
	for (size_t i = count; i < list.count; i++)
		add_sessions(&cells[count - 1], list.cells[i]);
	return count;
}
