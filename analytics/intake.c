// SPDX-License-Identifier: Apache-2.0
#include "analytics/intake.h"

#include "capture/base/backoff.h"
#include "capture/base/cpu.h"
#include "capture/base/heap.h"
#include "capture/base/monotonic.h"
#include "capture/base/ring.h"
#include "capture/base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	RING = 8 << 20, // bytes; the longest message takes a quarter
	CACHE_LINE = 64,
	MESSAGES_A_TURN = 64, // a few milliseconds at most
};

enum message_kind {
	MESSAGE_SESSION,
	MESSAGE_CERTIFICATE,
	MESSAGE_NAMES,
	MESSAGE_INTERVAL,
	MESSAGE_ACCOUNT
};

// In front of what is sent, which begins aligned behind it.
struct message {
	struct record_order order;
	uint64_t kind; // enum message_kind
	uint64_t unused;
};

_Static_assert(sizeof(struct message) % 16 == 0, "what follows is aligned");

struct certificate_message {
	struct shown_certificate shown; // its pointers are the sender's
	uint8_t sha256[CERTIFICATE_HASH_BYTES];
	uint8_t der[];
};

struct intake_lane {
	_Alignas(CACHE_LINE) _Atomic uint64_t progress; // written by the worker, after each batch
	_Alignas(CACHE_LINE) struct ring *ring; // and the next two: only read once the threads run
	const struct worker *worker;
	bool leads, live;
	// The intake's: what came of the lane last.
	_Alignas(CACHE_LINE) struct ended_interval latest;
	int64_t told; // when, by the monotonic clock
};

_Static_assert(
    offsetof(struct intake_lane, ring) - offsetof(struct intake_lane, progress) >= CACHE_LINE &&
        offsetof(struct intake_lane, latest) - offsetof(struct intake_lane, ring) >= CACHE_LINE &&
        sizeof(struct intake_lane) % CACHE_LINE == 0,
    "no thread writes to a line that another one needs for something else");

struct intake {
	struct intake_sinks sinks;
	unsigned count;
	struct intake_lane *lanes;
	pthread_t thread;
	nanoseconds until; // all intervals up to here are over for all workers
};

/* ---- a worker's side ---- */

struct intake_lane *intake_lane(struct intake *intake, unsigned number)
{
	return &intake->lanes[number];
}

void intake_lane_of(struct intake_lane *lane, const struct worker *worker, bool leads)
{
	lane->worker = worker;
	lane->leads = leads;
}

bool intake_lane_leads(const struct intake_lane *lane)
{
	return lane->leads;
}

// Room for a message, behind its head. NULL: it is too long to be sent.
static void *begin_message(struct intake_lane *lane, enum message_kind kind, size_t length)
{
	struct backoff backoff = {.busy = false};
	struct message *message;
	if (sizeof *message + length > ring_message_max(lane->ring))
		return NULL;
	while ((message = ring_reserve(lane->ring, sizeof *message + length)) == NULL)
		backoff_wait(&backoff);
	*message = (struct message){.order = worker_order(lane->worker), .kind = kind};
	return message + 1;
}

void intake_session(void *context, const struct session_record *record)
{
	struct intake_lane *lane = context;
	void *room = begin_message(lane, MESSAGE_SESSION, session_record_size(record));
	if (room == NULL)
		return; // cannot be: texts are bounded
	session_record_copy(record, room);
	ring_commit(lane->ring);
}

void intake_certificate(void *context, const struct shown_certificate *certificate)
{
	struct intake_lane *lane = context;
	struct certificate_message *room =
	    begin_message(lane, MESSAGE_CERTIFICATE, sizeof *room + certificate->der.length);
	if (room == NULL)
		return; // cannot be: TLS bounds it
	room->shown = *certificate;
	memcpy(room->sha256, certificate->sha256, sizeof room->sha256);
	memcpy(room->der, certificate->der.data, certificate->der.length);
	ring_commit(lane->ring);
}

bool intake_names(void *context, const struct dns_message *message)
{
	struct intake_lane *lane = context;
	if (lane->live && ring_used(lane->ring) > RING / 2)
		return false;
	struct dns_message *room =
	    begin_message(lane, MESSAGE_NAMES, sizeof *room + message->captured);
	if (room == NULL)
		return false; // cannot be: its length is bounded
	*room = *message;
	memcpy(room + 1, message->bytes, message->captured);
	ring_commit(lane->ring);
	return true;
}

