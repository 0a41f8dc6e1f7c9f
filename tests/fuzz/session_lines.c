// SPDX-License-Identifier: Apache-2.0
// Fuzzes the way from a session log to the tables: the input is a log, plain or compressed. Whatever its lines
// say, each is counted once, every session is in exactly one row of the verdicts, shares are no larger than
// 1, and what is rendered has no control but the ends of its lines. What a store takes of each line lies in the
// line or in the room for it.
#include "analytics/dns_facts.h"
#include "analytics/facts_lookup.h"
#include "analytics/render.h"
#include "analytics/session_log.h"
#include "analytics/statistics.h"
#include "analytics/store_record.h"
#include "tests/fuzz/fuzzer.h"

#include <sys/mman.h>
#include <unistd.h>

struct sum_sink {
	struct row_sink sink;
	uint64_t sessions;
};

// A row of the table of verdicts.
static void add_row(struct row_sink *sink, const struct cell *cells)
{
	((struct sum_sink *)sink)->sessions += cells[2].number;
	MUST(cells[3].part <= cells[3].of);
}

static void check_rendered(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t c = (uint8_t)text[i];
		bool line_end = c == '\n' || (c == '\r' && i + 1 < length && text[i + 1] == '\n');
		MUST(c == 0x7f ? false : c >= 0x20 || line_end);
	}
}

static void check_table(void *context, const struct table_ops *table, const void *accumulator)
{
	const struct statistics *statistics = context;
	struct sum_sink sum = {.sink = {add_row}};
	struct json json = {0};
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	MUST(out != NULL);
	render_text(out, table, accumulator, 2);
	render_csv(out, table, accumulator);
	render_metrics(out, table, accumulator);
	fclose(out);
	check_rendered(text, length);
	free(text);
	render_json(&json, table, accumulator, 0);
	check_rendered(json.text, json.length);
	json_release(&json);
	if (strcmp(table->name, "verdicts") != 0)
		return;
	table->rows(accumulator, &sum.sink);
	MUST(sum.sessions == statistics_span(statistics).sessions);
}

// As a line of each log.
static void check_record(const char *line, size_t length)
{
	static struct store_record *record;
	if (record == NULL)
		record = store_record_create();
	MUST(record != NULL);
	for (size_t i = 0; i < STORE_TABLES; i++) {
		const struct store_table *table = &store_tables[i];
		(void)store_record_read(record, table, line, length);
		const struct store_value *values = store_record_values(record);
		for (size_t column = 0; column < table->column_count; column++)
			if (values[column].form == STORE_BYTES)
				free(exact_copy(
				    (const uint8_t *)values[column].bytes, values[column].length));
	}
}

// As a line of domains.jsonl or lookups.jsonl.
static void check_dns(const char *line, size_t length)
{
	static struct domain_facts domain;
	struct lookup_facts lookups;
	if (domain_facts_of_line(&domain, line, length))
		MUST(domain.address_count <= DOMAIN_ADDRESSES_MAX);
	(void)lookup_facts_of_line(&lookups, line, length);
}

struct reading {
	struct statistics *statistics;
	struct facts_lookup *lookup;
};

static enum log_line count_line(void *context, const char *line, size_t length)
{
	static const enum log_line kinds[] = {[FACTS_TAKEN] = LOG_LINE_TAKEN,
	    [FACTS_TAKEN_IN_PART] = LOG_LINE_IN_PART,
	    [FACTS_DAMAGED] = LOG_LINE_DAMAGED};
	struct reading *reading = context;
	struct session_facts facts;
	char *copy = (char *)exact_copy((const uint8_t *)line, length);
	enum facts_outcome read = session_facts_of_line(&facts, copy, length);
	check_record(copy, length);
	check_dns(copy, length);
	if (read != FACTS_DAMAGED) {
		facts_lookup_fill(reading->lookup, &facts);
		statistics_count(reading->statistics, &facts);
	}
	free(copy);
	return kinds[read];
}

// Every line is counted once.
static void check_counters(const struct log_counters *counters, const struct statistics *statistics)
{
	MUST(counters->lines ==
	     counters->taken + counters->damaged + counters->too_long + counters->torn);
	MUST(counters->in_part <= counters->taken);
	MUST(statistics_span(statistics).sessions == counters->taken);
}

static void read_log(const uint8_t *data, size_t size, struct reading *reading)
{
	struct log_counters counters = {0};
	struct error error = {""};
	char path[64];
	int file = memfd_create("log", MFD_CLOEXEC);
	MUST(
	    file >= 0 && write(file, data, size) == (ssize_t)size && lseek(file, 0, SEEK_SET) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	bool good = log_read(path, count_line, reading, &counters, &error);
	MUST(good == (error.text[0] == '\0'));
	check_counters(&counters, reading->statistics);
	close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct facts_lookup *lookup; // takes longer to open than a log to read
	struct error error;
	if (lookup == NULL)
		lookup = facts_lookup_open(&error);
	struct statistics *statistics = statistics_create(0, &error);
	MUST(lookup != NULL && statistics != NULL);
	read_log(data, size, &(struct reading){statistics, lookup});
	statistics_each(statistics, check_table, statistics);
	statistics_destroy(statistics);
	return 0;
}
