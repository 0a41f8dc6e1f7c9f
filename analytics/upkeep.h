// SPDX-License-Identifier: Apache-2.0
// What a run does besides its packets and sessions, about once a second in the analytics thread: has logs put
// aside, files read again when a signal asks for it, what is known of servers saved, and the service manager told how it goes. Owns the
// reloader and the watch over the threads' progress; all else is borrowed.
#ifndef MAILTAP_ANALYTICS_UPKEEP_H
#define MAILTAP_ANALYTICS_UPKEEP_H

#include "analytics/exporter.h"
#include "analytics/log_directory.h"
#include "analytics/options.h"
#include "capture/base/progress_watch.h"
#include "analytics/signals.h"

// All borrowed, and used in the analytics thread alone.
struct upkeep_options {
	const struct options *options;
	struct signals *signals;
	const struct pattern_set *patterns; // in use
	struct log_directory *logs; // NULL: none
	struct exporters *exporters;
	struct certificate_judge *certificates;
	struct server_memory *servers;
	struct dns_view *names; // NULL: DNS is not read
	const char *server_memory; // where to save them while the run goes on; NULL: nowhere
	void (*tell)(const struct error *what); // says a line; from any thread
};

struct upkeep;

// NULL: *error.
struct upkeep *upkeep_create(const struct upkeep_options *options, struct error *error);
void upkeep_destroy(struct upkeep *upkeep); // NULL is allowed

// Over the threads that read packets; they have to go on while the run is ready and not stopping.
struct progress_watch *upkeep_watch(struct upkeep *upkeep);

// The source is open and packets are about to be read.
void upkeep_ready(struct upkeep *upkeep);

// No more packets are read; the rest is being written.
void upkeep_stopping(struct upkeep *upkeep);

// What was counted so far: what the service manager is told of it.
void upkeep_account(struct upkeep *upkeep, const struct run_accounting *accounting);

// True about once a second. To be asked all the time: it is cheap.
bool upkeep_is_due(struct upkeep *upkeep);

// To be called about once a second. False: a log failed; *error.
bool upkeep_second(struct upkeep *upkeep, struct error *error);

#endif
