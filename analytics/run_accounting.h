// SPDX-License-Identifier: Apache-2.0
// What a run says of its own work: how much came in, what became of it, what was lost on the way and what
// was given up for room. A plain value; statistics, metrics and the summary show it.
#ifndef MAILTAP_ANALYTICS_RUN_ACCOUNTING_H
#define MAILTAP_ANALYTICS_RUN_ACCOUNTING_H

#include "analytics/analyst.h"
#include "analytics/certificate_judge.h"
#include "analytics/dns_view.h"
#include "analytics/server_memory.h"
#include "analytics/store.h"
#include "capture/source.h"
#include "decode/crew.h"

// What exporters wrote.
struct written_counters {
	uint64_t sessions; // records
	uint64_t certificates;
	uint64_t alerts;
	uint64_t alerts_left_out; // like one that was written (alert_limit.h)
	uint64_t reports_left_out; // sessions that are in no TLS report, for too many domains
	struct store_counters store;
};

struct run_accounting {
	uint64_t started; // Unix time, seconds
	nanoseconds time; // of the latest packet, or live, where none comes, of the clock; 0: there was none
	struct source_counters source; // summed over the inputs
	struct segment_reader_counters reader;
	struct worker_counters worker; // of all workers
	struct certificate_judge_counters certificates;
	struct server_memory_counters servers;
	struct analyst_counters analyst;
	struct dns_view_counters names;
	struct written_counters written;
	const char *trust; // which trust store judged
	uint64_t inputs_failed; // inputs that ended in an error
	struct crew_losses losses; // none where a reader of files waits
	bool interrupted; // by a signal: the rest of the input was not read
};

// An interval of packet time that is over.
struct ended_interval {
	nanoseconds from, until;
	bool complete; // all of it was captured: it is not the first nor the last one
	struct run_accounting accounting; // at its end, since the run began; without trust
};

#endif
