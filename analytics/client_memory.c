// SPDX-License-Identifier: Apache-2.0
#include "analytics/client_memory.h"

#include "analytics/bounded_table.h"
#include "analytics/server_key.h"

#include <stdlib.h>
#include <string.h>

enum {
	HERE_MAX = 16, // servers and ports remembered per client; a power of two
	SERVERS_MAX = 8, // servers counted that it took an offer of
	SETTLED_DIALOGUES = 2,
	SILENT_ATTEMPTS = 2, // packets that a client sends before its attempt counts as unanswered
};

#define SETTLED_AFTER SECONDS(600)
// For so long a failed attempt is kept before what else is known of a server.
#define FAILURE_MATTERS SECONDS(3600)

struct attempt {
	nanoseconds time;
	struct tls_failure failure;
};

// What a client did with one port of a server.
struct here {
	struct ip_address address;
	uint16_t port;
	uint32_t offers, taken, established;
	nanoseconds taken_last, used;
	struct attempt broken, blocked; // the last of each
};

struct client {
	struct bounded_node node; // first
	nanoseconds first, last; // dialogues
	uint32_t dialogues; // in which it was to decide about TLS
	uint32_t offers, taken;
	nanoseconds taken_last;
	uint8_t server_count, here_count, here_room;
	uint64_t servers[SERVERS_MAX]; // keys of addresses
	struct here *here; // most clients have one or two; the room for them is doubled as needed
};

struct client_memory {
	struct hash_key key;
	struct bounded_table *clients;
	uint64_t evicted;
};

struct client_memory *client_memory_create(size_t clients)
{
	struct client_memory *memory = calloc(1, sizeof *memory);
	if (memory == NULL)
		return NULL;
	memory->key = hash_key_random();
	memory->clients = bounded_table_create(clients > 0 ? clients : CLIENT_MEMORY_CLIENTS);
	if (memory->clients != NULL)
		return memory;
	free(memory);
	return NULL;
}

static void free_client(struct bounded_node *node)
{
	free(((struct client *)node)->here);
	free(node);
}

void client_memory_destroy(struct client_memory *memory)
{
	if (memory == NULL)
		return;
	struct bounded_node *node = bounded_table_next(memory->clients, NULL);
	while (node != NULL) {
		struct bounded_node *next = bounded_table_next(memory->clients, node);
		free_client(node);
		node = next;
	}
	bounded_table_destroy(memory->clients);
	free(memory);
}

/* ---- what a session says of its client ---- */

struct lesson {
	bool offered, taken; // of an offer of which it is known whether it was taken
	bool established;
	struct tls_failure broken, blocked;
};

// Nothing of the server but SYN or RST. A client that resets what the server agreed to may be one that only
// looks who is there. Where the client speaks to a server that is not seen at all, it is the tap that does
// not see it.
static enum tls_failure_kind blocked_by(const struct session_record *record)
{
	uint64_t server = record->packets[FROM_SERVER], client = record->packets[FROM_CLIENT];
	bool spoke = record->bytes[FROM_CLIENT] + record->missing[FROM_CLIENT] > 0;
	bool answered = record->bytes[FROM_SERVER] + record->missing[FROM_SERVER] > 0;
	if (!record->tls_port || !record->saw_start || answered || (spoke && server == 0) ||
	    record->end_reason == END_EVICTED)
		return FAILURE_NONE;
	if (spoke)
		return tls_failure_by_end(record);
	if (server == 0)
		return client >= SILENT_ATTEMPTS || record->end_reason == END_TIMEOUT
		           ? FAILURE_UNANSWERED
		           : FAILURE_NONE;
	return record->end_reason == END_RST && record->refused ? FAILURE_RESET : FAILURE_NONE;
}

