// SPDX-License-Identifier: Apache-2.0
// What became of the sessions: verdicts, and why those in the clear were.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>

struct verdicts {
	uint64_t all, by[VERDICTS][REASONS];
};

static void *verdicts_create(const struct table_frame *frame)
{
	(void)frame;
	return calloc(1, sizeof(struct verdicts));
}

static void verdicts_count(void *accumulator, const struct session_facts *facts)
{
	struct verdicts *verdicts = accumulator;
	verdicts->all++;
	verdicts->by[facts->verdict][facts->reason]++;
}

static void verdicts_add(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct verdicts));
}

static void verdicts_rows(const void *accumulator, struct row_sink *sink)
{
	const struct verdicts *verdicts = accumulator;
	for (int verdict = 0; verdict < VERDICTS; verdict++) {
		for (int reason = 0; reason < REASONS; reason++) {
			uint64_t count = verdicts->by[verdict][reason];
			if (count == 0)
				continue;
			struct cell cells[] = {cell_name(verdict_name((enum verdict)verdict)),
			    cell_name(reason_name((enum reason)reason)), cell_number(count),
			    cell_share(count, verdicts->all)};
			sink->row(sink, cells);
		}
	}
}

static const struct accumulator_ops accumulator = {
    verdicts_create, free, verdicts_count, verdicts_add};

static const struct column columns[] = {
    {"verdict", "verdict", "what the session came to", COLUMN_TEXT},
    {"reason", "reason", "why it is cleartext; null: the capture does not show it", COLUMN_TEXT},
    {"sessions", "sessions", "sessions with this verdict and reason", COLUMN_COUNT},
    {"share", "of all", "of all sessions", COLUMN_SHARE},
};

const struct table_ops verdicts_table = {
    .name = "verdicts",
    .title = "What became of the sessions",
    .denominator = "connections to mail ports, or found to be mail",
    .unseen = "connections whose packets did not pass the tap, and what TLS carried",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = verdicts_rows,
};
