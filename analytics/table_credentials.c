// SPDX-License-Identifier: Apache-2.0
// Log-ins in the clear, by mechanism, and which of them showed a secret.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct credentials {
	struct bounded_map *mechanisms; // hop and mechanism → struct tally
	struct tally others;
};

struct mechanism {
	char text[MECHANISM_MAX + 1];
	uint8_t hop;
};

static void credentials_destroy(void *accumulator)
{
	struct credentials *credentials = accumulator;
	bounded_map_destroy(credentials->mechanisms);
	free(credentials);
}

static void *credentials_create(const struct table_frame *frame)
{
	struct credentials *credentials = calloc(1, sizeof *credentials);
	if (credentials == NULL)
		return NULL;
	credentials->mechanisms =
	    bounded_map_create(sizeof(struct tally), frame_most(frame, KINDS_MAX));
	if (credentials->mechanisms != NULL)
		return credentials;
	free(credentials);
	return NULL;
}

static void credentials_count(void *accumulator, const struct session_facts *facts)
{
	struct credentials *credentials = accumulator;
	struct mechanism key = {.hop = (uint8_t)facts->hop};
	if (facts->mechanism[0] == '\0')
		return;
	memcpy(key.text, facts->mechanism, sizeof key.text);
	struct tally *tally = bounded_map_at(credentials->mechanisms, &key, sizeof key);
	tally_add(tally != NULL ? tally : &credentials->others, facts->credentials_exposed);
}

static void add_tally(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct tally));
}

static void credentials_add(void *sum, const void *part)
{
	struct credentials *credentials = sum;
	const struct credentials *more = part;
	map_add(credentials->mechanisms, more->mechanisms, add_tally, &credentials->others);
	add_tally(&credentials->others, &more->others);
}

static int by_exposed(const struct map_entry *one, const struct map_entry *other)
{
	const struct tally *a = one->value, *b = other->value;
	return compare_numbers(a->yes, b->yes);
}

static void tally_row(
    struct row_sink *sink, enum hop hop, const char *mechanism, const struct tally *tally)
{
	struct cell cells[] = {cell_name(mechanism), cell_name(hop_name(hop)),
	    cell_number(tally->yes + tally->no + tally->not_seen), cell_number(tally->yes),
	    cell_number(tally->no), cell_number(tally->not_seen),
	    cell_share(tally->yes, tally->yes + tally->no)};
	sink->row(sink, cells);
}

static void mechanism_row(struct row_sink *sink, const struct map_entry *entry)
{
	struct mechanism key;
	memcpy(&key, entry->key, sizeof key);
	tally_row(sink, (enum hop)key.hop, key.text, entry->value);
}

static void credentials_rows(const void *accumulator, struct row_sink *sink)
{
	const struct credentials *credentials = accumulator;
	const struct tally *others = &credentials->others;
	map_rows(credentials->mechanisms, by_exposed, mechanism_row, sink);
	if (others->yes + others->no + others->not_seen > 0)
		tally_row(sink, HOP_NONE, OTHERS, others);
}

static const struct accumulator_ops accumulator = {
    credentials_create, credentials_destroy, credentials_count, credentials_add};

static const struct column columns[] = {
    {"mechanism", "mechanism", "of the log-in in the clear", COLUMN_TEXT},
    {"hop", "hop", "submission, relay or access; null: not known", COLUMN_TEXT},
    {"logins", "log-ins", "sessions with a log-in in the clear", COLUMN_COUNT},
    {"exposed", "exposed", "sessions that showed a password or token", COLUMN_COUNT},
    {"not_exposed", "not", "sessions that did not", COLUMN_COUNT},
    {"not_seen", "not seen", "sessions of which it was not seen", COLUMN_COUNT},
    {"share", "of those seen", "exposed, of exposed and not", COLUMN_SHARE},
};

const struct table_ops credentials_table = {
    .name = "credentials",
    .title = "Log-ins in the clear by mechanism",
    .denominator = "sessions with a log-in in the clear of which it was seen",
    .unseen = "log-ins inside TLS; whose they are (nothing of them is kept)",
    .use = TABLE_OF_INTERVAL | TABLE_MANY,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = credentials_rows,
};
