// SPDX-License-Identifier: Apache-2.0
// Sessions by network (autonomous system) and by country, of clients and of servers, where the user gave
// tables of them.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>
#include <string.h>

struct counts {
	char network_name[NETWORK_NAME_MAX]; // as first seen
	uint64_t sessions, encrypted, cleartext, stripped;
};

// No padding: it is a key. A network has no country, a country no network.
struct place {
	uint32_t network;
	char country[3];
	uint8_t side; // enum direction
};

struct places {
	struct bounded_map *places; // struct place → struct counts
	struct counts others[2][2]; // by whether countries, by side
};

enum { PLACES_MAX = 8192 };

static void places_destroy(void *accumulator)
{
	struct places *places = accumulator;
	bounded_map_destroy(places->places);
	free(places);
}

static void *places_create(const struct table_frame *frame)
{
	struct places *places = calloc(1, sizeof *places);
	if (places == NULL)
		return NULL;
	places->places = bounded_map_create(sizeof(struct counts), frame_most(frame, PLACES_MAX));
	if (places->places != NULL)
		return places;
	free(places);
	return NULL;
}

static struct counts *counts_of(struct places *places, const struct place *place)
{
	struct counts *counts = bounded_map_at(places->places, place, sizeof *place);
	return counts != NULL ? counts : &places->others[place->network == 0][place->side];
}

static void count(
    struct places *places, const struct place *place, const struct session_facts *facts)
{
	struct counts *counts = counts_of(places, place);
	if (counts->sessions == 0 && place->network != 0)
		memcpy(
		    counts->network_name, facts->where[place->side].network_name, NETWORK_NAME_MAX);
	counts->sessions++;
	counts->encrypted += facts->verdict == VERDICT_ENCRYPTED;
	counts->cleartext += facts->verdict == VERDICT_CLEARTEXT;
	counts->stripped += facts->verdict == VERDICT_STRIPPED;
}

static void places_count(void *accumulator, const struct session_facts *facts)
{
	for (uint8_t side = 0; side < 2; side++) {
		const struct whereabouts *where = &facts->where[side];
		struct place network = {.network = where->network, .side = side};
		struct place country = {.side = side};
		memcpy(country.country, where->country, sizeof country.country);
		if (network.network != 0)
			count(accumulator, &network, facts);
		if (country.country[0] != '\0')
			count(accumulator, &country, facts);
	}
}

static void add_counts(struct counts *sum, const struct counts *part)
{
	if (sum->sessions == 0)
		memcpy(sum->network_name, part->network_name, sizeof sum->network_name);
	sum->sessions += part->sessions;
	sum->encrypted += part->encrypted;
	sum->cleartext += part->cleartext;
	sum->stripped += part->stripped;
}

static void places_add(void *sum, const void *part)
{
	struct places *places = sum;
	const struct places *more = part;
	for (size_t i = 0; i < bounded_map_count(more->places); i++) {
		struct map_entry entry = bounded_map_entry(more->places, i);
		struct place place;
		memcpy(&place, entry.key, sizeof place);
		add_counts(counts_of(places, &place), entry.value);
	}
	for (size_t i = 0; i < 4; i++)
		add_counts(&places->others[i / 2][i % 2], &more->others[i / 2][i % 2]);
}

/* ---- rows ---- */

static const char *side_name(uint8_t side)
{
	return side == FROM_CLIENT ? "client" : "server";
}

static int by_side_and_sessions(const struct map_entry *one, const struct map_entry *other)
{
	const struct place *here = one->key, *there = other->key;
	const struct counts *a = one->value, *b = other->value;
	if (here->side != there->side)
		return here->side < there->side ? -1 : 1;
	return compare_numbers(a->sessions, b->sessions);
}

static void put_counts(struct cell cells[5], const struct counts *counts)
{
	cells[0] = cell_number(counts->sessions);
	cells[1] = cell_number(counts->encrypted);
	cells[2] = cell_number(counts->cleartext);
	cells[3] = cell_number(counts->stripped);
	cells[4] =
	    cell_share(counts->encrypted, counts->encrypted + counts->cleartext + counts->stripped);
}

