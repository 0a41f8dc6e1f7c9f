// SPDX-License-Identifier: Apache-2.0
#include "analytics/path_view.h"

#include "analytics/recent_table.h"
#include "capture/base/quick_hash.h"

#include <stdlib.h>
#include <string.h>

enum { NETWORKS_FIRST = 2 }; // room for networks that a server begins with; doubled as needed

// How one client network saw a server.
struct seen_from {
	struct client_network network;
	nanoseconds last, offered_last;
	nanoseconds missing_since; // 0: it is offered, was never, or comes and goes
	uint32_t offered, missing, stripped, doubtful; // sessions
	bool came_back; // it was offered again after it was missing
};

struct server {
	uint32_t count, room;
	struct seen_from *networks;
};

struct path_view {
	struct hash_key key;
	struct path_view_counters counters;
	struct recent_table *servers; // of struct server
};

struct path_view *path_view_create(size_t servers)
{
	struct path_view *view = calloc(1, sizeof *view);
	if (view == NULL)
		return NULL;
	view->key = hash_key_random();
	view->servers = recent_table_create(servers, sizeof(struct server));
	if (view->servers != NULL)
		return view;
	free(view);
	return NULL;
}

static void release(void *value)
{
	struct server *server = value;
	free(server->networks);
}

void path_view_destroy(struct path_view *view)
{
	if (view == NULL)
		return;
	recent_table_destroy(view->servers, release);
	free(view);
}

/* ---- finding ---- */

// Two servers with one key: once in 2^64 pairs, and nobody can bring it about.
static uint64_t key_of(const struct path_view *view, const struct session_record *record)
{
	struct {
		struct ip_address address;
		uint64_t port;
	} server = {record->address[FROM_SERVER], record->port[FROM_SERVER]};
	return quick_hash(&view->key, &server, sizeof server) | 1;
}

// NULL: nothing is known of it.
static const struct server *find_server(
    const struct path_view *view, const struct session_record *record)
{
	return recent_table_find(view->servers, key_of(view, record));
}

static struct seen_from *find_network(
    const struct server *server, const struct client_network *network)
{
	for (uint32_t i = 0; i < server->count; i++)
		if (memcmp(&server->networks[i].network, network, sizeof *network) == 0)
			return &server->networks[i];
	return NULL;
}

// Of what is kept of a full server, a network that was stripped is missed most.
static struct seen_from *least_missed(const struct server *server)
{
	struct seen_from *least = &server->networks[0];
	for (uint32_t i = 1; i < server->count; i++) {
		struct seen_from *other = &server->networks[i];
		bool lesser = (other->stripped > 0) == (least->stripped > 0)
		                  ? other->last < least->last
		                  : other->stripped == 0;
		if (lesser)
			least = other;
	}
	return least;
}

static bool make_room(struct server *server)
{
	uint32_t room = server->room == 0 ? NETWORKS_FIRST : server->room * 2;
	struct seen_from *larger = realloc(server->networks, room * sizeof *larger);
	if (larger == NULL)
		return false;
	server->networks = larger;
	server->room = room;
	return true;
}

// NULL: no memory.
static struct seen_from *add_network(struct server *server, const struct client_network *network)
{
	struct seen_from *place;
	if (server->count == server->room && server->room < PATH_NETWORKS_MAX &&
	    !make_room(server) && server->count == 0)
		return NULL;
	if (server->count < server->room)
		place = &server->networks[server->count++];
	else
		place = least_missed(server);
	*place = (struct seen_from){.network = *network};
	return place;
}

/* ---- what is asked and told ---- */

struct path_history path_view_recall(struct path_view *view, const struct session_record *record)
{
	struct path_history history = {0};
	const struct server *server = find_server(view, record);
	struct client_network network = client_network_of(&record->address[FROM_CLIENT]);
	if (server == NULL)
		return history;
	const struct seen_from *here = find_network(server, &network);
	if (here == NULL)
		return history;
	history.offered_here = here->offered;
	history.missing_here = here->missing;
	history.missing_since = here->missing_since;
	history.comes_and_goes = here->came_back;
	for (uint32_t i = 0; here->missing_since != 0 && i < server->count; i++)
		history.offered_elsewhere_since +=
		    &server->networks[i] != here &&
		    server->networks[i].offered_last > here->missing_since;
	return history;
}

static void note_offer(struct seen_from *here, const struct session_record *record)
{
	const struct session *session = record->session;
	if (session->starttls_offered == SEEN_YES) {
		here->offered++;
		here->offered_last = record->end;
		here->came_back |= here->missing_since != 0;
		here->missing_since = 0;
	} else if (session->starttls_offered == SEEN_NO && session->capabilities != NULL) {
		here->missing++;
		if (here->missing_since == 0 && here->offered > 0 && !here->came_back)
			here->missing_since = record->end;
	}
}

void path_view_note(
    struct path_view *view, const struct session_record *record, enum path_mark mark)
{
	void *value;
	struct client_network network = client_network_of(&record->address[FROM_CLIENT]);
	enum recent_taken taken = recent_table_take(view->servers, key_of(view, record), &value);
	struct server *server = value;
	if (taken == RECENT_NO_MEMORY)
		return;
	view->counters.servers += taken == RECENT_NEW;
	view->counters.evicted += taken == RECENT_REPLACED;
	if (taken == RECENT_REPLACED)
		server->count = 0; // its room serves this one
	struct seen_from *here = find_network(server, &network);
	if (here == NULL)
		here = add_network(server, &network);
	if (here == NULL)
		return;
	here->last = record->end;
	here->stripped += mark == PATH_STRIPPED;
	here->doubtful += mark == PATH_DOUBTFUL;
	note_offer(here, record);
}

static void list(struct client_network *listed, size_t *count, const struct client_network *network)
{
	if (*count < PATH_LISTED_MAX)
		listed[*count] = *network;
	++*count;
}

struct path_networks path_view_networks(
    struct path_view *view, const struct session_record *record, enum path_mark mark)
{
	struct path_networks found = {0};
	const struct server *server = find_server(view, record);
	struct client_network own = client_network_of(&record->address[FROM_CLIENT]);
	if (mark == PATH_STRIPPED)
		list(found.stripped, &found.stripped_count, &own);
	for (uint32_t i = 0; server != NULL && i < server->count; i++) {
		const struct seen_from *here = &server->networks[i];
		bool is_own = memcmp(&here->network, &own, sizeof own) == 0;
		if (is_own && mark == PATH_STRIPPED)
			continue; // listed first
		if (here->stripped > 0)
			list(found.stripped, &found.stripped_count, &here->network);
		else if (here->offered > 0 && here->doubtful == 0 &&
		         !(is_own && mark != PATH_UNTOUCHED))
			list(found.clean, &found.clean_count, &here->network);
	}
	return found;
}

struct path_view_counters path_view_counters(const struct path_view *view)
{
	return view->counters;
}
