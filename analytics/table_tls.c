// SPDX-License-Identifier: Apache-2.0
// How sessions with TLS are encrypted: versions by hop, ciphers, and groups of the key exchange.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

// No padding: it is a key.
struct choice {
	char name[TLS_NAME_MAX + 1]; // empty: not seen
	uint8_t detail; // of a version its hop, of a group its enum tls_post_quantum
};

struct choices {
	struct bounded_map *sessions; // struct choice → uint64_t
	uint64_t others;
};

struct tls {
	struct choices versions, ciphers, groups;
};

static void tls_destroy(void *accumulator)
{
	struct tls *tls = accumulator;
	bounded_map_destroy(tls->versions.sessions);
	bounded_map_destroy(tls->ciphers.sessions);
	bounded_map_destroy(tls->groups.sessions);
	free(tls);
}

static void *tls_create(const struct table_frame *frame)
{
	struct tls *tls = calloc(1, sizeof *tls);
	if (tls == NULL)
		return NULL;
	size_t most = frame_most(frame, KINDS_MAX);
	tls->versions.sessions = bounded_map_create(sizeof(uint64_t), most);
	tls->ciphers.sessions = bounded_map_create(sizeof(uint64_t), most);
	tls->groups.sessions = bounded_map_create(sizeof(uint64_t), most);
	if (tls->versions.sessions != NULL && tls->ciphers.sessions != NULL &&
	    tls->groups.sessions != NULL)
		return tls;
	tls_destroy(tls);
	return NULL;
}

// `name`: TLS_NAME_MAX + 1 bytes, zero behind its end.
static void count_choice(struct choices *choices, const char *name, uint8_t detail)
{
	struct choice choice = {.detail = detail};
	memcpy(choice.name, name, sizeof choice.name);
	uint64_t *sessions = bounded_map_at(choices->sessions, &choice, sizeof choice);
	if (sessions != NULL)
		++*sessions;
	else
		choices->others++;
}

// Of an exchange that is known to have none (RSA, or parameters without a name) that is what was seen.
static const char *group_of(const struct session_facts *facts)
{
	static const char none[TLS_NAME_MAX + 1] = "none";
	bool known = facts->tls_group[0] != '\0' || facts->post_quantum == POST_QUANTUM_NOT_SEEN;
	return known ? facts->tls_group : none;
}

static void tls_count(void *accumulator, const struct session_facts *facts)
{
	struct tls *tls = accumulator;
	if (!is_mail(facts) || facts->tls_established != SEEN_YES)
		return;
	count_choice(&tls->versions, facts->tls_version, (uint8_t)facts->hop);
	count_choice(&tls->ciphers, facts->tls_cipher, 0);
	count_choice(&tls->groups, group_of(facts), (uint8_t)facts->post_quantum);
}

static void add_sessions(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(uint64_t));
}

static void add_choices(struct choices *choices, const struct choices *more)
{
	map_add(choices->sessions, more->sessions, add_sessions, &choices->others);
	choices->others += more->others;
}

static void tls_add(void *sum, const void *part)
{
	struct tls *tls = sum;
	const struct tls *more = part;
	add_choices(&tls->versions, &more->versions);
	add_choices(&tls->ciphers, &more->ciphers);
	add_choices(&tls->groups, &more->groups);
}

/* ---- rows ---- */

static bool is_seen(const struct choice *choice)
{
	return choice->name[0] != '\0';
}

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const uint64_t *a = one->value, *b = other->value;
	return compare_numbers(*a, *b);
}

// Submission first, no hop last.
static int by_hop_and_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct choice *a = one->key, *b = other->key;
	int order = (a->detail + HOPS - 1) % HOPS - (b->detail + HOPS - 1) % HOPS;
	return order != 0 ? order : by_sessions(one, other);
}

// Sessions in which it was seen: of one hop, or of all (`hop` is HOPS).
static uint64_t seen_of(const struct choices *choices, int hop)
{
	uint64_t seen = hop == HOPS ? choices->others : 0;
	for (size_t i = 0; i < bounded_map_count(choices->sessions); i++) {
		struct map_entry entry = bounded_map_entry(choices->sessions, i);
		const struct choice *choice = entry.key;
		const uint64_t *sessions = entry.value;
		if (is_seen(choice) && (hop == HOPS || choice->detail == hop))
			seen += *sessions;
	}
	return seen;
}

struct choice_sink {
	struct row_sink *rows;
	const struct choices *choices;
	uint64_t seen;
	const char *(*detail)(int detail); // NULL: it has none
	bool by_hop; // the detail is one, and comes first
};

