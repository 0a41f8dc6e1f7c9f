// SPDX-License-Identifier: Apache-2.0
// Who looks up what, by operator: the networks that each operator receives mail in, and whether SPF, DKIM and DMARC are
// asked for from there (dns_lookups.h). Sessions say which operator receives in which network, lines of lookups.jsonl
// what a network asks: look-ups in a network that several receive in count for each of them.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

enum { SMTP_PORT = 25 };

// Numbers alone: they are added up as such.
struct looking {
	uint64_t watched, followed[LOOKUP_KINDS]; // sessions (table_lookups.c)
};

struct receivers {
	struct bounded_map
	    *pairs; // struct client_network and an operator's name → uint64_t sessions
	struct bounded_map *networks; // struct client_network → struct looking
	uint64_t others; // sessions of pairs for which there was no room
};

struct pair_key {
	struct client_network network;
	char operator[sizeof(((struct operator_name *)NULL)->text)];
};

static size_t pair_length(const char *name)
{
	return sizeof(struct client_network) + strlen(name) + 1;
}

static void receivers_destroy(void *accumulator)
{
	struct receivers *receivers = accumulator;
	bounded_map_destroy(receivers->pairs);
	bounded_map_destroy(receivers->networks);
	free(receivers);
}

static void *receivers_create(const struct table_frame *frame)
{
	struct receivers *receivers = calloc(1, sizeof *receivers);
	if (receivers == NULL)
		return NULL;
	receivers->pairs = bounded_map_create(sizeof(uint64_t), frame_most(frame, PAIRS_MAX));
	receivers->networks =
	    bounded_map_create(sizeof(struct looking), frame_most(frame, PAIRS_MAX));
	if (receivers->pairs != NULL && receivers->networks != NULL)
		return receivers;
	receivers_destroy(receivers);
	return NULL;
}

static void add_looking(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct looking));
}

static void add_sessions(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(uint64_t));
}

static void receivers_count(void *accumulator, const struct session_facts *facts)
{
	struct receivers *receivers = accumulator;
	if (!facts->dns_read || facts->server_port != SMTP_PORT || !session_facts_carried(facts))
		return;
	struct pair_key key = {.network = client_network_of(&facts->address[FROM_SERVER])};
	const char *name = facts->operator[FROM_SERVER].text;
	memcpy(key.operator, name, strlen(name) + 1);
	uint64_t *sessions = bounded_map_at(receivers->pairs, &key, pair_length(name));
	++*(sessions != NULL ? sessions : &receivers->others);
}

// What is asked in a network for which there is no room is not known.
static void receivers_lookups(void *accumulator, const struct lookup_facts *facts)
{
	struct receivers *receivers = accumulator;
	struct looking line = {.watched = facts->questions > 0 ? facts->sessions : 0};
	memcpy(line.followed, facts->followed, sizeof line.followed);
	struct looking *looking =
	    bounded_map_at(receivers->networks, &facts->network, sizeof facts->network);
	if (looking != NULL)
		add_looking(looking, &line);
}

static void receivers_add(void *sum, const void *part)
{
	struct receivers *receivers = sum;
	const struct receivers *more = part;
	struct looking left_out = {0};
	map_add(receivers->pairs, more->pairs, add_sessions, &receivers->others);
	map_add(receivers->networks, more->networks, add_looking, &left_out);
	receivers->others += more->others;
}

/* ---- rows ---- */

struct sums {
	uint64_t sessions;
	uint64_t networks, shared, watched, looking[LOOKUP_KINDS]; // networks
};

// What the rows are made of.
struct grouping {
	struct bounded_map *operators; // name → struct sums
	struct bounded_map *sharing; // struct client_network → uint64_t operators
};

static void release(struct grouping *grouping)
{
	bounded_map_destroy(grouping->operators);
	bounded_map_destroy(grouping->sharing);
}

static bool begin(struct grouping *grouping, size_t pairs)
{
	*grouping = (struct grouping){bounded_map_create(sizeof(struct sums), pairs),
	    bounded_map_create(sizeof(uint64_t), pairs)};
	if (grouping->operators != NULL && grouping->sharing != NULL)
		return true;
	release(grouping);
	return false;
}