static void network_row(struct row_sink *sink, const struct map_entry *entry)
{
	struct place place;
	const struct counts *counts = entry->value;
	memcpy(&place, entry->key, sizeof place);
	if (place.network == 0)
		return;
	struct cell cells[8] = {cell_name(side_name(place.side)), cell_number(place.network),
	    cell_string(counts->network_name)};
	put_counts(cells + 3, counts);
	sink->row(sink, cells);
}

static void country_row(struct row_sink *sink, const struct map_entry *entry)
{
	struct place place;
	memcpy(&place, entry->key, sizeof place);
	if (place.network != 0)
		return;
	struct cell cells[7] = {cell_name(side_name(place.side)), cell_string(place.country)};
	put_counts(cells + 2, entry->value);
	sink->row(sink, cells);
}

static void networks_rows(const void *accumulator, struct row_sink *sink)
{
	const struct places *places = accumulator;
	map_rows(places->places, by_side_and_sessions, network_row, sink);
	for (uint8_t side = 0; side < 2; side++) {
		struct cell cells[8] = {cell_name(side_name(side)), cell_null(), cell_name(OTHERS)};
		put_counts(cells + 3, &places->others[false][side]);
		if (places->others[false][side].sessions > 0)
			sink->row(sink, cells);
	}
}

static void countries_rows(const void *accumulator, struct row_sink *sink)
{
	const struct places *places = accumulator;
	map_rows(places->places, by_side_and_sessions, country_row, sink);
	for (uint8_t side = 0; side < 2; side++) {
		struct cell cells[7] = {cell_name(side_name(side)), cell_name(OTHERS)};
		put_counts(cells + 2, &places->others[true][side]);
		if (places->others[true][side].sessions > 0)
			sink->row(sink, cells);
	}
}

static const struct accumulator_ops accumulator = {
    places_create, places_destroy, places_count, places_add};

#define COUNT_COLUMNS                                                                              \
	{"sessions", "sessions", "sessions", COLUMN_COUNT},                                        \
	    {"encrypted", "encrypted", "sessions protected by TLS", COLUMN_COUNT},                 \
	    {"cleartext", "clear", "sessions with mail or a log-in in the clear", COLUMN_COUNT},   \
	    {"stripped", "stripped", "sessions kept from using TLS", COLUMN_COUNT},                \
	{                                                                                          \
		"share", "of carried", "encrypted, of all encrypted, cleartext and stripped",      \
		    COLUMN_SHARE                                                                   \
	}

static const struct column network_columns[] = {
    {"side", "side", "client or server", COLUMN_TEXT},
    {"asn", "AS", "number of the autonomous system", COLUMN_NUMBER},
    {"network", "name", "its name in the table given", COLUMN_TEXT},
    COUNT_COLUMNS,
};

static const struct column country_columns[] = {
    {"side", "side", "client or server", COLUMN_TEXT},
    {"country", "country", "ISO 3166-1 code in the table given", COLUMN_TEXT},
    COUNT_COLUMNS,
};

const struct table_ops networks_table = {
    .name = "networks",
    .title = "Sessions by network of client and of server",
    .denominator = "sessions whose address the table given has",
    .unseen = "who stands behind an address; the table is as good as its date",
    .use = TABLE_OF_INTERVAL | TABLE_MANY | TABLE_WHERE_ANY,
    TABLE_COLUMNS(network_columns),
    .accumulator = &accumulator,
    .rows = networks_rows,
};

const struct table_ops countries_table = {
    .name = "countries",
    .title = "Sessions by country of client and of server",
    .denominator = "sessions whose address the table given has",
    .unseen = "where a machine stands; the table is as good as its date",
    .use = TABLE_OF_INTERVAL | TABLE_MANY | TABLE_WHERE_ANY,
    TABLE_COLUMNS(country_columns),
    .accumulator = &accumulator,
    .rows = countries_rows,
};