static void put_choice(const struct choice_sink *sink, struct cell name, struct cell detail,
    uint64_t sessions, uint64_t of)
{
	bool with_detail = sink->detail != NULL;
	struct cell cells[4] = {sink->by_hop ? detail : name, sink->by_hop ? name : detail};
	cells[with_detail ? 2 : 1] = cell_number(sessions);
	cells[with_detail ? 3 : 2] = name.known ? cell_share(sessions, of) : cell_null();
	sink->rows->row(sink->rows, cells);
}

static void put_choices(const struct choice_sink *sink,
    int (*compare)(const struct map_entry *one, const struct map_entry *other))
{
	const struct choices *choices = sink->choices;
	struct map_entry *entries = bounded_map_sorted(choices->sessions, compare);
	size_t count = entries != NULL ? bounded_map_count(choices->sessions) : 0;
	for (size_t i = 0; i < count; i++) {
		const struct choice *choice = entries[i].key;
		const uint64_t *sessions = entries[i].value;
		struct cell detail =
		    sink->detail != NULL ? cell_name(sink->detail(choice->detail)) : cell_null();
		uint64_t of = sink->by_hop ? seen_of(choices, choice->detail) : sink->seen;
		put_choice(sink, cell_string(choice->name), detail, *sessions, of);
	}
	free(entries);
	if (choices->others > 0)
		put_choice(sink, cell_name(OTHERS), cell_null(), choices->others,
		    sink->by_hop ? 0 : sink->seen);
}

static const char *hop_detail(int detail)
{
	return hop_name((enum hop)detail);
}

static const char *post_quantum_detail(int detail)
{
	return tls_post_quantum_name((enum tls_post_quantum)detail);
}

static void versions_rows(const void *accumulator, struct row_sink *rows)
{
	const struct tls *tls = accumulator;
	struct choice_sink sink = {rows, &tls->versions, 0, hop_detail, true};
	put_choices(&sink, by_hop_and_sessions);
}

static void ciphers_rows(const void *accumulator, struct row_sink *rows)
{
	const struct tls *tls = accumulator;
	struct choice_sink sink = {rows, &tls->ciphers, seen_of(&tls->ciphers, HOPS), NULL, false};
	put_choices(&sink, by_sessions);
}

static void groups_rows(const void *accumulator, struct row_sink *rows)
{
	const struct tls *tls = accumulator;
	struct choice_sink sink = {
	    rows, &tls->groups, seen_of(&tls->groups, HOPS), post_quantum_detail, false};
	put_choices(&sink, by_sessions);
}

/* ---- the tables ---- */

static const struct accumulator_ops accumulator = {tls_create, tls_destroy, tls_count, tls_add};

static const struct column versions_columns[] = {
    {"hop", "hop", "submission, relay or access; null: not known", COLUMN_TEXT},
    {"version", "version", "of TLS; null: not seen", COLUMN_TEXT},
    {"sessions", "sessions", "sessions with TLS established", COLUMN_COUNT},
    {"share", "of those seen", "of the hop's sessions of which it was seen", COLUMN_SHARE},
};

static const struct column ciphers_columns[] = {
    {"cipher", "cipher", "IANA's name, or its number; null: not seen", COLUMN_TEXT},
    {"sessions", "sessions", "sessions with TLS established", COLUMN_COUNT},
    {"share", "of those seen", "of the sessions of which it was seen", COLUMN_SHARE},
};

static const struct column groups_columns[] = {
    {"group", "group",
        "IANA's name, or its number; none: RSA, or one without a name; null: not seen",
        COLUMN_TEXT},
    {"post_quantum", "post-quantum", "none, hybrid or pure; null: not known", COLUMN_TEXT},
    {"sessions", "sessions", "sessions with TLS established", COLUMN_COUNT},
    {"share", "of those seen", "of the sessions of which the group was seen", COLUMN_SHARE},
};

const struct table_ops tls_versions_table = {
    .name = "tls_versions",
    .title = "Versions of TLS by hop",
    .denominator = "mail sessions with TLS established whose version was seen",
    .unseen = "versions that either side could do besides; those of other hops of a message",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(versions_columns),
    .accumulator = &accumulator,
    .rows = versions_rows,
};

const struct table_ops tls_ciphers_table = {
    .name = "tls_ciphers",
    .title = "Ciphers of TLS",
    .denominator = "mail sessions with TLS established whose cipher was seen",
    .unseen = "ciphers that either side could do besides",
    .use = TABLE_OF_INTERVAL | TABLE_MANY,
    TABLE_COLUMNS(ciphers_columns),
    .accumulator = &accumulator,
    .rows = ciphers_rows,
};

const struct table_ops tls_groups_table = {
    .name = "tls_groups",
    .title = "Groups of TLS key exchanges",
    .denominator = "mail sessions with TLS established whose group was seen",
    .unseen = "resumed sessions hide theirs",
    .use = TABLE_OF_INTERVAL | TABLE_MANY,
    TABLE_COLUMNS(groups_columns),
    .accumulator = &accumulator,
    .rows = groups_rows,
};
