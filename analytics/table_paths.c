// SPDX-License-Identifier: Apache-2.0
// Servers with evidence of stripping, by client network: who sees them stripped, and who does not. A
// server that all see alike is itself to blame, one that only some see stripped has something on the
// way to these.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

// No padding: it is a key.
struct path_key {
	struct server_port_key server;
	struct client_network network; // of the client
};

struct path {
	struct host_name name; // of the server, as last asked for or given
	uint64_t sessions, stripped, evidence, unaffected;
	uint8_t confidence; // the highest of the evidence
};

struct paths {
	struct bounded_map *paths; // struct path_key → struct path
	struct bounded_map *affected; // struct server_port_key of servers with evidence → bool
	uint64_t others; // sessions with evidence on paths that did not fit
};

static void paths_destroy(void *accumulator)
{
	struct paths *paths = accumulator;
	bounded_map_destroy(paths->paths);
	bounded_map_destroy(paths->affected);
	free(paths);
}

static void *paths_create(const struct table_frame *frame)
{
	struct paths *paths = calloc(1, sizeof *paths);
	if (paths == NULL)
		return NULL;
	paths->paths = bounded_map_create(sizeof(struct path), frame_most(frame, PAIRS_MAX));
	paths->affected = bounded_map_create(sizeof(bool), frame_most(frame, SERVERS_MAX));
	if (paths->paths != NULL && paths->affected != NULL)
		return paths;
	paths_destroy(paths);
	return NULL;
}

static void count_path(struct path *path, const struct session_facts *facts)
{
	enum confidence confidence = session_facts_confidence(facts);
	bool evidence = confidence != CONFIDENCE_NONE;
	bool offered = facts->starttls_offered == SEEN_YES || facts->tls_established == SEEN_YES;
	path->sessions++;
	path->stripped += facts->verdict == VERDICT_STRIPPED;
	path->evidence += evidence;
	path->unaffected += !evidence && offered;
	if (confidence > path->confidence)
		path->confidence = (uint8_t)confidence;
	if (facts->asked_name.text[0] != '\0')
		host_name_copy(&path->name, &facts->asked_name);
	else if (facts->server_name.text[0] != '\0')
		host_name_copy(&path->name, &facts->server_name);
}

static void paths_count(void *accumulator, const struct session_facts *facts)
{
	struct paths *paths = accumulator;
	struct path_key key = {
	    server_port_key_of(facts), client_network_of(&facts->address[FROM_CLIENT])};
	bool evidence = session_facts_confidence(facts) != CONFIDENCE_NONE;
	bool *affected = NULL;
	if (!is_mail(facts))
		return;
	if (evidence)
		affected = bounded_map_at(paths->affected, &key.server, sizeof key.server);
	if (affected != NULL)
		*affected = true;
	struct path *path = bounded_map_at(paths->paths, &key, sizeof key);
	if (path != NULL)
		count_path(path, facts);
	else
		paths->others += evidence;
}

static void add_path(void *sum, const void *part)
{
	struct path *path = sum;
	const struct path *more = part;
	path->sessions += more->sessions;
	path->stripped += more->stripped;
	path->evidence += more->evidence;
	path->unaffected += more->unaffected;
	if (more->confidence > path->confidence)
		path->confidence = more->confidence;
	if (more->name.text[0] != '\0')
		host_name_copy(&path->name, &more->name);
}

static void add_mark(void *sum, const void *part)
{
	(void)part;
	*(bool *)sum = true;
}

static void paths_add(void *sum, const void *part)
{
	struct paths *paths = sum;
	const struct paths *more = part;
	struct path others = {.evidence = 0};
	bool unmarked;
	map_add(paths->affected, more->affected, add_mark, &unmarked);
	map_add(paths->paths, more->paths, add_path, &others);
	paths->others += more->others + others.evidence;
}

/* ---- rows ---- */

static int by_server_and_evidence(const struct map_entry *one, const struct map_entry *other)
{
	const struct path *a = one->value, *b = other->value;
	int order = memcmp(one->key, other->key, sizeof(struct server_port_key));
	return order != 0 ? order : compare_numbers(a->evidence, b->evidence);
}

static void path_row(struct row_sink *sink, const struct map_entry *entry)
{
	const struct path *path = entry->value;
	struct path_key key;
	char server[SERVER_ADDRESS_TEXT], network[CLIENT_NETWORK_TEXT_SIZE];
	memcpy(&key, entry->key, sizeof key);
	struct cell address = cell_address(&key.server.address, server);
	client_network_text(network, &key.network);
	struct cell cells[] = {address,
	    cell_number((uint64_t)(key.server.port[0] << 8 | key.server.port[1])),
	    cell_string(path->name.text), cell_name(network), cell_number(path->sessions),
	    cell_number(path->stripped), cell_number(path->evidence),
	    cell_name(confidence_name((enum confidence)path->confidence)),
	    cell_number(path->unaffected),
	    cell_number(path->sessions - path->evidence - path->unaffected)};
	sink->row(sink, cells);
}

static void paths_rows(const void *accumulator, struct row_sink *sink)
{
	const struct paths *paths = accumulator;
	struct map_entry *entries = bounded_map_sorted(paths->paths, by_server_and_evidence);
	size_t count = entries != NULL ? bounded_map_count(paths->paths) : 0;
	for (size_t i = 0; i < count; i++)
		if (bounded_map_has(
		        paths->affected, entries[i].key, sizeof(struct server_port_key)))
			path_row(sink, &entries[i]);
	free(entries);
	struct cell cells[10] = {cell_name(OTHERS), [6] = cell_number(paths->others)};
	if (paths->others > 0)
		sink->row(sink, cells);
}

static const struct accumulator_ops accumulator = {
    paths_create, paths_destroy, paths_count, paths_add};

static const struct column columns[] = {
    {"server_ip", "server", "its address", COLUMN_TEXT},
    {"server_port", "port", "its port", COLUMN_NUMBER},
    {"server_name", NULL, "as last asked for, or as it last called itself", COLUMN_NOTE},
    {"client_network", "client network", "/24 or /48", COLUMN_TEXT},
    {"sessions", "sessions", "sessions between them", COLUMN_COUNT},
    {"stripped", "stripped", "sessions whose verdict is stripped", COLUMN_COUNT},
    {"evidence", "evidence", "sessions with any evidence", COLUMN_COUNT},
    {"confidence", "at most", "the highest confidence of it", COLUMN_NOTE},
    {"unaffected", "sees TLS", "sessions without, in which TLS was offered or established",
        COLUMN_COUNT},
    {"not_seen", "unknown", "sessions that show neither", COLUMN_COUNT},
};

const struct table_ops paths_table = {
    .name = "paths",
    .title = "Servers with evidence of stripping or downgrade, by client network",
    .denominator = "sessions of the client network (/24, /48) with the server",
    .unseen = "networks whose packets do not pass the tap; where on the way it happens",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = paths_rows,
};
