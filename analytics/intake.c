// SPDX-License-Identifier: Apache-2.0
#include "analytics/intake.h"

#include "capture/base/ring.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	RING = 8 << 20, // bytes; the longest message takes a quarter
	WAIT_FIRST = 20 * 1000, // nanoseconds; doubled while there is nothing to do
	WAIT_LONGEST = 1000 * 1000,
};

enum message_kind { MESSAGE_SESSION, MESSAGE_CERTIFICATE, MESSAGE_INTERVAL };

// In front of what is sent, which begins aligned behind it.
struct message {
	uint64_t kind; // enum message_kind
	uint64_t unused;
};

struct certificate_message {
	struct shown_certificate shown; // its pointers are the sender's
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	uint8_t der[];
};

struct intake {
	struct intake_sinks sinks;
	struct ring *ring;
	pthread_t thread;
};

/* ---- waiting ---- */

// A little longer each time.
static void wait_for_the_other(long *pause)
{
	struct timespec time = {.tv_nsec = *pause};
	(void)nanosleep(&time, NULL);
	if (*pause < WAIT_LONGEST)
		*pause *= 2;
}

/* ---- the worker's side ---- */

// Room for a message, behind its head. NULL: it is too long to be sent.
static void *begin_message(struct intake *intake, enum message_kind kind, size_t length)
{
	long wait = WAIT_FIRST;
	struct message *message;
	if (sizeof *message + length > ring_message_max(intake->ring))
		return NULL;
	while ((message = ring_reserve(intake->ring, sizeof *message + length)) == NULL)
		wait_for_the_other(&wait);
	*message = (struct message){.kind = kind};
	return message + 1;
}

void intake_session(void *context, const struct session_record *record)
{
	struct intake *intake = context;
	void *room = begin_message(intake, MESSAGE_SESSION, session_record_size(record));
	if (room == NULL)
		return; // cannot be: texts are bounded
	session_record_copy(record, room);
	ring_commit(intake->ring);
}

void intake_certificate(void *context, const struct shown_certificate *certificate)
{
	struct intake *intake = context;
	struct certificate_message *room =
	    begin_message(intake, MESSAGE_CERTIFICATE, sizeof *room + certificate->der.length);
	if (room == NULL)
		return; // cannot be: TLS bounds it
	room->shown = *certificate;
	memcpy(room->sha256, certificate->sha256, sizeof room->sha256);
	memcpy(room->der, certificate->der.data, certificate->der.length);
	ring_commit(intake->ring);
}

void intake_interval(struct intake *intake, const struct ended_interval *interval)
{
	struct ended_interval *room = begin_message(intake, MESSAGE_INTERVAL, sizeof *room);
	if (room == NULL)
		return; // cannot be: it is short
	*room = *interval;
	ring_commit(intake->ring);
}

/* ---- the thread ---- */

static void take_certificate(struct intake *intake, const struct certificate_message *message)
{
	struct shown_certificate shown = message->shown;
	shown.sha256 = message->sha256;
	shown.der.data = message->der;
	intake->sinks.on_certificate(intake->sinks.context, &shown);
}

static void take_message(struct intake *intake, const struct message *message)
{
	switch ((enum message_kind)message->kind) {
	case MESSAGE_SESSION:
		intake->sinks.on_session(intake->sinks.context, (const void *)(message + 1));
		break;
	case MESSAGE_CERTIFICATE:
		take_certificate(intake, (const void *)(message + 1));
		break;
	case MESSAGE_INTERVAL:
		intake->sinks.on_interval(intake->sinks.context, (const void *)(message + 1));
		break;
	}
}

static void *take_all(void *context)
{
	struct intake *intake = context;
	long wait = WAIT_FIRST;
	while (!ring_is_over(intake->ring)) {
		size_t length;
		const struct message *message = ring_peek(intake->ring, &length);
		if (message == NULL) {
			wait_for_the_other(&wait);
			continue;
		}
		take_message(intake, message);
		ring_release(intake->ring);
		wait = WAIT_FIRST;
	}
	return NULL;
}

// A signal is for the thread that reads the input: it ends its wait.
static bool start_thread(struct intake *intake)
{
	sigset_t all, before;
	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return false;
	bool started = pthread_create(&intake->thread, NULL, take_all, intake) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

struct intake *intake_create(const struct intake_sinks *sinks, struct error *error)
{
	struct intake *intake = calloc(1, sizeof *intake);
	if (intake != NULL) {
		intake->sinks = *sinks;
		intake->ring = ring_create(RING);
	}
	if (intake != NULL && intake->ring != NULL && start_thread(intake))
		return intake;
	error_set(error, "the thread that judges and writes sessions could not be started");
	if (intake != NULL)
		ring_destroy(intake->ring);
	free(intake);
	return NULL;
}

void intake_finish(struct intake *intake)
{
	if (intake == NULL)
		return;
	ring_close(intake->ring);
	(void)pthread_join(intake->thread, NULL);
	ring_destroy(intake->ring);
	free(intake);
}
