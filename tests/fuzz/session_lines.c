// SPDX-License-Identifier: Apache-2.0
// Fuzzes the way from a session log to the tables: the input is a log. Whatever its lines say, every
// session is in exactly one row of the verdicts, shares are no larger than 1, and what is rendered has
// no control but the ends of its lines.
#include "analytics/facts_lookup.h"
#include "analytics/render.h"
#include "analytics/statistics.h"
#include "tests/fuzz/fuzzer.h"

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
	render_json(&json, table, accumulator);
	check_rendered(json.text, json.length);
	json_release(&json);
	if (strcmp(table->name, "verdicts") != 0)
		return;
	table->rows(accumulator, &sum.sink);
	MUST(sum.sessions == statistics_span(statistics).sessions);
}

static void count_line(
    struct statistics *statistics, struct facts_lookup *lookup, const uint8_t *line, size_t length)
{
	struct session_facts facts;
	char *copy = malloc(length > 0 ? length : 1); // just as long: reading past it is seen
	MUST(copy != NULL);
	memcpy(copy, line, length);
	if (session_facts_of_line(&facts, copy, length) != FACTS_DAMAGED) {
		facts_lookup_fill(lookup, &facts);
		statistics_count(statistics, &facts);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct facts_lookup *lookup; // takes longer to open than a log to read
	struct error error;
	if (lookup == NULL)
		lookup = facts_lookup_open(&error);
	struct statistics *statistics = statistics_create(0, &error);
	MUST(lookup != NULL && statistics != NULL);
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
		count_line(statistics, lookup, data + at, length);
		at += length + 1;
	}
	statistics_each(statistics, check_table, statistics);
	statistics_destroy(statistics);
	return 0;
}