void intake_interval(struct intake_lane *lane, const struct ended_interval *interval)
{
	struct ended_interval *room = begin_message(lane, MESSAGE_INTERVAL, sizeof *room);
	if (room == NULL)
		return; // cannot be: it is short
	*room = *interval;
	ring_commit(lane->ring);
}

void intake_account(struct intake_lane *lane, const struct run_accounting *accounting)
{
	struct run_accounting *room = begin_message(lane, MESSAGE_ACCOUNT, sizeof *room);
	if (room == NULL)
		return; // cannot be: it is short
	*room = *accounting;
	ring_commit(lane->ring);
}

void intake_progress(void *context, uint64_t position)
{
	struct intake_lane *lane = context;
	atomic_store_explicit(&lane->progress, position, memory_order_release);
}

/* ---- the thread ---- */

static void take_certificate(struct intake *intake, const struct certificate_message *message)
{
	struct shown_certificate shown = message->shown;
	shown.sha256 = message->sha256;
	shown.der.data = message->der;
	intake->sinks.on_certificate(intake->sinks.context, &shown);
}

static void take_names(struct intake *intake, const struct dns_message *message)
{
	struct dns_message names = *message;
	names.bytes = (const uint8_t *)(message + 1);
	intake->sinks.on_names(intake->sinks.context, &names);
}

static struct run_accounting account_of_all(const struct intake *intake)
{
	struct run_accounting sum = {.interrupted = false};
	for (unsigned i = 0; i < intake->count; i++) {
		const struct run_accounting *one = &intake->lanes[i].latest.accounting;
		source_counters_add(&sum.source, &one->source);
		segment_reader_counters_add(&sum.reader, &one->reader);
		worker_counters_add(&sum.worker, &one->worker);
		crew_losses_add(&sum.losses, &one->losses);
		if (one->time > sum.time)
			sum.time = one->time;
	}
	return sum;
}

// An interval is over when it is for the last of the workers.
static void take_interval(
    struct intake *intake, struct intake_lane *lane, const struct ended_interval *interval)
{
	const struct ended_interval *last = interval;
	lane->latest = *interval;
	lane->told = monotonic_now();
	for (unsigned i = 0; i < intake->count; i++)
		if (intake->lanes[i].latest.until < last->until)
			last = &intake->lanes[i].latest;
	if (last->until <= intake->until)
		return;
	intake->until = last->until;
	struct ended_interval over = *last;
	over.accounting = account_of_all(intake);
	intake->sinks.on_interval(intake->sinks.context, &over);
}

static void take_account(
    struct intake *intake, struct intake_lane *lane, const struct run_accounting *accounting)
{
	lane->latest.accounting = *accounting;
	lane->told = monotonic_now();
	if (intake->sinks.on_account == NULL)
		return;
	struct run_accounting sum = account_of_all(intake);
	// Of those that were told at the same moment, the last one is taken last.
	bool whole = lane == &intake->lanes[intake->count - 1];
	intake->sinks.on_account(intake->sinks.context, &sum, whole);
}

static void take_message(
    struct intake *intake, struct intake_lane *lane, const struct message *message)
{
	switch ((enum message_kind)message->kind) {
	case MESSAGE_SESSION:
		intake->sinks.on_session(intake->sinks.context, (const void *)(message + 1));
		break;
	case MESSAGE_CERTIFICATE:
		take_certificate(intake, (const void *)(message + 1));
		break;
	case MESSAGE_NAMES:
		take_names(intake, (const void *)(message + 1));
		break;
	case MESSAGE_INTERVAL:
		take_interval(intake, lane, (const void *)(message + 1));
		break;
	case MESSAGE_ACCOUNT:
		take_account(intake, lane, (const void *)(message + 1));
		break;
	}
}

