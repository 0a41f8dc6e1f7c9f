// SPDX-License-Identifier: Apache-2.0
// Sessions over time, by verdict. A span without sessions has no row: whether there was none, or no capture,
// is not for sessions to tell.
#include "analytics/json.h"
#include "analytics/table_rows.h"
#include "analytics/tables.h"
#include "analytics/time_buckets.h"

#include <stdlib.h>

_Static_assert((int)VERDICTS <= (int)TIME_BUCKET_COUNTERS, "a counter for each verdict");

static void *times_create(const struct table_frame *frame)
{
	(void)frame;
	return calloc(1, sizeof(struct time_buckets));
}

static void times_count(void *accumulator, const struct session_facts *facts)
{
	time_buckets_add(accumulator, facts->start, facts->verdict, 1);
}

static void times_add(void *sum, const void *part)
{
	time_buckets_unite(sum, part);
}

static void times_row(struct row_sink *sink, struct json *json, nanoseconds start,
    nanoseconds width, const uint64_t *verdicts)
{
	uint64_t sessions = 0;
	for (size_t i = 0; i < VERDICTS; i++)
		sessions += verdicts[i];
	if (sessions == 0)
		return;
	json_clear(json);
	json_time(json, start);
	if (json->failed)
		return;
	uint64_t carried =
	    verdicts[VERDICT_ENCRYPTED] + verdicts[VERDICT_CLEARTEXT] + verdicts[VERDICT_STRIPPED];
	struct cell cells[] = {
	    cell_text(view_of((const uint8_t *)json->text + 1, json->length - 2)), // no quotes
	    cell_number((uint64_t)(width / SECONDS(1))), cell_number(sessions),
	    cell_number(verdicts[VERDICT_ENCRYPTED]), cell_number(verdicts[VERDICT_CLEARTEXT]),
	    cell_number(verdicts[VERDICT_STRIPPED]), cell_number(verdicts[VERDICT_TLS_FAILED]),
	    cell_number(verdicts[VERDICT_NO_MAIL]), cell_number(verdicts[VERDICT_NOT_MAIL]),
	    cell_number(verdicts[VERDICT_PARTIAL]),
	    cell_share(verdicts[VERDICT_ENCRYPTED], carried)};
	sink->row(sink, cells);
}

static void times_rows(const void *accumulator, struct row_sink *sink)
{
	const struct time_buckets *buckets = accumulator;
	struct json json = {0};
	for (size_t span = 0; span < buckets->count; span++)
		times_row(sink, &json, time_buckets_start(buckets, span), buckets->width,
		    buckets->counters[span]);
	json_release(&json);
}

static const struct accumulator_ops accumulator = {times_create, free, times_count, times_add};

static const struct column columns[] = {
    {"start", "from", "when the span begins, UTC", COLUMN_TEXT},
    {"seconds", "seconds", "how long it is", COLUMN_NUMBER},
    {"sessions", "sessions", "sessions that began in it", COLUMN_COUNT},
    {"encrypted", "encrypted", "sessions protected by TLS", COLUMN_COUNT},
    {"cleartext", "clear", "sessions with mail or a log-in in the clear", COLUMN_COUNT},
    {"stripped", "stripped", "sessions kept from using TLS", COLUMN_COUNT},
    {"tls_failed", NULL, "sessions whose TLS did not come about", COLUMN_COUNT},
    {"no_mail", NULL, "sessions that ended before mail, log-in or TLS", COLUMN_COUNT},
    {"not_mail", NULL, "sessions that are something else", COLUMN_COUNT},
    {"partial", "partial", "sessions of which too little was captured", COLUMN_COUNT},
    {"share", "of carried", "encrypted, of all encrypted, cleartext and stripped", COLUMN_SHARE},
};

const struct table_ops times_table = {
    .name = "times",
    .title = "Sessions over time",
    .denominator =
        "sessions that began in the span; carried: with TLS, or mail or a log-in in the clear",
    .unseen = "spans without a capture: here they look like those without sessions",
    .use = TABLE_MANY | TABLE_LONG,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = times_rows,
};
