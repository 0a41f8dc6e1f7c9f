// SPDX-License-Identifier: Apache-2.0
// Who sends to whom with TLS: operators of clients by operators of servers. An operator is the
// registered domain of a name, or a network where there is no name.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct pair {
	uint64_t encrypted, clear, not_seen;
};

struct pairs {
	struct bounded_map *pairs; // both operators with a NUL behind each → struct pair
	struct pair others;
};

static void pairs_destroy(void *accumulator)
{
	struct pairs *pairs = accumulator;
	bounded_map_destroy(pairs->pairs);
	free(pairs);
}

static void *pairs_create(const struct table_frame *frame)
{
	struct pairs *pairs = calloc(1, sizeof *pairs);
	if (pairs == NULL)
		return NULL;
	pairs->pairs = bounded_map_create(sizeof(struct pair), frame_most(frame, PAIRS_MAX));
	if (pairs->pairs != NULL)
		return pairs;
	free(pairs);
	return NULL;
}

static void pairs_count(void *accumulator, const struct session_facts *facts)
{
	struct pairs *pairs = accumulator;
	char key[2 * sizeof(struct operator_name)];
	const char *client = facts->operator[FROM_CLIENT].text;
	const char *server = facts->operator[FROM_SERVER].text;
	size_t first = strlen(client) + 1, second = strlen(server) + 1;
	bool carried = session_facts_carried(facts);
	if (!session_facts_is_sending(facts) || !(carried || facts->verdict == VERDICT_PARTIAL))
		return;
	memcpy(key, client, first);
	memcpy(key + first, server, second);
	struct pair *pair = bounded_map_at(pairs->pairs, key, first + second);
	if (pair == NULL)
		pair = &pairs->others;
	pair->encrypted += facts->verdict == VERDICT_ENCRYPTED;
	pair->clear += carried && facts->verdict != VERDICT_ENCRYPTED;
	pair->not_seen += !carried;
}

static void add_pair(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct pair));
}

static void pairs_add(void *sum, const void *part)
{
	struct pairs *pairs = sum;
	const struct pairs *more = part;
	map_add(pairs->pairs, more->pairs, add_pair, &pairs->others);
	add_pair(&pairs->others, &more->others);
}

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct pair *a = one->value, *b = other->value;
	return compare_numbers(
	    a->encrypted + a->clear + a->not_seen, b->encrypted + b->clear + b->not_seen);
}

static void row(
    struct row_sink *sink, const char *client, const char *server, const struct pair *pair)
{
	struct cell cells[] = {cell_string(client), cell_string(server),
	    cell_name(habit_name(habit_of(pair->encrypted, pair->clear))),
	    cell_number(pair->encrypted), cell_number(pair->clear), cell_number(pair->not_seen),
	    cell_share(pair->encrypted, pair->encrypted + pair->clear)};
	sink->row(sink, cells);
}

static void pair_row(struct row_sink *sink, const struct map_entry *entry)
{
	const char *client = entry->key;
	row(sink, client, client + strlen(client) + 1, entry->value);
}

static void pairs_rows(const void *accumulator, struct row_sink *sink)
{
	const struct pairs *pairs = accumulator;
	const struct pair *others = &pairs->others;
	map_rows(pairs->pairs, by_sessions, pair_row, sink);
	if (others->encrypted + others->clear + others->not_seen > 0)
		row(sink, OTHERS, OTHERS, others);
}

static void classes_rows(const void *accumulator, struct row_sink *sink)
{
	const struct pairs *pairs = accumulator;
	uint64_t with[HABITS] = {0};
	for (size_t i = 0; i < bounded_map_count(pairs->pairs); i++) {
		const struct pair *pair = bounded_map_entry(pairs->pairs, i).value;
		with[habit_of(pair->encrypted, pair->clear)]++;
	}
	uint64_t of = with[HABIT_ALWAYS] + with[HABIT_SOMETIMES] + with[HABIT_NEVER];
	for (int habit = 0; habit < HABITS; habit++) {
		struct cell cells[] = {cell_name(habit_name((enum habit)habit)),
		    cell_number(with[habit]),
		    habit != HABIT_NOT_SEEN ? cell_share(with[habit], of) : cell_null()};
		sink->row(sink, cells);
	}
}

static const struct accumulator_ops accumulator = {
    pairs_create, pairs_destroy, pairs_count, pairs_add};

static const struct column pairs_columns[] = {
    {"client_operator", "from", "by the name the client gave; null: not known", COLUMN_TEXT},
    {"server_operator", "to", "by the name asked for or given by the server; null: not known",
        COLUMN_TEXT},
    {"tls", "TLS", "always, sometimes or never; null: not seen", COLUMN_NOTE},
    {"encrypted", "encrypted", "sessions protected by TLS", COLUMN_COUNT},
    {"cleartext", "clear", "sessions in the clear", COLUMN_COUNT},
    {"not_seen", "not seen", "sessions of which too little was captured", COLUMN_COUNT},
    {"share", "of those seen", "encrypted, of encrypted and clear", COLUMN_SHARE},
};

static const struct column classes_columns[] = {
    {"tls", "TLS", "always, sometimes or never; null: not seen", COLUMN_TEXT},
    {"pairs", "pairs", "pairs of operators", COLUMN_LEVEL},
    {"share", "of those seen", "of the pairs of which it was seen", COLUMN_SHARE},
};

const struct table_ops operators_table = {
    .name = "operators",
    .title = "Pairs of operators by whether mail between them is encrypted",
    .denominator = "pairs with a session of SMTP or submission that carried mail or a log-in",
    .unseen = "whether a client's name is its own: anyone may say any",
    TABLE_COLUMNS(classes_columns),
    .accumulator = &accumulator,
    .rows = classes_rows,
};

const struct table_ops operator_pairs_table = {
    .name = "operator_pairs",
    .title = "Each pair of operators",
    .denominator = "its sessions of SMTP and submission that carried mail or a log-in",
    .unseen = "whether a client's name is its own: anyone may say any",
    .use = TABLE_MANY | TABLE_LONG,
    TABLE_COLUMNS(pairs_columns),
    .accumulator = &accumulator,
    .rows = pairs_rows,
};
