// SPDX-License-Identifier: Apache-2.0
#include "analytics/run_view.h"

#include "analytics/http_server.h"
#include "analytics/live_json.h"
#include "analytics/live_page.h"
#include "capture/base/module.h"

#include <stdio.h>
#include <stdlib.h>

struct run_view {
	struct published *published;
	struct live_state *live;
	const struct http_server_ops *http; // NULL: not loaded
	struct http_server *server;
};

static bool open_parts(struct run_view *view, struct listen_address *address,
    const struct live_settings *settings, struct error *error)
{
	char policy[LIVE_POLICY_SIZE];
	live_page_policy(policy);
	view->published = published_create(error);
	if (view->published == NULL)
		return false;
	view->live = live_state_create(settings, error);
	if (view->live == NULL)
		return false;
	static const struct module module = {
	    HTTP_MODULE_FILE, HTTP_MODULE_SYMBOL, "cannot listen", "libmicrohttpd12"};
	view->http = module_load(&module, error);
	if (view->http == NULL)
		return false;
	const struct http_site site = {view->published, policy, settings->names};
	view->server = view->http->start(address, &site, error);
	return view->server != NULL;
}

struct run_view *run_view_open(
    const struct listen_address *address, const struct live_settings *settings, struct error *error)
{
	char text[LISTEN_ADDRESS_TEXT];
	struct listen_address found = *address;
	struct run_view *view = calloc(1, sizeof *view);
	error_set(error, "no memory to show how the run goes");
	if (view == NULL)
		return NULL;
	if (!open_parts(view, &found, settings, error)) {
		run_view_close(view);
		return NULL;
	}
	listen_address_text(text, &found);
	if (listen_address_port(address) == 0)
		fprintf(stderr, "mailtap: listening at http://%s/metrics\n", text);
	return view;
}

void run_view_close(struct run_view *view)
{
	if (view == NULL)
		return;
	if (view->http != NULL)
		view->http->stop(view->server);
	published_destroy(view->published);
	live_state_destroy(view->live);
	free(view);
}

struct live_state *run_view_live(struct run_view *view)
{
	return view != NULL ? view->live : NULL;
}

void run_view_set_stage(struct run_view *view, enum run_stage stage)
{
	if (view != NULL)
		published_set_stage(view->published, stage);
}

bool run_view_turn(struct run_view *view, enum published_kind *kind)
{
	return view != NULL && published_turn(view->published, kind);
}

static void write_json(const struct live_look *look, FILE *out)
{
	struct json json = {.text = NULL};
	live_json_write(&json, look);
	if (!json.failed)
		fwrite(json.text, 1, json.length, out);
	json_release(&json);
}

static void write_page(
    struct run_view *view, enum published_kind kind, const struct run_figures *figures, FILE *out)
{
	struct live_look look = {.live = view->live,
	    .accounting = figures->accounting,
	    .intake = figures->intake,
	    .stage = published_stage(view->published)};
	if (kind == PUBLISHED_METRICS) {
		exporters_metrics(figures->exporters, figures->accounting, out);
	} else if (kind < PUBLISHED_JSON) {
		look.window = (enum live_window)(kind - PUBLISHED_PAGE);
		live_page_write(&look, out);
	} else {
		look.window = (enum live_window)(kind - PUBLISHED_JSON);
		write_json(&look, out);
	}
}

void run_view_answer(
    struct run_view *view, enum published_kind kind, const struct run_figures *figures)
{
	char *page = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&page, &length);
	bool good = out != NULL;
	if (good) {
		write_page(view, kind, figures, out);
		good = !ferror(out);
		good &= fclose(out) == 0 && length > 0;
	}
	if (!good) {
		free(page);
		page = NULL;
	}
	published_put(view->published, kind, page, length);
}

void run_view_rest(struct run_view *view)
{
	if (view != NULL)
		published_rest(view->published);
}
