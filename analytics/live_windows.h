// SPDX-License-Identifier: Apache-2.0
// The last quarter of an hour, hour and day of a run, in packet time: the tables of the statistics and what the
// capture said of itself. Time is cut into cells, shorter ones for shorter windows; what is told of a window is
// the sum of its cells, so that a window reaches back up to the length of a cell more. A session counts in the
// cell that is open when it ends.
//
// Memory is bounded whatever comes (configs/bounds.md): a cell tells few servers, clients and pairs apart, and
// counts the rest as others. Cells without a session take none. Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_LIVE_WINDOWS_H
#define MAILTAP_ANALYTICS_LIVE_WINDOWS_H

#include "analytics/capture_accounting.h"
#include "analytics/live_window.h"
#include "analytics/statistics.h"

// What is counted of the run besides its sessions, since it began.
struct live_count {
	struct capture_accounting capture;
	uint64_t packets, bytes; // read; on the wire
	uint64_t lost; // packets and segments, before the tap or in it
};

struct live_windows;

// NULL: *error.
struct live_windows *live_windows_create(struct error *error);
void live_windows_destroy(struct live_windows *windows); // NULL is allowed

// It is this time, and this was counted until now. Time that goes back stays in the cell that is open; but behind
// the clock being set back by more than a quarter of an hour, or a capture that begins earlier, all begins anew.
void live_windows_account(
    struct live_windows *windows, nanoseconds time, const struct live_count *count);

// A session has ended.
void live_windows_session(struct live_windows *windows, const struct session_facts *facts);

/* ---- looking ---- */

// Nothing was seen yet: there are no windows.
bool live_windows_empty(const struct live_windows *windows);

// A window, or a cell of it.
struct live_span {
	nanoseconds from, until; // `until`: the latest time that it has
	uint64_t sessions, verdicts[VERDICTS];
	uint64_t uncounted; // of the sessions those that are in no table: there was no memory
	struct live_count count; // what came to it in this time
};

struct live_span live_windows_span(const struct live_windows *windows, enum live_window window);

// Its tables. To be destroyed. NULL: no memory; *error.
struct statistics *live_windows_statistics(
    const struct live_windows *windows, enum live_window window, struct error *error);

// Its cells from the oldest on; those of which nothing is known are left out. Returns how many there are.
enum { LIVE_CELLS_MAX = 32 };
size_t live_windows_cells(const struct live_windows *windows, enum live_window window,
    struct live_span cells[LIVE_CELLS_MAX]);

#endif
