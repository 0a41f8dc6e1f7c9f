// SPDX-License-Identifier: Apache-2.0
#include "analytics/http_answer.h"

#include "analytics/http_host.h"
#include "analytics/metrics_classic.h"
#include "capture/base/monotonic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_OLDEST SECONDS(30) // older figures are none
#define TURNS_WITHIN SECONDS(10) // or the analytics thread is stuck
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_CLASSIC "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define TYPE_PAGE "text/html; charset=utf-8"
#define TYPE_JSON "application/json"
#define OPEN_ACCEPTED "application/openmetrics-text"
// What has no place for anything that a browser would run, frame or keep.
#define NOTHING "default-src 'none'; frame-ancestors 'none'"

// What is said; `body` is one of this program's, or belongs to the response already.
struct answer {
	unsigned code;
	const char *type;
	struct MHD_Response *response; // NULL: no memory
};

static struct answer say(unsigned code, const char *text)
{
	// The library takes no const; with MHD_RESPMEM_PERSISTENT it leaves the text as it is.
	void *bytes = (void *)(uintptr_t)text;
	return (struct answer){code, TYPE_TEXT,
	    MHD_create_response_from_buffer(strlen(text), bytes, MHD_RESPMEM_PERSISTENT)};
}

/* ---- pages ---- */

static void free_page(void *page)
{
	published_release(page);
}

// As it is.
static struct answer say_page(const struct published_page *page, const char *type)
{
	void *bytes = (void *)(uintptr_t)page->text, *whole = (void *)(uintptr_t)page;
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
	    page->length, bytes, free_page, whole);
	if (response == NULL)
		published_release(page);
	return (struct answer){MHD_HTTP_OK, type, response};
}

static struct answer say_classic(const struct published_page *page)
{
	struct answer answer = {MHD_HTTP_OK, TYPE_CLASSIC, NULL};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out != NULL) {
		metrics_classic_write(page->text, page->length, out);
		bool good = !ferror(out);
		good &= fclose(out) == 0;
		if (good)
			answer.response =
			    MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
		if (answer.response == NULL)
			free(text);
	}
	published_release(page);
	return answer;
}

// NULL: there is none that is new enough.
static const struct published_page *new_page(struct published *published, enum published_kind kind)
{
	const struct published_page *page = published_page(published, kind);
	if (page != NULL && monotonic_now() - page->made <= PAGE_OLDEST)
		return page;
	published_release(page);
	return NULL;
}

static struct answer say_no_figures(void)
{
	return say(MHD_HTTP_SERVICE_UNAVAILABLE,
	    "no figures: the analytics thread has not put any together in time\n");
}

static struct answer metrics(const struct http_question *question, struct published *published)
{
	const struct published_page *page = new_page(published, PUBLISHED_METRICS);
	if (page == NULL)
		return say_no_figures();
	bool open = question->accept != NULL && strstr(question->accept, OPEN_ACCEPTED) != NULL;
	return open ? say_page(page, TYPE_OPEN) : say_classic(page);
}

static bool window_of(const struct http_question *question, enum live_window *window)
{
	*window = LIVE_QUARTER;
	return question->window == NULL || live_window_find(question->window, window);
}

// `kind`: of the first window.
static struct answer say_window(const struct http_question *question, struct published *published,
    enum published_kind kind, const char *type)
{
	enum live_window window;
	if (!window_of(question, &window))
		return say(MHD_HTTP_BAD_REQUEST, "window is one of 15m, 1h, 24h\n");
	const struct published_page *page =
	    new_page(published, (enum published_kind)((int)kind + (int)window));
	return page != NULL ? say_page(page, type) : say_no_figures();
}

static struct answer live_page(const struct http_question *question, struct published *published)
{
	return say_window(question, published, PUBLISHED_PAGE, TYPE_PAGE);
}

static struct answer live_json(const struct http_question *question, struct published *published)
{
	return say_window(question, published, PUBLISHED_JSON, TYPE_JSON);
}

/* ---- /healthz, /readyz ---- */

