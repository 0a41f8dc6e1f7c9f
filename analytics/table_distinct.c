// SPDX-License-Identifier: Apache-2.0
// How many different servers, clients and networks there were.
#include "analytics/distinct.h"
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdio.h>
#include <stdlib.h>

enum what {
	SERVER_ADDRESSES,
	SERVERS,
	CLIENT_ADDRESSES,
	SERVER_NETWORKS,
	CLIENT_NETWORKS,
	WHATS,
};

enum { EXACT_MOST = 65536 };

struct distincts {
	struct distinct *of[WHATS];
};

static void distincts_destroy(void *accumulator)
{
	struct distincts *distincts = accumulator;
	for (size_t i = 0; i < WHATS; i++)
		distinct_destroy(distincts->of[i]);
	free(distincts);
}

static void *distincts_create(const struct table_frame *frame)
{
	struct distincts *distincts = calloc(1, sizeof *distincts);
	bool good = distincts != NULL;
	for (size_t i = 0; good && i < WHATS; i++) {
		distincts->of[i] = distinct_create(&frame->key, frame_most(frame, EXACT_MOST));
		good = distincts->of[i] != NULL;
	}
	if (good)
		return distincts;
	if (distincts != NULL)
		distincts_destroy(distincts);
	return NULL;
}

static void distincts_count(void *accumulator, const struct session_facts *facts)
{
	struct distincts *distincts = accumulator;
	const struct ip_address *client = &facts->address[FROM_CLIENT];
	const struct ip_address *server = &facts->address[FROM_SERVER];
	struct server_port_key key = server_port_key_of(facts);
	struct client_network client_network = client_network_of(client);
	struct client_network server_network = client_network_of(server);
	const struct {
		const void *bytes;
		size_t length;
	} things[WHATS] = {
	    [SERVER_ADDRESSES] = {server, sizeof *server},
	    [SERVERS] = {&key, sizeof key},
	    [CLIENT_ADDRESSES] = {client, sizeof *client},
	    [SERVER_NETWORKS] = {&server_network, sizeof server_network},
	    [CLIENT_NETWORKS] = {&client_network, sizeof client_network},
	};
	uint64_t hashes[WHATS];
	for (size_t i = 0; i < WHATS; i++)
		hashes[i] = distinct_expect(distincts->of[i], things[i].bytes, things[i].length);
	for (size_t i = 0; i < WHATS; i++)
		distinct_note(distincts->of[i], hashes[i]);
}

static void distincts_add(void *sum, const void *part)
{
	struct distincts *distincts = sum;
	const struct distincts *more = part;
	for (size_t i = 0; i < WHATS; i++)
		distinct_unite(distincts->of[i], more->of[i]);
}

static void distincts_rows(const void *accumulator, struct row_sink *sink)
{
	static const char *const names[WHATS] = {
	    [SERVER_ADDRESSES] = "server_addresses",
	    [SERVERS] = "servers",
	    [CLIENT_ADDRESSES] = "client_addresses",
	    [SERVER_NETWORKS] = "server_networks",
	    [CLIENT_NETWORKS] = "client_networks",
	};
	const struct distincts *distincts = accumulator;
	for (size_t i = 0; i < WHATS; i++) {
		struct distinct_count count = distinct_count(distincts->of[i]);
		char error[32] = "exact";
		if (!count.exact)
			snprintf(error, sizeof error, "standard error %.1f %%", 100 * count.error);
		struct cell cells[] = {
		    cell_name(names[i]), cell_number(count.count), cell_name(error)};
		sink->row(sink, cells);
	}
}

static const struct accumulator_ops accumulator = {
    distincts_create, distincts_destroy, distincts_count, distincts_add};

static const struct column columns[] = {
    {"what", "what", "what is told apart; servers are address and port, networks /24 and /48",
        COLUMN_TEXT},
    {"different", "different", "how many different ones", COLUMN_LEVEL},
    {"error", "counted", "exact up to 65536, beyond it estimated (HyperLogLog)", COLUMN_NOTE},
};

const struct table_ops distinct_table = {
    .name = "distinct",
    .title = "Different servers, clients and networks",
    .denominator = "connections to mail ports, or found to be mail",
    .unseen = "people behind one address, and one machine behind several",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = distincts_rows,
};