static struct lesson lesson_of(const struct session_record *record)
{
	const struct session *session = record->session;
	bool taken = record->starttls_requested == SEEN_YES;
	// Who only looks and leaves has decided nothing.
	bool declined = record->starttls_requested == SEEN_NO && record->in_the_clear;
	// A session that goes on is counted when it ends.
	bool ended = record->end_reason != END_STILL_OPEN;
	bool offered = session->starttls_offered == SEEN_YES && (taken || declined) && ended;
	return (struct lesson){
	    .offered = offered,
	    .taken = offered && taken,
	    .established = record->tls_established == SEEN_YES && ended,
	    .broken = tls_failure_of(record),
	    .blocked = {.kind = blocked_by(record)},
	};
}

/* ---- learning ---- */

static struct client *find_client(
    const struct client_memory *memory, const struct session_record *record)
{
	uint64_t key = server_key_address(&memory->key, &record->address[FROM_CLIENT], 0);
	return (struct client *)bounded_table_find(memory->clients, key);
}

// NULL: no memory.
static struct client *take_client(struct client_memory *memory, const struct session_record *record)
{
	struct client *client = find_client(memory, record);
	if (client != NULL) {
		bounded_table_use(memory->clients, &client->node);
		return client;
	}
	client = calloc(1, sizeof *client);
	if (client == NULL)
		return NULL;
	struct bounded_node *victim = bounded_table_victim(memory->clients);
	if (victim != NULL) {
		bounded_table_remove(memory->clients, victim);
		free_client(victim);
		memory->evicted++;
	}
	bounded_table_add(memory->clients, &client->node,
	    server_key_address(&memory->key, &record->address[FROM_CLIENT], 0));
	return client;
}

static bool is_at(const struct here *here, const struct ip_address *address)
{
	return memcmp(&here->address, address, sizeof *address) == 0;
}

static struct here *find_here(struct client *client, const struct session_record *record)
{
	for (unsigned i = 0; i < client->here_count; i++)
		if (client->here[i].port == record->port[FROM_SERVER] &&
		    is_at(&client->here[i], &record->address[FROM_SERVER]))
			return &client->here[i];
	return NULL;
}

static bool matters(const struct attempt *attempt, nanoseconds now)
{
	return attempt->failure.kind != FAILURE_NONE && attempt->time <= now &&
	       now - attempt->time <= FAILURE_MATTERS;
}

static bool has_failed(const struct here *here, nanoseconds now)
{
	return matters(&here->broken, now) || matters(&here->blocked, now);
}

static bool make_room(struct client *client)
{
	unsigned room = client->here_room == 0 ? 1 : 2u * client->here_room;
	struct here *larger = realloc(client->here, room * sizeof *larger);
	if (larger == NULL)
		return false;
	client->here = larger;
	client->here_room = (uint8_t)room;
	return true;
}

// A place for a server and port that has none: a free one, or what was not used for longest, but for
// failures that still matter. NULL: no memory.
static struct here *new_here(struct client *client, nanoseconds now)
{
	if (client->here_count == client->here_room && client->here_room < HERE_MAX &&
	    !make_room(client) && client->here_count == 0)
		return NULL;
	if (client->here_count < client->here_room)
		return &client->here[client->here_count++];
	struct here *place = &client->here[0];
	for (unsigned i = 1; i < client->here_count; i++) {
		struct here *other = &client->here[i];
		bool failed[2] = {has_failed(place, now), has_failed(other, now)};
		if (failed[0] != failed[1] ? failed[0] : other->used < place->used)
			place = other;
	}
	return place;
}

// NULL: no memory.
static struct here *take_here(struct client *client, const struct session_record *record)
{
	struct here *here = find_here(client, record);
	if (here != NULL)
		return here;
	here = new_here(client, record->end);
	if (here == NULL)
		return NULL;
	*here = (struct here){
	    .address = record->address[FROM_SERVER], .port = record->port[FROM_SERVER]};
	return here;
}

