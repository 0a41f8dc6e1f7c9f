// SPDX-License-Identifier: Apache-2.0
#include "analytics/http_server.h"

#include "analytics/http_answer.h"
#include "capture/base/monotonic.h"
#include "capture/base/thread.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 96, // at once, however short
	CONNECTIONS_KEPT = 64, // beyond these the oldest goes
	REQUEST_MAX = 8 * 1024, // bytes of a request's head, and of what is being sent
	LOOK_EVERY = 100, // milliseconds: how late a deadline may be
};

#define CONNECTION_LONGEST SECONDS(10) // from its beginning to the end of the answer
#define PAGE_LONGEST SECONDS(2) // that a scrape waits for figures

// A connection: what it waits for, and until when.
struct visit {
	struct http_server *server;
	struct MHD_Connection *connection; // NULL: free
	int socket;
	int64_t began, page_until; // by the monotonic clock
	enum published_kind kind;
	uint64_t page; // of this kind at least this one is wanted
	bool asked, waits; // for a page
	bool cut; // its socket is shut: it is only being cleared away
};

struct http_server {
	struct published *published;
	struct http_site site;
	char *policy, *names; // of the site
	struct MHD_Daemon *daemon;
	int wake; // readable: it is to stop
	pthread_t thread;
	struct visit visits[CONNECTIONS_MAX];
	size_t visit_count;
	bool stopping;
};

/* ---- connections ---- */

// Who hangs on to it is told so; libmicrohttpd then finds it closed.
static void cut(struct visit *visit)
{
	visit->cut = true;
	(void)shutdown(visit->socket, SHUT_RDWR);
}

static void cut_oldest(struct http_server *server)
{
	struct visit *oldest = NULL;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct visit *visit = &server->visits[i];
		if (visit->connection == NULL || visit->cut)
			continue;
		if (oldest == NULL || visit->began < oldest->began)
			oldest = visit;
	}
	if (oldest != NULL)
		cut(oldest);
}

static struct visit *begin_visit(struct http_server *server, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visit *visit = server->visits;
	while (visit < server->visits + CONNECTIONS_MAX && visit->connection != NULL)
		visit++;
	if (info == NULL || visit == server->visits + CONNECTIONS_MAX)
		return NULL; // cannot be: the library has the same limit
	if (server->visit_count >= CONNECTIONS_KEPT)
		cut_oldest(server);
	*visit = (struct visit){.server = server,
	    .connection = connection,
	    .socket = info->connect_fd,
	    .began = monotonic_now()};
	server->visit_count++;
	return visit;
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode what)
{
	struct http_server *server = context;
	struct visit *visit = *socket_context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = begin_visit(server, connection);
	} else if (visit != NULL) {
		visit->connection = NULL;
		server->visit_count--;
	}
}

/* ---- requests ---- */

static struct visit *visit_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return info != NULL ? info->socket_context : NULL;
}

// Asks for figures as they are now. The connection sleeps until they are there, or for as long as is bearable.
static enum MHD_Result wait_for_page(struct visit *visit, enum published_kind kind)
{
	visit->asked = visit->waits = true;
	visit->kind = kind;
	visit->page = published_ask(visit->server->published, kind);
	visit->page_until = monotonic_now() + PAGE_LONGEST;
	MHD_suspend_connection(visit->connection);
	return MHD_YES;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
    const char *path, const char *method, const char *version, const char *body,
    size_t *body_length, void **request)
{
	struct http_server *server = context;
	struct visit *visit = visit_of(connection);
	(void)version, (void)body, (void)body_length, (void)request;
	if (visit == NULL)
		return MHD_NO;
	struct http_question question = {
	    .path = path,
	    .method = method,
	    .accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept"),
	    .host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host"),
	    .window = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "window"),
	};
	enum published_kind kind;
	if (!visit->asked && !server->stopping &&
	    http_answer_needs_page(&question, &server->site, &kind))
		return wait_for_page(visit, kind);
	return http_answer(connection, &question, &server->site);
}

static void resume(struct visit *visit)
{
	visit->waits = false;
	MHD_resume_connection(visit->connection);
}

