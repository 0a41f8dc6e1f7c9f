// SPDX-License-Identifier: Apache-2.0
// All tables of the statistics, counted together: over a run, over an interval of it, or over logs.
// Bounded memory whatever the sessions are. Owned by one thread.
#ifndef MAILTAP_ANALYTICS_STATISTICS_H
#define MAILTAP_ANALYTICS_STATISTICS_H

#include "analytics/table.h"
#include "capture/base/error.h"

struct statistics;

// `use`: only tables with one of these uses (enum table_use); 0: all. NULL: no memory; *error.
struct statistics *statistics_create(unsigned use, struct error *error);

// With such a frame, to be added up with others that have its key. Keep the key from strangers (hash.h).
struct statistics *statistics_create_in(
    const struct table_frame *frame, unsigned use, struct error *error);
void statistics_destroy(struct statistics *statistics); // NULL is allowed

// Forgets all sessions. False: no memory; it can only be destroyed then.
bool statistics_restart(struct statistics *statistics);

// The lookups must have been made (facts_lookup_fill).
void statistics_count(struct statistics *statistics, const struct session_facts *facts);

// What the logs of DNS say. The operator must have been looked up (facts_lookup_domain).
void statistics_domain(struct statistics *statistics, const struct domain_facts *facts);
void statistics_lookups(struct statistics *statistics, const struct lookup_facts *facts);

// Counts what `part` has counted, of later sessions; it has the same tables, in a frame with the same key.
void statistics_add(struct statistics *sum, const struct statistics *part);

struct statistics_span {
	uint64_t sessions;
	nanoseconds first,
	    last; // start of the first, end of the last session; meaningless without any
};

struct statistics_span statistics_span(const struct statistics *statistics);

// Called for each table in order.
typedef void table_visitor(void *context, const struct table_ops *table, const void *accumulator);
void statistics_each(const struct statistics *statistics, table_visitor *visitor, void *context);

#endif
