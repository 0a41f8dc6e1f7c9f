// SPDX-License-Identifier: Apache-2.0
// Who looks up what senders publish: networks that receive mail, by whether SPF, DKIM and DMARC are asked for after
// sessions that they receive (dns_lookups.h). Counted from the lines of lookups.jsonl.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

enum { NETWORKS_MAX = 8192 };

// Numbers alone: they are added up as such.
struct network {
	uint64_t sessions;
	uint64_t
	    watched; // of these, told of in a line with a question of the network: what it asks can be seen
	uint64_t questions, followed[LOOKUP_KINDS];
};

struct lookups {
	struct bounded_map *networks; // struct client_network → struct network
	struct network others;
};

static void lookups_destroy(void *accumulator)
{
	struct lookups *lookups = accumulator;
	bounded_map_destroy(lookups->networks);
	free(lookups);
}

static void *lookups_create(const struct table_frame *frame)
{
	struct lookups *lookups = calloc(1, sizeof *lookups);
	if (lookups == NULL)
		return NULL;
	lookups->networks =
	    bounded_map_create(sizeof(struct network), frame_most(frame, NETWORKS_MAX));
	if (lookups->networks != NULL)
		return lookups;
	free(lookups);
	return NULL;
}

static void lookups_count(void *accumulator, const struct session_facts *facts)
{
	(void)accumulator;
	(void)facts;
}

static void add_network(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct network));
}

static void count_line(void *accumulator, const struct lookup_facts *facts)
{
	struct lookups *lookups = accumulator;
	struct network line = {.sessions = facts->sessions,
	    .watched = facts->questions > 0 ? facts->sessions : 0,
	    .questions = facts->questions};
	memcpy(line.followed, facts->followed, sizeof line.followed);
	struct network *network =
	    bounded_map_at(lookups->networks, &facts->network, sizeof facts->network);
	add_network(network != NULL ? network : &lookups->others, &line);
}

static void lookups_add(void *sum, const void *part)
{
	struct lookups *lookups = sum;
	const struct lookups *more = part;
	map_add(lookups->networks, more->networks, add_network, &lookups->others);
	add_network(&lookups->others, &more->others);
}

/* ---- rows ---- */

static const char *kind_name(int kind)
{
	static const char *const names[LOOKUP_KINDS] = {
	    [LOOKUP_SPF] = "spf", [LOOKUP_DKIM] = "dkim", [LOOKUP_DMARC] = "dmarc"};
	return names[kind];
}

struct kind_sum {
	uint64_t networks, looking, sessions, followed, not_seen;
};

static void add_to(struct kind_sum *sum, const struct network *network, int kind)
{
	sum->networks += network->watched > 0;
	sum->looking += network->followed[kind] > 0;
	sum->sessions += network->watched;
	sum->followed += network->followed[kind];
	sum->not_seen += network->sessions - network->watched;
}

// What did not fit is of several networks: they are in no row of kinds.
static void kinds_rows(const void *accumulator, struct row_sink *sink)
{
	const struct lookups *lookups = accumulator;
	size_t count = bounded_map_count(lookups->networks);
	for (int kind = 0; kind < LOOKUP_KINDS && count > 0; kind++) {
		struct kind_sum sum = {0};
		for (size_t i = 0; i < count; i++)
			add_to(&sum, bounded_map_entry(lookups->networks, i).value, kind);
		struct cell cells[] = {cell_name(kind_name(kind)), cell_number(sum.looking),
		    cell_share(sum.looking, sum.networks), cell_number(sum.followed),
		    cell_share(sum.followed, sum.sessions), cell_number(sum.not_seen)};
		sink->row(sink, cells);
	}
}

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct network *a = one->value, *b = other->value;
	return compare_numbers(a->sessions, b->sessions);
}

// Of a network that was not seen to ask anything it is not known what it looks up.
static void row(struct row_sink *sink, const char *name, const struct network *network)
{
	bool seen = network->watched > 0;
	struct cell cells[3 + 2 * LOOKUP_KINDS] = {
	    cell_string(name), cell_number(network->sessions), cell_number(network->questions)};
	for (int kind = 0; kind < LOOKUP_KINDS; kind++) {
		uint64_t followed = network->followed[kind];
		cells[3 + 2 * kind] = seen ? cell_number(followed) : cell_null();
		cells[4 + 2 * kind] = cell_share(followed, network->watched);
	}
	sink->row(sink, cells);
}

static void network_row(struct row_sink *sink, const struct map_entry *entry)
{
	char text[CLIENT_NETWORK_TEXT_SIZE];
	struct client_network network;
	memcpy(&network, entry->key, sizeof network);
	client_network_text(text, &network);
	row(sink, text, entry->value);
}

static void networks_rows(const void *accumulator, struct row_sink *sink)
{
	const struct lookups *lookups = accumulator;
	map_rows(lookups->networks, by_sessions, network_row, sink);
	if (lookups->others.sessions > 0)
		row(sink, OTHERS, &lookups->others);
}

static const struct accumulator_ops accumulator = {
    lookups_create, lookups_destroy, lookups_count, lookups_add};

static const struct column kinds_columns[] = {
    {"looks_up", "looks up", "spf, dkim or dmarc", COLUMN_TEXT},
    {"networks", "networks", "that looked it up after a session or more", COLUMN_LEVEL},
    {"network_share", "of those seen", "of the networks that were seen to ask anything",
        COLUMN_SHARE},
    {"sessions", "sessions", "after which it was looked up", COLUMN_COUNT},
    {"session_share", "of theirs", "of the sessions that these networks received", COLUMN_SHARE},
    {"not_seen", "not seen", "sessions received by networks that were not seen to ask anything",
        COLUMN_COUNT},
};

static const struct column networks_columns[] = {
    {"network", "network", "that receives mail", COLUMN_TEXT},
    {"sessions", "sessions", "that it received", COLUMN_COUNT},
    {"questions", "questions", "of DNS, of use for mail, that its hosts asked", COLUMN_COUNT},
    {"spf", "SPF", "sessions after which it was looked up", COLUMN_COUNT},
    {"spf_share", "of those seen", "of the sessions while it was seen to ask anything",
        COLUMN_SHARE},
    {"dkim", "DKIM", "likewise", COLUMN_COUNT},
    {"dkim_share", "of those seen", "of the sessions while it was seen to ask anything",
        COLUMN_SHARE},
    {"dmarc", "DMARC", "likewise", COLUMN_COUNT},
    {"dmarc_share", "of those seen", "of the sessions while it was seen to ask anything",
        COLUMN_SHARE},
};

#define UNSEEN                                                                                     \
	"what a resolver remembers and does not ask for again, resolvers in other networks or "    \
	"behind the tap, and whose "                                                               \
	"mail a look-up was for"

const struct table_ops lookups_table = {
    .name = "lookups",
    .title = "What networks that receive mail look up of its senders",
    .denominator = "networks that receive sessions on port 25 that could carry mail, and look-ups "
                   "during such a "
                   "session or within 60 s after it",
    .unseen = UNSEEN,
    .use = TABLE_WHERE_ANY,
    TABLE_COLUMNS(kinds_columns),
    .accumulator = &accumulator,
    .rows = kinds_rows,
    .lookups = count_line,
};

const struct table_ops lookup_list_table = {
    .name = "lookup_list",
    .title = "Each network that receives mail, and what it looks up",
    .denominator = "its sessions on port 25 that could carry mail",
    .unseen = UNSEEN,
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(networks_columns),
    .accumulator = &accumulator,
    .rows = networks_rows,
};
