// SPDX-License-Identifier: Apache-2.0
// What a run tells over HTTP: / (the page that people look at) and /live.json (the same for programs), of a window
// of time (?window=15m); /metrics (OpenMetrics, or the older text format for who does not ask for that), /healthz
// (its analytics thread turns) and /readyz (packets are being read). GET and HEAD, one request a connection, and
// nothing else. libmicrohttpd reads the requests; a thread of its own does all, and takes
// what it tells from published.h, so that nobody who asks ever holds up a packet.
//
// It is a module of its own (base/module.h), which run_view.c loads.
//
// Whoever connects is hostile: connections, their bytes and their time are bounded, and where there are too
// many the oldest goes first, so that a scrape gets through.
#ifndef MAILTAP_ANALYTICS_HTTP_SERVER_H
#define MAILTAP_ANALYTICS_HTTP_SERVER_H

#include "analytics/listen_address.h"
#include "analytics/published.h"

struct http_server;

// What it is answered from; `published` is borrowed, the rest copied.
struct http_site {
	struct published *published;
	const char *policy; // Content-Security-Policy of the page
	const char *names; // by which it may be called, besides addresses and localhost; NULL: none
};
// What the module gives to the program that loads it.
struct http_server_ops {
	// Listens and starts the thread; signals are left to the others. `published` is borrowed until it is stopped.
	// NULL: *error. The address then has the port that was found for port 0.
	struct http_server *(*start)(
	    struct listen_address *address, const struct http_site *site, struct error *error);
	// Answers what waits, ends the thread and frees all. NULL is allowed.
	void (*stop)(struct http_server *server);
};

#define HTTP_MODULE_SYMBOL "http_module"

extern const struct http_server_ops http_module;

#endif
