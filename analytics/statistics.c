// SPDX-License-Identifier: Apache-2.0
#include "analytics/statistics.h"

#include "analytics/tables.h"

#include <stdlib.h>

// A new table is one file and one row.
static const struct table_ops *const tables[] = {
    &verdicts_table,
    &sessions_table,
    &networks_table,
    &countries_table,
    &distinct_table,
    &funnel_table,
    &protection_table,
    &servers_table,
    &certificates_table,
    &starttls_use_table,
    &verification_table,
    &tls_versions_table,
    &tls_ciphers_table,
    &tls_groups_table,
    &operators_table,
    &services_table,
    &credentials_table,
    &evidence_table,
    &paths_table,
    &policies_table,
    &properties_table,
    &lookups_table,
    &lookup_operators_table,
    &lookup_list_table,
    &server_list_table,
    &client_list_table,
    &operator_pairs_table,
    &internal_hops_table,
    &enforcement_table,
    &enforcement_networks_table,
    &times_table,
};

enum { TABLES = sizeof tables / sizeof tables[0] };

struct statistics {
	unsigned use;
	struct table_frame frame;
	struct statistics_span span;
	// By table; those that show the same accumulator share it, and the first of them owns it.
	void *accumulators[TABLES];
	bool owns[TABLES];
};

static bool wanted(const struct statistics *statistics, size_t i)
{
	return statistics->use == 0 || (tables[i]->use & statistics->use) != 0;
}

static void *shared(const struct statistics *statistics, size_t i)
{
	for (size_t before = 0; before < i; before++)
		if (tables[before]->accumulator == tables[i]->accumulator)
			return statistics->accumulators[before];
	return NULL;
}

static void release(struct statistics *statistics)
{
	for (size_t i = 0; i < TABLES; i++) {
		if (statistics->owns[i])
			tables[i]->accumulator->destroy(statistics->accumulators[i]);
		statistics->accumulators[i] = NULL;
		statistics->owns[i] = false;
	}
}

bool statistics_restart(struct statistics *statistics)
{
	release(statistics);
	statistics->span = (struct statistics_span){0};
	for (size_t i = 0; i < TABLES; i++) {
		if (!wanted(statistics, i))
			continue;
		statistics->accumulators[i] = shared(statistics, i);
		if (statistics->accumulators[i] != NULL)
			continue;
		statistics->accumulators[i] = tables[i]->accumulator->create(&statistics->frame);
		statistics->owns[i] = statistics->accumulators[i] != NULL;
		if (!statistics->owns[i])
			return false;
	}
	return true;
}

struct statistics *statistics_create(unsigned use, struct error *error)
{
	struct table_frame frame = {SIZE_MAX, hash_key_random()};
	return statistics_create_in(&frame, use, error);
}

struct statistics *statistics_create_in(
    const struct table_frame *frame, unsigned use, struct error *error)
{
	struct statistics *statistics = calloc(1, sizeof *statistics);
	if (statistics != NULL) {
		statistics->use = use;
		statistics->frame = *frame;
		if (statistics_restart(statistics))
			return statistics;
	}
	error_set(error, "no memory for statistics");
	statistics_destroy(statistics);
	return NULL;
}

void statistics_destroy(struct statistics *statistics)
{
	if (statistics == NULL)
		return;
	release(statistics);
	free(statistics);
}

void statistics_count(struct statistics *statistics, const struct session_facts *facts)
{
	struct statistics_span *span = &statistics->span;
	if (span->sessions == 0 || facts->start < span->first)
		span->first = facts->start;
	if (span->sessions == 0 || facts->end > span->last)
		span->last = facts->end;
	span->sessions++;
	for (size_t i = 0; i < TABLES; i++)
		if (statistics->owns[i])
			tables[i]->accumulator->count(statistics->accumulators[i], facts);
}

void statistics_domain(struct statistics *statistics, const struct domain_facts *facts)
{
	for (size_t i = 0; i < TABLES; i++)
		if (statistics->owns[i] && tables[i]->domain != NULL)
			tables[i]->domain(statistics->accumulators[i], facts);
}

void statistics_lookups(struct statistics *statistics, const struct lookup_facts *facts)
{
	for (size_t i = 0; i < TABLES; i++)
		if (statistics->owns[i] && tables[i]->lookups != NULL)
			tables[i]->lookups(statistics->accumulators[i], facts);
}

static struct statistics_span span_of_both(
    const struct statistics_span *one, const struct statistics_span *other)
{
	struct statistics_span both = *one;
	if (one->sessions == 0 || other->sessions == 0)
		return one->sessions == 0 ? *other : *one;
	both.sessions += other->sessions;
	both.first = one->first < other->first ? one->first : other->first;
	both.last = one->last > other->last ? one->last : other->last;
	return both;
}

void statistics_add(struct statistics *sum, const struct statistics *part)
{
	sum->span = span_of_both(&sum->span, &part->span);
	for (size_t i = 0; i < TABLES; i++)
		if (sum->owns[i])
			tables[i]->accumulator->add(sum->accumulators[i], part->accumulators[i]);
}

struct statistics_span statistics_span(const struct statistics *statistics)
{
	return statistics->span;
}

void statistics_each(const struct statistics *statistics, table_visitor *visitor, void *context)
{
	for (size_t i = 0; i < TABLES; i++)
		if (statistics->accumulators[i] != NULL)
			visitor(context, tables[i], statistics->accumulators[i]);
}
