// SPDX-License-Identifier: Apache-2.0
// A run, as the files that make it up share it: run_open.c opens all that it uses, run_keylogs.c the secrets, run_inputs.c
// reads packets, run_events.c hands on what comes of them, run.c ends it in order. Used by these alone.
#ifndef MAILTAP_ANALYTICS_RUN_PARTS_H
#define MAILTAP_ANALYTICS_RUN_PARTS_H

#include "analytics/analyst.h"
#include "analytics/dns_view.h"
#include "analytics/exporter.h"
#include "analytics/feed.h"
#include "analytics/inputs.h"
#include "analytics/intake.h"
#include "analytics/log_directory.h"
#include "analytics/run_view.h"
#include "analytics/shipper.h"
#include "analytics/store.h"
#include "analytics/upkeep.h"
#include "decode/pattern_set.h"
#include "decode/tls_keylog.h"

#include <stdatomic.h>

struct run {
	const struct options *options;
	struct signals *signals;
	struct tls_keylog *keylog; // NULL: none was given
	const struct pattern_set *patterns;
	struct live_input live; // opened first: what it takes to do so can be given up then
	struct feed *feed;
	struct exporters *exporters;
	struct certificate_judge *certificates;
	struct pattern_reader *pattern_reader;
	struct server_memory *servers;
	struct analyst *analyst;
	struct log_directory *logs; // NULL: none
	struct dns_view *names; // NULL: nobody asked for it
	struct mail_names *mail_names; // NULL: headers of mail are not read
	struct upkeep *upkeep;
	struct intake *intake; // its thread has the analyst, all that it uses and the exporters until it is finished
	struct exporter_settings settings;
	struct store_settings store;
	struct shipper *shipper; // NULL: records are sent nowhere
	struct run_accounting accounting;
	atomic_bool output_failed;
	// For who asks how the run goes.
	struct run_view *view; // NULL: nobody may
	struct run_accounting so_far; // the analytics thread's: what was told last
	uint64_t started; // Unix time
	_Atomic uint64_t inputs_failed;
};

// On standard error. An empty one has been told before.
void run_say(const struct error *error);

/* ---- run_open.c ---- */

// False: *error says why; what there is has to be closed all the same.
bool run_open(struct run *run, struct error *error);

/* ---- run_keylogs.c ---- */

// All key logs, before the first packet. False: one could not be read.
bool run_read_keylogs(struct run *run, struct error *error);

/* ---- run_inputs.c ---- */

// One after the other; what cannot be read is told and counted.
void run_read_inputs(struct run *run);

// Until it ends, or a signal comes: that is how a live run ends.
void run_read_live(struct run *run);

/* ---- run_events.c, in the analytics thread ---- */

struct intake_sinks run_intake_sinks(struct run *run);
struct analyst_sinks run_analyst_sinks(struct run *run);

// A line of what DNS says, and what tables count of it.
void run_on_domain(void *context, const struct json *line, const struct domain_facts *facts);
void run_on_lookups(void *context, const struct json *line, const struct lookup_facts *facts);

// An interval is over; also the last one, when the intake is.
void run_on_interval(void *context, const struct ended_interval *ended);

// What is not counted by those who read packets.
void run_complete_accounting(const struct run *run, struct run_accounting *accounting);

#endif
