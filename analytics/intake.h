// SPDX-License-Identifier: Apache-2.0
// Session records, certificates and ends of intervals on their way from the workers' threads to the one
// that judges and writes them: a certificate that has to be verified for the first time costs as much as
// thousands of packets, and none of them waits for it. Everything is copied into a ring, one a worker, so
// that the workers' memory stays their own. What several workers found is taken in the order of the
// traffic, as if one had found it. Owns the rings and the thread.
#ifndef MAILTAP_ANALYTICS_INTAKE_H
#define MAILTAP_ANALYTICS_INTAKE_H

#include "analytics/run_accounting.h"
#include "capture/base/error.h"
#include "decode/certificate_announcer.h"
#include "decode/session_record.h"

struct intake;
struct intake_lane; // what one worker hands on

// Called in the intake's thread. What they get is borrowed for the call.
struct intake_sinks {
	session_sink *on_session;
	certificate_sink *on_certificate;
	// A message of DNS that is of use. NULL: none come.
	void (*on_names)(void *context, const struct dns_message *message);
	// All workers have come to the end of an interval; the accounting is of all of them.
	void (*on_interval)(void *context, const struct ended_interval *interval);
	// What was counted so far, of all workers: as often as one of them tells. `whole`: they all have told it
	// since it was so the last time. NULL: nobody wants to know.
	void (*on_account)(
	    void *context, const struct run_accounting *accounting, bool whole);
	// Every few milliseconds, whether or not something came. NULL: there is nothing else to do.
	void (*on_turn)(void *context, const struct intake *intake);
	// All that came was taken, and it is about to be waited for more. NULL: nothing was put off until then.
	void (*on_wait)(void *context);
	void *context;
};

struct intake_options {
	struct intake_sinks sinks;
	unsigned lanes; // workers; at least one
	bool live; // messages of DNS that there is little room for are left out
	int cpu; // where the thread is to run; negative: anywhere
};

// Starts the thread; signals are left to the others. NULL: *error.
struct intake *intake_create(const struct intake_options *options, struct error *error);

// One worker's end: the context of the functions below. Each is used by one thread.
struct intake_lane *intake_lane(struct intake *intake, unsigned number);

// For the worker (session_sink, certificate_sink). They wait while the ring is full, so that nothing is
// lost and a replay is the same each time.
void intake_session(void *lane, const struct session_record *record);
void intake_certificate(void *lane, const struct shown_certificate *certificate);

// Likewise (names_sink), but live no message of DNS is waited for: false where sessions need the room.
bool intake_names(void *lane, const struct dns_message *message);

// By whose order (worker_order) the lane's messages are taken, and whether it speaks for its whole crew: to
// be said before the first of them.
void intake_lane_of(struct intake_lane *lane, const struct worker *worker, bool leads);
bool intake_lane_leads(const struct intake_lane *lane);

// This worker is at the end of an interval. The accounting has what this lane tells of: since the run began.
void intake_interval(struct intake_lane *lane, const struct ended_interval *interval);

// What this lane tells of, between the ends of intervals.
void intake_account(struct intake_lane *lane, const struct run_accounting *accounting);

// Nothing with a lower position will come by this lane.
void intake_progress(void *lane, uint64_t position);

// What a worker told last of itself.
struct worker_report {
	int64_t told; // when, by the monotonic clock; 0: never yet
	struct worker_counters counters;
};

// Called in the intake's thread. `number` is below the count of lanes.
unsigned intake_lanes(const struct intake *intake);
struct worker_report intake_worker(const struct intake *intake, unsigned number);

// Waits until everything was taken, ends the thread and frees all. The workers are done. NULL is allowed.
void intake_finish(struct intake *intake);

#endif