static bool is_there(const struct http_server *server, const struct visit *visit)
{
	const struct published_page *page = published_page(server->published, visit->kind);
	bool there = page != NULL && page->number >= visit->page;
	published_release(page);
	return there;
}

// Wakes those whose page is there, or who waited for too long.
static void serve_waiting(struct http_server *server)
{
	int64_t now = monotonic_now();
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct visit *visit = &server->visits[i];
		if (visit->connection == NULL || !visit->waits)
			continue;
		if (server->stopping || now >= visit->page_until || is_there(server, visit))
			resume(visit);
	}
}

static void cut_overdue(struct http_server *server)
{
	int64_t now = monotonic_now();
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct visit *visit = &server->visits[i];
		if (visit->connection != NULL && !visit->cut && !visit->waits &&
		    now - visit->began > CONNECTION_LONGEST)
			cut(visit);
	}
}

/* ---- the thread ---- */

// How long nothing may happen, in milliseconds. Negative: for ever.
static int longest_wait(const struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG asked;
	int own = server->visit_count > 0 ? LOOK_EVERY : -1;
	if (MHD_get_timeout(server->daemon, &asked) != MHD_YES)
		return own;
	return own < 0 || asked < (unsigned)own ? (int)(asked < LOOK_EVERY ? asked : LOOK_EVERY)
	                                        : own;
}

static void *serve(void *context)
{
	struct http_server *server = context;
	(void)pthread_setname_np(pthread_self(), "http");
	const union MHD_DaemonInfo *info =
	    MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd events[] = {
	    {.fd = info->epoll_fd, .events = POLLIN},
	    {.fd = published_descriptor(server->published), .events = POLLIN},
	    {.fd = server->wake, .events = POLLIN},
	};
	while (!server->stopping) {
		(void)poll(events, sizeof events / sizeof events[0], longest_wait(server));
		server->stopping = (events[2].revents & POLLIN) != 0;
		published_clear(server->published);
		serve_waiting(server);
		cut_overdue(server);
		(void)MHD_run(server->daemon);
	}
	(void)MHD_run(server->daemon); // those that were woken by the last turn get their answer
	return NULL;
}

static bool start(struct http_server *server, int listener)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
	server->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, server,
	    MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
	    MHD_OPTION_END);
	// The library may or may not have closed the socket by then: closing it twice would be worse than not at all.
	if (server->daemon == NULL)
		return false;
	if (thread_begin(&server->thread, serve, server))
		return true;
	MHD_stop_daemon(server->daemon);
	return false;
}

static void release(struct http_server *server)
{
	free(server->policy);
	free(server->names);
	free(server);
}

// Copies what the site says.
static bool set_site(struct http_server *server, const struct http_site *site)
{
	server->policy = strdup(site->policy);
	server->names = strdup(site->names != NULL ? site->names : "");
	server->published = site->published;
	server->site = (struct http_site){site->published, server->policy, server->names};
	return server->policy != NULL && server->names != NULL;
}

static struct http_server *start_server(
    struct listen_address *address, const struct http_site *site, struct error *error)
{
	struct http_server *server = calloc(1, sizeof *server);
	error_set(error, "no memory to listen");
	if (server == NULL)
		return NULL;
	if (!set_site(server, site)) {
		release(server);
		return NULL;
	}
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int listener = server->wake >= 0 ? listen_address_open(address, error) : -1;
	if (listener >= 0) {
		error_set(error, "the thread that answers HTTP could not be started");
		if (start(server, listener))
			return server;
	}
	if (server->wake >= 0)
		close(server->wake);
	release(server);
	return NULL;
}

static void stop_server(struct http_server *server)
{
	static const uint64_t one = 1;
	if (server == NULL)
		return;
	ssize_t written = write(server->wake, &one, sizeof one);
	(void)written; // cannot fail: it was never written to
	(void)pthread_join(server->thread, NULL);
	MHD_stop_daemon(server->daemon);
	close(server->wake);
	release(server);
}

const struct http_server_ops http_module = {.start = start_server, .stop = stop_server};
