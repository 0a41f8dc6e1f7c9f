// SPDX-License-Identifier: Apache-2.0
// Sessions by protocol, hop, port and IP version.
#include "analytics/table_rows.h"
#include "analytics/community_id.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

// No padding: it is a key.
struct kind {
	char spoken[SPOKEN_MAX + 1];
	uint16_t port;
	uint8_t hop, ip_version;
};

struct counts {
	uint64_t sessions, verdicts[VERDICTS], messages, message_bytes;
};

struct sessions {
	struct bounded_map *kinds; // struct kind → struct counts
	struct counts others;
};

static void sessions_destroy(void *accumulator)
{
	struct sessions *sessions = accumulator;
	bounded_map_destroy(sessions->kinds);
	free(sessions);
}

static void *sessions_create(const struct table_frame *frame)
{
	struct sessions *sessions = calloc(1, sizeof *sessions);
	if (sessions == NULL)
		return NULL;
	sessions->kinds = bounded_map_create(sizeof(struct counts), frame_most(frame, KINDS_MAX));
	if (sessions->kinds != NULL)
		return sessions;
	free(sessions);
	return NULL;
}

static void sessions_count(void *accumulator, const struct session_facts *facts)
{
	struct sessions *sessions = accumulator;
	struct kind kind = {.hop = (uint8_t)facts->hop,
	    .ip_version = ip_address_is_v4(&facts->address[FROM_SERVER]) ? 4 : 6,
	    .port = facts->server_port};
	memcpy(kind.spoken, facts->spoken, sizeof kind.spoken);
	struct counts *counts = bounded_map_at(sessions->kinds, &kind, sizeof kind);
	if (counts == NULL)
		counts = &sessions->others;
	counts->sessions++;
	counts->verdicts[facts->verdict]++;
	counts->messages += facts->messages;
	counts->message_bytes += facts->message_bytes;
}

static void add_counts(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct counts));
}

static void sessions_add(void *sum, const void *part)
{
	struct sessions *sessions = sum;
	const struct sessions *more = part;
	map_add(sessions->kinds, more->kinds, add_counts, &sessions->others);
	add_counts(&sessions->others, &more->others);
}

static int by_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct counts *a = one->value, *b = other->value;
	return compare_numbers(a->sessions, b->sessions);
}

static void counts_row(
    struct row_sink *sink, const struct cell labels[4], const struct counts *counts)
{
	const uint64_t *verdicts = counts->verdicts;
	uint64_t carried =
	    verdicts[VERDICT_ENCRYPTED] + verdicts[VERDICT_CLEARTEXT] + verdicts[VERDICT_STRIPPED];
	struct cell cells[] = {labels[0], labels[1], labels[2], labels[3],
	    cell_number(counts->sessions), cell_number(verdicts[VERDICT_ENCRYPTED]),
	    cell_number(verdicts[VERDICT_CLEARTEXT]), cell_number(verdicts[VERDICT_STRIPPED]),
	    cell_number(verdicts[VERDICT_TLS_FAILED]), cell_number(verdicts[VERDICT_NO_MAIL]),
	    cell_number(verdicts[VERDICT_NOT_MAIL]), cell_number(verdicts[VERDICT_PARTIAL]),
	    cell_number(counts->messages), cell_number(counts->message_bytes),
	    cell_share(verdicts[VERDICT_ENCRYPTED], carried)};
	sink->row(sink, cells);
}

static void kind_row(struct row_sink *sink, const struct map_entry *entry)
{
	struct kind kind;
	memcpy(&kind, entry->key, sizeof kind);
	struct cell labels[] = {cell_string(kind.spoken), cell_name(hop_name((enum hop)kind.hop)),
	    cell_number(kind.port), cell_number(kind.ip_version)};
	counts_row(sink, labels, entry->value);
}

static void sessions_rows(const void *accumulator, struct row_sink *sink)
{
	const struct sessions *sessions = accumulator;
	map_rows(sessions->kinds, by_sessions, kind_row, sink);
	struct cell labels[4] = {cell_name(OTHERS)};
	if (sessions->others.sessions > 0)
		counts_row(sink, labels, &sessions->others);
}

static const struct accumulator_ops accumulator = {
    sessions_create, sessions_destroy, sessions_count, sessions_add};

static const struct column columns[] = {
    {"protocol", "protocol", "what is spoken; null: nothing was said", COLUMN_TEXT},
    {"hop", "hop", "submission, relay or access; null: not mail, or not known", COLUMN_TEXT},
    {"port", "port", "of the server", COLUMN_NUMBER},
    {"ip_version", "IP", "4 or 6", COLUMN_NUMBER},
    {"count", "sessions", "sessions", COLUMN_COUNT},
    {"encrypted", "encrypted", "sessions protected by TLS", COLUMN_COUNT},
    {"cleartext", "clear", "sessions with mail or a log-in in the clear", COLUMN_COUNT},
    {"stripped", "stripped", "sessions kept from using TLS", COLUMN_COUNT},
    {"tls_failed", NULL, "sessions whose TLS did not come about", COLUMN_COUNT},
    {"no_mail", NULL, "sessions that ended before mail, log-in or TLS", COLUMN_COUNT},
    {"not_mail", NULL, "sessions that are something else", COLUMN_COUNT},
    {"partial", "partial", "sessions of which too little was captured", COLUMN_COUNT},
    {"messages", NULL, "messages transferred in the clear", COLUMN_COUNT},
    {"message_bytes", NULL, "bytes of messages transferred in the clear", COLUMN_COUNT},
    {"share", "of carried", "encrypted, of all encrypted, cleartext and stripped", COLUMN_SHARE},
};

const struct table_ops sessions_table = {
    .name = "sessions",
    .title = "Sessions by protocol, hop, port and IP version",
    .denominator = "all sessions; carried: those with TLS, or mail or a log-in in the clear",
    .unseen = "what is spoken inside TLS on a port of one's own; a hop that only the inside tells",
    .use = TABLE_OF_INTERVAL | TABLE_MANY,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = sessions_rows,
};
