// SPDX-License-Identifier: Apache-2.0
// Evidence of stripping and downgrade, by kind and confidence.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>

struct kinds {
	uint64_t sessions; // with any
	struct {
		uint64_t sessions, stripped;
	} by[EVIDENCE_KINDS][CONFIDENCES];
};

static void *kinds_create(const struct table_frame *frame)
{
	(void)frame;
	return calloc(1, sizeof(struct kinds));
}

static void kinds_count(void *accumulator, const struct session_facts *facts)
{
	struct kinds *kinds = accumulator;
	if (session_facts_confidence(facts) == CONFIDENCE_NONE)
		return; // as nearly all of them; no row is of what has none
	kinds->sessions++;
	for (size_t kind = 0; kind < EVIDENCE_KINDS; kind++) {
		kinds->by[kind][facts->evidence[kind]].sessions++;
		kinds->by[kind][facts->evidence[kind]].stripped +=
		    facts->verdict == VERDICT_STRIPPED;
	}
}

static void kinds_add(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct kinds));
}

static void kinds_rows(const void *accumulator, struct row_sink *sink)
{
	const struct kinds *kinds = accumulator;
	for (int kind = 0; kind < EVIDENCE_KINDS; kind++) {
		for (int confidence = CONFIDENCES - 1; confidence > CONFIDENCE_NONE; confidence--) {
			uint64_t sessions = kinds->by[kind][confidence].sessions;
			struct cell cells[] = {
			    cell_name(evidence_kind_name((enum evidence_kind)kind)),
			    cell_name(confidence_name((enum confidence)confidence)),
			    cell_number(sessions),
			    cell_number(kinds->by[kind][confidence].stripped),
			    cell_share(sessions, kinds->sessions)};
			if (sessions > 0)
				sink->row(sink, cells);
		}
	}
}

static const struct accumulator_ops accumulator = {kinds_create, free, kinds_count, kinds_add};

static const struct column columns[] = {
    {"kind", "kind", "of evidence", COLUMN_TEXT},
    {"confidence", "confidence", "suspected, probable or confirmed: the highest in a session",
        COLUMN_TEXT},
    {"sessions", "sessions", "sessions with it", COLUMN_COUNT},
    {"stripped", "stripped", "of them those whose verdict is stripped", COLUMN_COUNT},
    {"share", "of all with evidence", "of the sessions with any evidence; one may have several",
        COLUMN_SHARE},
};

const struct table_ops evidence_table = {
    .name = "evidence",
    .title = "Evidence of stripping and downgrade by kind and confidence",
    .denominator = "sessions with any evidence",
    .unseen = "what is done where no packet passes the tap; a tap sees bytes, not intentions",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = kinds_rows,
};