// The lane whose oldest message comes first in the traffic. NULL: there is none, or one that has not come yet
// may be before it.
static struct intake_lane *find_first(struct intake *intake)
{
	struct intake_lane *first = NULL;
	const struct message *earliest = NULL;
	uint64_t certain = UINT64_MAX; // nothing with a lower position is still to come
	size_t length;
	for (unsigned i = 0; i < intake->count; i++) {
		struct intake_lane *lane = &intake->lanes[i];
		// Before looking for a message: what comes in between is behind it.
		uint64_t progress = atomic_load_explicit(&lane->progress, memory_order_acquire);
		const struct message *message = ring_peek(lane->ring, &length);
		if (message == NULL) {
			if (progress < certain && !ring_is_over(lane->ring))
				certain = progress;
			continue;
		}
		if (earliest == NULL || record_order_before(&message->order, &earliest->order)) {
			earliest = message;
			first = lane;
		}
	}
	bool alone = intake->count == 1;
	return first != NULL && (alone || earliest->order.position < certain) ? first : NULL;
}

unsigned intake_lanes(const struct intake *intake)
{
	return intake->count;
}

struct worker_report intake_worker(const struct intake *intake, unsigned number)
{
	const struct intake_lane *lane = &intake->lanes[number];
	return (struct worker_report){lane->told, lane->latest.accounting.worker};
}

static bool is_over(const struct intake *intake)
{
	for (unsigned i = 0; i < intake->count; i++)
		if (!ring_is_over(intake->lanes[i].ring))
			return false;
	return true;
}

// False: there was less at hand than is taken in a turn.
static bool take_some(struct intake *intake)
{
	for (unsigned taken = 0; taken < MESSAGES_A_TURN; taken++) {
		size_t length;
		struct intake_lane *lane = find_first(intake);
		if (lane == NULL)
			return false;
		take_message(intake, lane, ring_peek(lane->ring, &length));
		ring_release(lane->ring);
	}
	return true;
}

static void turn(const struct intake *intake)
{
	if (intake->sinks.on_turn != NULL)
		intake->sinks.on_turn(intake->sinks.context, intake);
}

static void wait_for_more(const struct intake *intake)
{
	if (intake->sinks.on_wait != NULL)
		intake->sinks.on_wait(intake->sinks.context);
}

static void *take_all(void *context)
{
	struct intake *intake = context;
	struct backoff backoff = {.patient = true};
	struct heap_end heap = {0};
	// Of another thread, it would be a file to write.
	(void)pthread_setname_np(pthread_self(), "analytics");
	while (!is_over(intake)) {
		turn(intake);
		if (take_some(intake)) {
			heap_follow(&heap);
			continue;
		}
		wait_for_more(intake);
		backoff_wait(&backoff);
	}
	return NULL;
}

static bool start_thread(struct intake *intake, int cpu)
{
	bool started = thread_begin(&intake->thread, take_all, intake);
	if (started)
		(void)(cpu < 0 || cpu_pin(intake->thread, cpu));
	return started;
}

static void free_lanes(struct intake *intake)
{
	for (unsigned i = 0; intake->lanes != NULL && i < intake->count; i++)
		ring_destroy(intake->lanes[i].ring);
	free(intake->lanes);
	free(intake);
}

static bool make_lanes(struct intake *intake, bool live)
{
	intake->lanes = aligned_alloc(CACHE_LINE, intake->count * sizeof *intake->lanes);
	if (intake->lanes == NULL)
		return false;
	memset(intake->lanes, 0, intake->count * sizeof *intake->lanes);
	for (unsigned i = 0; i < intake->count; i++) {
		intake->lanes[i].live = live;
		if ((intake->lanes[i].ring = ring_create(RING)) == NULL)
			return false;
	}
	return true;
}

struct intake *intake_create(const struct intake_options *options, struct error *error)
{
	struct intake *intake = calloc(1, sizeof *intake);
	error_set(error, "the thread that judges and writes sessions could not be started");
	if (intake == NULL)
		return NULL;
	intake->sinks = options->sinks;
	intake->count = options->lanes;
	if (make_lanes(intake, options->live) && start_thread(intake, options->cpu))
		return intake;
	free_lanes(intake);
	return NULL;
}

void intake_finish(struct intake *intake)
{
	if (intake == NULL)
		return;
	for (unsigned i = 0; i < intake->count; i++)
		ring_close(intake->lanes[i].ring);
	(void)pthread_join(intake->thread, NULL);
	free_lanes(intake);
}