static struct answer health(const struct http_question *question, struct published *published)
{
	(void)question;
	if (published_silence(published) > TURNS_WITHIN)
		return say(MHD_HTTP_SERVICE_UNAVAILABLE,
		    "stuck: the analytics thread has not turned for more than 10 s\n");
	return say(MHD_HTTP_OK, "ok\n");
}

static struct answer readiness(const struct http_question *question, struct published *published)
{
	(void)question;
	switch (published_stage(published)) {
	case STAGE_STARTING:
		return say(MHD_HTTP_SERVICE_UNAVAILABLE, "starting: no source is open yet\n");
	case STAGE_READING:
		return say(MHD_HTTP_OK, "ready\n");
	case STAGE_DRAINING:
	default:
		return say(MHD_HTTP_SERVICE_UNAVAILABLE,
		    "draining: no more packets are read, what is under way is written\n");
	}
}

/* ---- all ---- */

static const struct route {
	const char *path;
	struct answer (*answer)(const struct http_question *question, struct published *published);
	bool has_page;
	enum published_kind kind; // of it, that of the first window
	bool by_window;
	bool private; // tells of addresses: not to whoever calls it by a name that is not its own
} routes[] = {
    {"/", live_page, true, PUBLISHED_PAGE, true, true},
    {"/live.json", live_json, true, PUBLISHED_JSON, true, true},
    {"/metrics", metrics, true, PUBLISHED_METRICS, false, false},
    {"/healthz", health, false, PUBLISHED_KINDS, false, false},
    {"/readyz", readiness, false, PUBLISHED_KINDS, false, false},
};

// NULL: there is none of this path.
static const struct route *route_of(const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
	return NULL;
}

static bool is_known_method(const char *method)
{
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ||
	       strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static bool is_for_all(
    const struct route *route, const struct http_question *question, const struct http_site *site)
{
	return !route->private || question->host == NULL ||
	       http_host_is_own(question->host, site->names);
}

bool http_answer_needs_page(
    const struct http_question *question, const struct http_site *site, enum published_kind *kind)
{
	enum live_window window;
	const struct route *route = route_of(question->path);
	if (route == NULL || !route->has_page || !is_known_method(question->method) ||
	    !is_for_all(route, question, site) || !window_of(question, &window))
		return false;
	*kind = (enum published_kind)((int)route->kind + (route->by_window ? (int)window : 0));
	return true;
}

static struct answer answer_to(const struct http_question *question, const struct http_site *site)
{
	const struct route *route = route_of(question->path);
	if (route == NULL)
		return say(MHD_HTTP_NOT_FOUND,
		    "there are /, /live.json, /metrics, /healthz and /readyz\n");
	if (!is_for_all(route, question, site))
		return say(MHD_HTTP_MISDIRECTED_REQUEST,
		    "this is not called so: ask for its address, or localhost, or give the name "
		    "with --listen-name\n");
	if (is_known_method(question->method))
		return route->answer(question, site->published);
	struct answer answer = say(MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (answer.response != NULL)
		MHD_add_response_header(answer.response, "Allow", "GET, HEAD");
	return answer;
}

static void add_headers(const struct answer *answer, const struct http_site *site)
{
	static const char *const headers[][2] = {
	    {"X-Content-Type-Options", "nosniff"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Cross-Origin-Opener-Policy", "same-origin"},
	    {"Referrer-Policy", "no-referrer"},
	    {"Cache-Control", "no-store"},
	    {"Connection", "close"},
	};
	bool page = strcmp(answer->type, TYPE_PAGE) == 0;
	MHD_add_response_header(answer->response, "Content-Type", answer->type);
	MHD_add_response_header(
	    answer->response, "Content-Security-Policy", page ? site->policy : NOTHING);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		MHD_add_response_header(answer->response, headers[i][0], headers[i][1]);
}

enum MHD_Result http_answer(struct MHD_Connection *connection, const struct http_question *question,
    const struct http_site *site)
{
	struct answer answer = answer_to(question, site);
	if (answer.response == NULL)
		return MHD_NO;
	add_headers(&answer, site);
	enum MHD_Result queued = MHD_queue_response(connection, answer.code, answer.response);
	MHD_destroy_response(answer.response);
	return queued;
}