static void learn_failure(struct attempt *attempt, struct tls_failure failure, nanoseconds time)
{
	// Records come by when they were given up, not by when they ended: a later one stays, unless the
	// capture is another, of an earlier time.
	bool kept = attempt->failure.kind != FAILURE_NONE && attempt->time > time &&
	            attempt->time - time <= FAILURE_MATTERS;
	if (failure.kind != FAILURE_NONE && !kept)
		*attempt = (struct attempt){time, failure};
}

static void learn_server(struct client *client, uint64_t server)
{
	for (unsigned i = 0; i < client->server_count; i++)
		if (client->servers[i] == server)
			return;
	if (client->server_count < SERVERS_MAX)
		client->servers[client->server_count++] = server;
}

static void learn_dialogue(struct client *client, const struct session_record *record)
{
	bool first = client->dialogues == 0;
	client->first = first || record->start < client->first ? record->start : client->first;
	client->last = first || record->end > client->last ? record->end : client->last;
	client->dialogues++;
}

static bool is_settled(const struct client *client)
{
	return client->dialogues >= SETTLED_DIALOGUES &&
	       client->last - client->first >= SETTLED_AFTER;
}

static nanoseconds later(nanoseconds one, nanoseconds other)
{
	return one > other ? one : other;
}

void client_memory_note(struct client_memory *memory, const struct judged_session *session)
{
	const struct session_record *record = session->record;
	struct lesson lesson = lesson_of(record);
	if (!lesson.offered && !lesson.established && lesson.broken.kind == FAILURE_NONE &&
	    lesson.blocked.kind == FAILURE_NONE)
		return;
	struct client *client = take_client(memory, record);
	if (client == NULL)
		return;
	struct here *here = take_here(client, record);
	if (here == NULL)
		return;
	here->used = record->end;
	here->offers += lesson.offered;
	here->taken += lesson.taken;
	here->established += lesson.established;
	client->offers += lesson.offered;
	client->taken += lesson.taken;
	learn_failure(&here->broken, lesson.broken, record->end);
	learn_failure(&here->blocked, lesson.blocked, record->end);
	if (lesson.taken) {
		here->taken_last = later(here->taken_last, record->end);
		client->taken_last = later(client->taken_last, record->end);
		learn_server(
		    client, server_key_address(&memory->key, &record->address[FROM_SERVER], 0));
	}
	if (lesson.offered || lesson.established)
		learn_dialogue(client, record);
	if (is_settled(client))
		bounded_table_settle(memory->clients, &client->node);
}

/* ---- recalling ---- */

static void tell_failure(
    const struct attempt *attempt, uint16_t port, nanoseconds now, struct failed_attempt *told)
{
	if (attempt->failure.kind == FAILURE_NONE || attempt->time > now || attempt->time < told->time)
		return;
	*told = (struct failed_attempt){attempt->time, port, attempt->failure};
}

bool client_memory_recall(struct client_memory *memory, const struct session_record *record,
    struct client_history *history)
{
	struct client *client = find_client(memory, record);
	*history = (struct client_history){.offers = 0};
	if (client == NULL)
		return false;
	history->offers = client->offers;
	history->taken = client->taken;
	history->taken_last = client->taken_last;
	history->servers = client->server_count;
	const struct here *here = find_here(client, record);
	if (here != NULL) {
		history->offers_here = here->offers;
		history->taken_here = here->taken;
		history->taken_here_last = here->taken_last;
		history->established_here = here->established;
	}
	for (unsigned i = 0; i < client->here_count; i++) {
		here = &client->here[i];
		if (!is_at(here, &record->address[FROM_SERVER]))
			continue;
		tell_failure(&here->broken, here->port, record->end, &history->broken_tls);
		tell_failure(&here->blocked, here->port, record->end, &history->blocked);
	}
	return true;
}

struct client_memory_counters client_memory_counters(const struct client_memory *memory)
{
	return (struct client_memory_counters){
	    .clients = bounded_table_count(memory->clients), .evicted = memory->evicted};
}
