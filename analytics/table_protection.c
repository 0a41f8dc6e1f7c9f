// SPDX-License-Identifier: Apache-2.0
// Against whom sessions were protected, by hop: one who listens, and one who sits between.
#include "analytics/table_rows.h"
#include "analytics/tables.h"

#include <stdlib.h>

struct protection {
	struct {
		struct tally passive, active;
	} by[HOPS];
};

static void *protection_create(const struct table_frame *frame)
{
	(void)frame;
	return calloc(1, sizeof(struct protection));
}

// Whether a listener read nothing of mail and log-ins.
static enum seen against_listeners(const struct session_facts *facts)
{
	if (facts->verdict != VERDICT_ENCRYPTED)
		return session_facts_carried(facts) ? SEEN_NO : NOT_SEEN;
	return !facts->cipher_known ? NOT_SEEN : facts->cipher_breakable ? SEEN_NO : SEEN_YES;
}

// Whether one in between would have been noticed. Yes is never seen: a client that checks a good
// certificate looks like one that does not.
static enum seen against_attackers(const struct session_facts *facts)
{
	unsigned faults = facts->faults_known ? facts->faults : 0;
	if (against_listeners(facts) == SEEN_NO)
		return SEEN_NO;
	if (facts->verdict != VERDICT_ENCRYPTED)
		return NOT_SEEN;
	bool bad = faults != 0 || facts->anonymous || facts->client_verifies == SEEN_NO;
	return bad ? SEEN_NO : NOT_SEEN;
}

// What an attacker in between can rely on is told apart from what is open.
static bool is_open(const struct session_facts *facts)
{
	return facts->verdict == VERDICT_ENCRYPTED && facts->faults_known && facts->faults == 0 &&
	       facts->name_match == SEEN_YES && against_attackers(facts) == NOT_SEEN;
}

static void protection_count(void *accumulator, const struct session_facts *facts)
{
	struct protection *protection = accumulator;
	bool counts = session_facts_carried(facts) || facts->verdict == VERDICT_PARTIAL;
	if (!counts)
		return;
	tally_add(&protection->by[facts->hop].passive, against_listeners(facts));
	// "yes": it holds if the client looks.
	tally_add(&protection->by[facts->hop].active,
	    is_open(facts) ? SEEN_YES : against_attackers(facts));
}

static void protection_add(void *sum, const void *part)
{
	add_numbers(sum, part, sizeof(struct protection));
}

static void protection_rows(const void *accumulator, struct row_sink *sink)
{
	const struct protection *protection = accumulator;
	for (int number = 0; number < HOPS; number++) {
		enum hop hop = (enum hop)((number + 1) % HOPS); // no hop comes last
		const struct tally *passive = &protection->by[hop].passive;
		const struct tally *active = &protection->by[hop].active;
		struct cell cells[] = {cell_name(hop_name(hop)), cell_number(passive->yes),
		    cell_number(passive->no), cell_number(passive->not_seen),
		    cell_share(passive->yes, passive->yes + passive->no), cell_number(active->yes),
		    cell_number(active->no), cell_number(active->not_seen)};
		if (passive->yes + passive->no + passive->not_seen > 0)
			sink->row(sink, cells);
	}
}

static const struct accumulator_ops accumulator = {
    protection_create, free, protection_count, protection_add};

static const struct column columns[] = {
    {"hop", "hop", "submission, relay or access; null: not known", COLUMN_TEXT},
    {"passive_protected", "listener: safe", "sessions encrypted with a cipher that holds",
        COLUMN_COUNT},
    {"passive_exposed", "exposed", "sessions in the clear, or with a cipher of no worth",
        COLUMN_COUNT},
    {"passive_not_seen", "not seen", "sessions of which it was not seen", COLUMN_COUNT},
    {"passive_share", "of seen", "protected against a listener, of those seen", COLUMN_SHARE},
    {"active_possible", "attacker: maybe",
        "sessions with a valid certificate for the name asked for: safe if the client checks it",
        COLUMN_COUNT},
    {"active_exposed", "exposed",
        "sessions in the clear, or over a certificate that a careful client refuses", COLUMN_COUNT},
    {"active_not_seen", "not seen", "sessions whose certificate or name was not seen",
        COLUMN_COUNT},
};

const struct table_ops protection_table = {
    .name = "protection",
    .title = "Protection by hop against one who listens and one who sits between",
    .denominator = "sessions that carried mail, a log-in or TLS, or of which too little was seen",
    .unseen = "whether a client checks a good certificate (maybe safe); DANE, MTA-STS; other hops",
    .use = TABLE_OF_INTERVAL,
    TABLE_COLUMNS(columns),
    .accumulator = &accumulator,
    .rows = protection_rows,
};
