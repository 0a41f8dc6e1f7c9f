// SPDX-License-Identifier: Apache-2.0
// domains.jsonl and lookups.jsonl (--dns), and the same in the store: the lines that dns_view.c makes. An exporter for
// each, so that one that cannot be written is told by its name.
#include "analytics/exporter.h"
#include "analytics/record_outlet.h"

#include <stdlib.h>

static void *open_lines(
    const struct exporter_settings *settings, enum store_table_id table, struct error *error)
{
	if (!settings->names || !record_outlet_wanted(settings))
		return NULL;
	struct record_outlet *outlet = calloc(1, sizeof *outlet);
	error_set(error, "no memory for the log of %s", store_tables[table].name);
	if (outlet != NULL && record_outlet_open(outlet, settings, table, error))
		return outlet;
	free(outlet);
	return NULL;
}

static void *domains_open(const struct exporter_settings *settings, struct error *error)
{
	return open_lines(settings, STORE_DOMAINS, error);
}

static void *lookups_open(const struct exporter_settings *settings, struct error *error)
{
	return open_lines(settings, STORE_LOOKUPS, error);
}

static bool domains_line(
    void *exporter, const struct json *line, const struct domain_facts *facts, struct error *error)
{
	(void)facts;
	return record_outlet_add(exporter, line, error);
}

static bool lookups_line(
    void *exporter, const struct json *line, const struct lookup_facts *facts, struct error *error)
{
	(void)facts;
	return record_outlet_add(exporter, line, error);
}

static bool lines_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct record_outlet *outlet = exporter;
	(void)accounting;
	bool good = record_outlet_close(outlet, error);
	free(outlet);
	return good;
}

const struct exporter_ops domains_exporter = {
    .name = "domains",
    .open = domains_open,
    .domain = domains_line,
    .close = lines_close,
};

const struct exporter_ops lookups_exporter = {
    .name = "lookups",
    .open = lookups_open,
    .lookups = lookups_line,
    .close = lines_close,
};
