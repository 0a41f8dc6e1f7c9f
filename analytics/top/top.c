// SPDX-License-Identifier: Apache-2.0
#include "analytics/top/top.h"

#include "analytics/command_line.h"
#include "analytics/top/top_client.h"
#include "analytics/top/top_frame.h"
#include "analytics/top/top_screen.h"
#include "capture/base/monotonic.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)

enum { TURN = 1000 }; // milliseconds that are waited at a time

// What is shown, and what is waited for.
struct top {
	struct top_settings settings;
	struct top_client *client;
	struct top_frame frame;
	struct top_view view;
	json_t *live; // the last answer, or NULL
	int64_t ask_at; // by the monotonic clock
	bool asking;
};

static bool shows_all_characters(void)
{
	(void)setlocale(LC_CTYPE, "");
	return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static struct top *open_top(const struct top_settings *settings, struct error *error)
{
	struct top *top = calloc(1, sizeof *top);
	error_set(error, "no memory");
	if (top == NULL)
		return NULL;
	top->settings = *settings;
	top->view.ascii = !shows_all_characters();
	top->view.address = settings->address;
	top->view.window = settings->window;
	top->client = top_client_create(settings->address, error);
	if (top->client != NULL)
		return top;
	free(top);
	return NULL;
}

static void close_top(struct top *top)
{
	json_decref(top->live);
	top_client_destroy(top->client);
	free(top);
}

/* ---- once ---- */

static void print_frame(struct top *top)
{
	const struct top_look look = {
	    .live = top->live, .columns = TOP_COLUMNS_MAX, .ascii = top->view.ascii};
	top_frame_make(&top->frame, &look);
	for (size_t i = 0; i < top->frame.count; i++)
		puts(top->frame.lines[i].text);
}

static bool print_top(const struct top_settings *settings, struct error *error)
{
	struct top *top = open_top(settings, error);
	enum top_outcome outcome = TOP_NOTHING;
	if (top == NULL)
		return false;
	bool good = top_client_ask(top->client, settings->window, error);
	while (good && outcome == TOP_NOTHING)
		outcome = top_client_wait(top->client, TURN, -1, &top->live, error);
	good = good && outcome == TOP_ANSWER;
	if (good)
		print_frame(top);
	good = good && command_output_end(error);
	close_top(top);
	return good;
}

/* ---- on a screen ---- */

static void ask(struct top *top)
{
	top->asking = top_client_ask(top->client, top->view.window, &top->view.trouble);
	top->ask_at = monotonic_now() + (int64_t)top->settings.interval * SECOND;
}

static void take(struct top *top, enum top_outcome outcome, json_t *answer)
{
	if (outcome == TOP_NOTHING)
		return;
	top->asking = false;
	top->view.failing = outcome == TOP_FAILED;
	if (outcome != TOP_ANSWER)
		return;
	json_decref(top->live);
	top->live = answer;
	top->view.answered = monotonic_now();
}

// Milliseconds until the next question, and a second at most, so that ages are right.
static int pause_of(const struct top *top)
{
	enum { MILLISECOND = 1000000 };
	int64_t left = (top->ask_at - monotonic_now()) / MILLISECOND;
	if (top->view.paused || left > TURN)
		return TURN;
	return left > 0 ? (int)left + 1 : 0;
}

static void turn(struct top *top)
{
	json_t *answer = NULL;
	struct error error;
	int pause = top->asking ? TURN : pause_of(top);
	enum top_outcome outcome =
	    top_client_wait(top->client, pause, STDIN_FILENO, &answer, &error);
	if (outcome == TOP_FAILED)
		top->view.trouble = error;
	take(top, outcome, answer);
	if (!top->asking && !top->view.paused && monotonic_now() >= top->ask_at)
		ask(top);
}

// False: it is to end.
static bool take_keys(struct top *top)
{
	enum live_window before = top->view.window;
	if (!top_screen_keys(&top->view, &top->frame))
		return false;
	if (top->view.window != before)
		ask(top);
	return true;
}

static bool show_top(const struct top_settings *settings, struct error *error)
{
	struct top *top = open_top(settings, error);
	if (top == NULL)
		return false;
	if (!top_screen_open(error)) {
		close_top(top);
		return false;
	}
	do {
		const struct top_look look = {.live = top->live,
		    .columns = top_screen_columns(),
		    .ascii = top->view.ascii,
		    .order = top->view.order};
		top_frame_make(&top->frame, &look);
		top_screen_draw(&top->view, &top->frame);
		turn(top);
	} while (take_keys(top));
	top_screen_close();
	close_top(top);
	return true;
}

const struct top_ops top_module = {.show = show_top, .print = print_top};
