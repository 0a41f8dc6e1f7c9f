// SPDX-License-Identifier: Apache-2.0
#include "analytics/http_answer.h"

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
#define OPEN_ACCEPTED "application/openmetrics-text"

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

/* ---- /metrics ---- */

static void free_page(void *page)
{
	page_release(page);
}

static struct answer say_open(const struct page *page)
{
	void *bytes = (void *)(uintptr_t)page->text, *whole = (void *)(uintptr_t)page;
	struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls(
	    page->length, bytes, free_page, whole);
	if (response == NULL)
		page_release(page);
	return (struct answer){MHD_HTTP_OK, TYPE_OPEN, response};
}

static struct answer say_classic(const struct page *page)
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
	page_release(page);
	return answer;
}

static struct answer metrics(const struct http_question *question, struct published *published)
{
	const struct page *page = published_page(published);
	if (page == NULL || monotonic_now() - page->made > PAGE_OLDEST) {
		page_release(page);
		return say(MHD_HTTP_SERVICE_UNAVAILABLE,
		    "no figures: the analytics thread has not put any together in time\n");
	}
	bool open = question->accept != NULL && strstr(question->accept, OPEN_ACCEPTED) != NULL;
	return open ? say_open(page) : say_classic(page);
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
	bool needs_page;
} routes[] = {
    {"/metrics", metrics, true},
    {"/healthz", health, false},
    {"/readyz", readiness, false},
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

bool http_answer_needs_page(const struct http_question *question)
{
	const struct route *route = route_of(question->path);
	return route != NULL && route->needs_page && is_known_method(question->method);
}

static struct answer answer_to(const struct http_question *question, struct published *published)
{
	const struct route *route = route_of(question->path);
	if (route == NULL)
		return say(MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz\n");
	if (is_known_method(question->method))
		return route->answer(question, published);
	struct answer answer = say(MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
	if (answer.response != NULL)
		MHD_add_response_header(answer.response, "Allow", "GET, HEAD");
	return answer;
}

// A page of this is no place for anything that a browser would run, frame or keep.
static void add_headers(const struct answer *answer)
{
	static const char *const headers[][2] = {
	    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	    {"X-Content-Type-Options", "nosniff"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Cache-Control", "no-store"},
	    {"Connection", "close"},
	};
	MHD_add_response_header(answer->response, "Content-Type", answer->type);
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		MHD_add_response_header(answer->response, headers[i][0], headers[i][1]);
}

enum MHD_Result http_answer(struct MHD_Connection *connection, const struct http_question *question,
    struct published *published)
{
	struct answer answer = answer_to(question, published);
	if (answer.response == NULL)
		return MHD_NO;
	add_headers(&answer);
	enum MHD_Result queued = MHD_queue_response(connection, answer.code, answer.response);
	MHD_destroy_response(answer.response);
	return queued;
}