static void add_pair(struct grouping *grouping, const struct receivers *receivers,
    const struct pair_key *key, uint64_t sessions)
{
	struct sums *sums =
	    bounded_map_at(grouping->operators, key->operator, strlen(key->operator) + 1);
	uint64_t *sharing = bounded_map_at(grouping->sharing, &key->network, sizeof key->network);
	if (sums == NULL || sharing == NULL)
		return; // cannot be: there is room for as many as there are pairs
	sums->sessions += sessions;
	sums->networks++;
	sums->shared += *sharing > 1;
	if (!bounded_map_has(receivers->networks, &key->network, sizeof key->network))
		return;
	const struct looking *looking =
	    bounded_map_at(receivers->networks, &key->network, sizeof key->network);
	sums->watched += looking->watched > 0;
	for (int kind = 0; kind < LOOKUP_KINDS; kind++)
		sums->looking[kind] += looking->followed[kind] > 0;
}

static void group(struct grouping *grouping, const struct receivers *receivers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct map_entry entry = bounded_map_entry(receivers->pairs, i);
		uint64_t *sharing =
		    bounded_map_at(grouping->sharing, entry.key, sizeof(struct client_network));
		if (sharing != NULL)
			++*sharing;
	}
	for (size_t i = 0; i < count; i++) {
		struct map_entry entry = bounded_map_entry(receivers->pairs, i);
		struct pair_key key;
		uint64_t sessions;
		memcpy(&key, entry.key, entry.key_length);
		memcpy(&sessions, entry.value, sizeof sessions);
		add_pair(grouping, receivers, &key, sessions);
	}
}

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct sums *a = one->value, *b = other->value;
	return compare_numbers(a->sessions, b->sessions);
}

static void row(struct row_sink *sink, const char *name, const struct sums *sums)
{
	bool known = sums->networks > 0;
	struct cell cells[5 + 2 * LOOKUP_KINDS] = {cell_string(name), cell_number(sums->sessions),
	    known ? cell_number(sums->networks) : cell_null(),
	    known ? cell_number(sums->shared) : cell_null(),
	    known ? cell_number(sums->watched) : cell_null()};
	for (int kind = 0; kind < LOOKUP_KINDS; kind++) {
		cells[5 + 2 * kind] =
		    sums->watched > 0 ? cell_number(sums->looking[kind]) : cell_null();
		cells[6 + 2 * kind] = cell_share(sums->looking[kind], sums->watched);
	}
	sink->row(sink, cells);
}

static void operator_row(struct row_sink *sink, const struct map_entry *entry)
{
	row(sink, entry->key, entry->value);
}

static void operators_rows(const void *accumulator, struct row_sink *sink)
{
	const struct receivers *receivers = accumulator;
	struct grouping grouping;
	size_t count = bounded_map_count(receivers->pairs);
	if (count > 0 && begin(&grouping, count)) {
		group(&grouping, receivers, count);
		map_rows(grouping.operators, by_sessions, operator_row, sink);
		release(&grouping);
	}
	if (receivers->others > 0)
		row(sink, OTHERS, &(struct sums){.sessions = receivers->others});
}

/* ---- the table ---- */

static const struct accumulator_ops accumulator = {
    receivers_create, receivers_destroy, receivers_count, receivers_add};

static const struct column columns[] = {
    {"server_operator", "receiver", "by the name asked for or given by the server; null: not known",
        COLUMN_TEXT},
    {"sessions", "sessions", "that it received", COLUMN_COUNT},
    {"networks", "networks", "that it received them in", COLUMN_LEVEL},
    {"shared", "shared", "of these, networks that other operators receive in, too", COLUMN_LEVEL},
    {"watched", "seen", "of these, networks that were seen to ask anything", COLUMN_LEVEL},
    {"spf", "SPF", "of the latter, networks that looked it up after a session or more",
        COLUMN_LEVEL},
    {"spf_share", "of those seen", "of the networks that were seen to ask anything", COLUMN_SHARE},
    {"dkim", "DKIM", "likewise", COLUMN_LEVEL},
    {"dkim_share", "of those seen", "of the networks that were seen to ask anything", COLUMN_SHARE},
    {"dmarc", "DMARC", "likewise", COLUMN_LEVEL},
    {"dmarc_share", "of those seen", "of the networks that were seen to ask anything",
        COLUMN_SHARE},
};

const struct table_ops lookup_operators_table = {
    .name = "lookup_operators",
    .title = "Each operator that receives mail, and what its networks look up",
    .denominator = "networks (/24, /48) in which it received sessions on port 25 that could carry "
                   "mail (--dns)",
    .unseen = "what a resolver remembers and does not ask for again, resolvers in other networks "
              "or behind the tap, whose mail a look-up was for, and for which of the operators "
              "that share a network",
    .use = TABLE_MANY | TABLE_LONG | TABLE_WHERE_ANY,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = operators_rows,
    .lookups = receivers_lookups,
};
