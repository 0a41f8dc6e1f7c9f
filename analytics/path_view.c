// SPDX-License-Identifier: Apache-2.0
#include "analytics/path_view.h"

#include "capture/base/hash.h"

#include <stdlib.h>
#include <string.h>

enum {
	WAYS = 4, // servers whose keys share a place
	NETWORKS_FIRST = 2, // room for networks that a server begins with; doubled as needed
};

// How one client network saw a server.
struct seen_from {
	struct client_network network;
	nanoseconds last, offered_last;
	nanoseconds missing_since; // 0: it is offered, was never, or comes and goes
	uint32_t offered, missing, stripped, doubtful; // sessions
	bool came_back; // it was offered again after it was missing
};

struct server {
	uint64_t key; // 0: free
	uint64_t used; // a clock of uses
	uint32_t count, room;
	struct seen_from *networks;
};

struct path_view {
	struct hash_key key;
	uint64_t clock;
	struct path_view_counters counters;
	size_t places; // a power of two
	struct server servers[]; // WAYS to a place
};

struct path_view *path_view_create(size_t servers)
{
	size_t places = 1;
	while (places * WAYS < servers)
		places *= 2;
	struct path_view *view = calloc(1, sizeof *view + places * WAYS * sizeof view->servers[0]);
	if (view == NULL)
		return NULL;
	view->key = hash_key_random();
	view->places = places;
	return view;
}

void path_view_destroy(struct path_view *view)
{
	if (view == NULL)
		return;
	for (size_t i = 0; i < view->places * WAYS; i++)
		free(view->servers[i].networks);
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
	return hash_bytes(&view->key, &server, sizeof server) | 1;
}

// The server's entry, or the one of its place that was not used for longest.
static struct server *find_server(struct path_view *view, uint64_t key)
{
	struct server *place = &view->servers[(key >> 1) % view->places * WAYS];
	struct server *oldest = place;
	for (int i = 0; i < WAYS; i++) {
		if (place[i].key == key)
			return &place[i];
		if (place[i].used < oldest->used)
			oldest = &place[i];
	}
	return oldest;
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
	uint64_t key = key_of(view, record);
	const struct server *server = find_server(view, key);
	struct client_network network = client_network_of(&record->address[FROM_CLIENT]);
	if (server->key != key)
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
	uint64_t key = key_of(view, record);
	struct server *server = find_server(view, key);
	struct client_network network = client_network_of(&record->address[FROM_CLIENT]);
	if (server->key != key) {
		++*(server->key == 0 ? &view->counters.servers : &view->counters.evicted);
		server->key = key;
		server->count = 0;
	}
	server->used = ++view->clock;
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
	uint64_t key = key_of(view, record);
	const struct server *server = find_server(view, key);
	struct client_network own = client_network_of(&record->address[FROM_CLIENT]);
	if (mark == PATH_STRIPPED)
		list(found.stripped, &found.stripped_count, &own);
	for (uint32_t i = 0; server->key == key && i < server->count; i++) {
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
