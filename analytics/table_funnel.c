// SPDX-License-Identifier: Apache-2.0
// The way of a session through STARTTLS or STLS, step by step: each step counts the sessions that came
// through the one before.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>

enum step {
	STEP_CONNECTED,
	STEP_GREETED,
	STEP_LISTED,
	STEP_OFFERED,
	STEP_REQUESTED,
	STEP_ACCEPTED,
	STEP_ESTABLISHED,
	STEP_MAIL_PROTECTED,
	STEP_MAIL_IN_CLEAR,
	STEPS,
};

enum { PROTOCOLS = PROTOCOL_UNKNOWN + 1 };

struct funnel {
	struct tally steps[PROTOCOLS][STEPS];
};

static void *funnel_create(const struct table_frame *frame)
{
	(void)frame;
	return calloc(1, sizeof(struct funnel));
}

// Connections that nothing shows to be anything else than mail in the clear or with STARTTLS.
static bool belongs(const struct session_facts *facts)
{
	return (protocol_is_mail(facts->protocol) || facts->protocol == PROTOCOL_UNDECIDED) &&
	       facts->tls_mode != TLS_MODE_IMPLICIT;
}

static enum seen mail_in_clear(const struct session_facts *facts)
{
	switch (facts->verdict) {
	case VERDICT_CLEARTEXT:
	case VERDICT_STRIPPED:
		return SEEN_YES;
	case VERDICT_PARTIAL:
		return NOT_SEEN;
	case VERDICT_ENCRYPTED:
	case VERDICT_TLS_FAILED:
	case VERDICT_NO_MAIL:
	case VERDICT_NOT_MAIL:
	case VERDICTS:
		break;
	}
	return SEEN_NO;
}

static void funnel_count(void *accumulator, const struct session_facts *facts)
{
	struct funnel *funnel = accumulator;
	if (!belongs(facts))
		return;
	struct tally *steps = funnel->steps[facts->protocol];
	const enum seen passed[] = {[STEP_CONNECTED] = SEEN_YES,
	    [STEP_GREETED] = facts->greeted,
	    [STEP_LISTED] = facts->listed,
	    [STEP_OFFERED] = facts->starttls_offered,
	    [STEP_REQUESTED] = facts->starttls_requested,
	    [STEP_ACCEPTED] = facts->starttls_accepted,
	    [STEP_ESTABLISHED] = facts->tls_established,
	    [STEP_MAIL_PROTECTED] = NOT_SEEN};
	for (size_t step = 0; step <= STEP_MAIL_PROTECTED; step++) {
		tally_add(&steps[step], passed[step]);
		if (passed[step] != SEEN_YES)
			break;
	}
	tally_add(&steps[STEP_MAIL_IN_CLEAR], mail_in_clear(facts));
}

static void funnel_add(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct funnel));
}

static void funnel_rows(const void *accumulator, struct row_sink *sink)
{
	static const char *const names[STEPS] = {
	    [STEP_CONNECTED] = "connected",
	    [STEP_GREETED] = "greeted",
	    [STEP_LISTED] = "listed",
	    [STEP_OFFERED] = "offered",
	    [STEP_REQUESTED] = "requested",
	    [STEP_ACCEPTED] = "accepted",
	    [STEP_ESTABLISHED] = "established",
	    [STEP_MAIL_PROTECTED] = "mail_in_tls",
	    [STEP_MAIL_IN_CLEAR] = "mail_in_clear",
	};
	const struct funnel *funnel = accumulator;
	for (int protocol = 0; protocol < PROTOCOLS; protocol++) {
		const struct tally *steps = funnel->steps[protocol];
		for (size_t step = 0; step < STEPS; step++) {
			const struct tally *tally = &steps[step];
			if (tally->yes + tally->no + tally->not_seen == 0)
				continue; // nobody came that far
			struct cell cells[] = {cell_name(protocol_name((enum protocol)protocol)),
			    cell_name(names[step]), cell_number(tally->yes), cell_number(tally->no),
			    cell_number(tally->not_seen),
			    cell_share(tally->yes, tally->yes + tally->no)};
			sink->row(sink, cells);
		}
	}
}

static const struct accumulator_ops accumulator = {funnel_create, free, funnel_count, funnel_add};

static const struct column columns[] = {
    {"protocol", "protocol", "what is spoken; null: nothing was said", COLUMN_TEXT},
    {"step", "step", "each over the sessions that passed the one above; the last over all",
        COLUMN_TEXT},
    {"passed", "passed", "sessions that passed this step", COLUMN_COUNT},
    {"ended", "did not", "sessions that did not", COLUMN_COUNT},
    {"not_seen", "not seen", "sessions of which the tap could not see it", COLUMN_COUNT},
    {"share", "of those seen", "passed, of passed and not", COLUMN_SHARE},
};

const struct table_ops funnel_table = {
    .name = "funnel",
    .title = "The way to TLS of sessions that begin in the clear (listed: EHLO, CAPABILITY, CAPA "
             "answered)",
    .denominator = "each step: sessions that passed the one above; mail_in_clear: all connected",
    .unseen = "whether TLS then carried mail; an offer nobody asked for (HELO, no CAPA)",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = funnel_rows,
};
