// SPDX-License-Identifier: Apache-2.0
// What a run shows of itself while it goes on: the analytics thread makes pages of it when they are asked for,
// and the HTTP server hands them out. Called by run.c. A view of NULL is one that nobody asked for: all may
// be done with it, and nothing comes of it.
#ifndef MAILTAP_ANALYTICS_RUN_VIEW_H
#define MAILTAP_ANALYTICS_RUN_VIEW_H

#include "analytics/exporter.h"
#include "analytics/intake.h"
#include "analytics/listen_address.h"
#include "analytics/live_state.h"
#include "analytics/published.h"

struct run_view;

// Listens at once, so that it can be told that the run begins. With port 0 the port that was found is said on
// standard error, as nobody could know it. NULL: *error.
struct run_view *run_view_open(const struct listen_address *address,
    const struct live_settings *settings, struct error *error);

// What the analytics thread fills, for the pages. NULL without a view.
struct live_state *run_view_live(struct run_view *view);

// Nobody else uses it by then.
void run_view_close(struct run_view *view);

// By any thread.
void run_view_set_stage(struct run_view *view, enum run_stage stage);

// By the analytics thread, once per turn. True: a page of *kind is asked for, run_view_answer makes it.
bool run_view_turn(struct run_view *view, enum published_kind *kind);

// What the analytics thread knows of the run.
struct run_figures {
	const struct exporters *exporters;
	const struct run_accounting *accounting;
	const struct intake *intake;
};

void run_view_answer(
    struct run_view *view, enum published_kind kind, const struct run_figures *figures);

// The analytics thread has done its work and turns no more.
void run_view_rest(struct run_view *view);

#endif
