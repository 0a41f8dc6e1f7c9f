// SPDX-License-Identifier: Apache-2.0
// Session records, certificates and ends of intervals on their way from the worker's thread to the one that judges and
// writes them: a certificate that has to be verified for the first time costs as much as thousands of
// packets, and none of them waits for it. Everything is copied into a ring, so that the worker's
// memory stays its own; order is kept. Owns the ring and the thread.
#ifndef MAILTAP_ANALYTICS_INTAKE_H
#define MAILTAP_ANALYTICS_INTAKE_H

#include "analytics/exporter.h"
#include "capture/base/error.h"
#include "decode/certificate_announcer.h"
#include "decode/session_record.h"

struct intake;

// Called in the intake's thread. What they get is borrowed for the call.
struct intake_sinks {
	session_sink *on_session;
	certificate_sink *on_certificate;
	void (*on_interval)(void *context, const struct ended_interval *interval);
	void *context;
};

// Starts the thread; signals are left to the others. NULL: *error.
struct intake *intake_create(const struct intake_sinks *sinks, struct error *error);

// For the worker (session_sink, certificate_sink): `intake` is the context. They wait while the ring is
// full, so that nothing is lost and a replay is the same each time.
void intake_session(void *intake, const struct session_record *record);
void intake_certificate(void *intake, const struct shown_certificate *certificate);

// As those, when an interval of packet time is over.
void intake_interval(struct intake *intake, const struct ended_interval *interval);

// Waits until everything was taken, ends the thread and frees all. NULL is allowed.
void intake_finish(struct intake *intake);

#endif
