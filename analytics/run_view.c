// SPDX-License-Identifier: Apache-2.0
#include "analytics/run_view.h"

#include "analytics/http_server.h"
#include "capture/base/module.h"

#include <stdio.h>
#include <stdlib.h>

struct run_view {
	struct published *published;
	const struct http_server_ops *http; // NULL: not loaded
	struct http_server *server;
};

static bool open_parts(struct run_view *view, struct listen_address *address, struct error *error)
{
	view->published = published_create(error);
	if (view->published == NULL)
		return false;
	static const struct module module = {
	    HTTP_MODULE_FILE, HTTP_MODULE_SYMBOL, "cannot listen", "libmicrohttpd12"};
	view->http = module_load(&module, error);
	if (view->http == NULL)
		return false;
	view->server = view->http->start(address, view->published, error);
	return view->server != NULL;
}

struct run_view *run_view_open(const struct listen_address *address, struct error *error)
{
	char text[LISTEN_ADDRESS_TEXT];
	struct listen_address found = *address;
	struct run_view *view = calloc(1, sizeof *view);
	error_set(error, "no memory to show how the run goes");
	if (view == NULL)
		return NULL;
	if (!open_parts(view, &found, error)) {
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
	free(view);
}

void run_view_set_stage(struct run_view *view, enum run_stage stage)
{
	if (view != NULL)
		published_set_stage(view->published, stage);
}

bool run_view_turn(struct run_view *view)
{
	return view != NULL && published_turn(view->published);
}

void run_view_answer(struct run_view *view, const struct exporters *exporters,
    const struct run_accounting *accounting)
{
	char *page = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&page, &length);
	bool good = out != NULL;
	if (good) {
		exporters_metrics(exporters, accounting, out);
		good = !ferror(out);
		good &= fclose(out) == 0;
	}
	if (!good) {
		free(page);
		page = NULL;
	}
	published_put(view->published, page, length);
}

void run_view_rest(struct run_view *view)
{
	if (view != NULL)
		published_rest(view->published);
}
