// SPDX-License-Identifier: Apache-2.0
#include "decode/crew.h"

#include "capture/base/backoff.h"
#include "capture/base/cpu.h"
#include "capture/base/hash.h"
#include "capture/base/ring.h"
#include "capture/base/thread.h"
#include "decode/overload.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RING = 8 << 20, // bytes on their way to a worker
	ERRAND_MAX = 256 * 1024, // bytes of segments sent at once, unless a single one has more
	ROOM_ALIGNMENT = 16,
	FRAGMENTS_SHARE = 16, // of the memory
	FRAGMENTS_MIN = 1 << 20, // bytes
	CACHE_LINE = 64,
};

// What a worker is sent, in front of its details.
enum errand_kind {
	ERRAND_SEGMENTS, // `count` segments, then their bytes
	ERRAND_TIME, // it is `now`
	ERRAND_NAMES, // a message of DNS, then its bytes
	ERRAND_CONTROL, // `count` bytes for on_control
	ERRAND_FINISH,
};

struct errand {
	uint64_t position;
	nanoseconds now;
	uint32_t kind; // enum errand_kind
	uint32_t count;
	uint64_t unused;
};

_Static_assert(sizeof(struct errand) % ROOM_ALIGNMENT == 0, "what follows is aligned");

// One worker, seen from the thread that sends.
struct hand {
	_Alignas(CACHE_LINE) struct ring *ring; // NULL: it works in the caller's thread
	struct worker *worker;
	struct overload *overload; // live only
	void *context;
	const struct crew *crew;
	pthread_t thread;
	unsigned number;
	bool started;
};

struct crew {
	struct crew_options options; // and the next three: only read once the threads run
	struct segment_reader *reader;
	struct hash_key secret; // by which connections are shared out
	struct hand *hands;
	unsigned count;
	_Alignas(CACHE_LINE)
	    uint64_t position; // from here on the caller's thread alone, for each segment
	struct crew_losses losses;
	bool finished;
};

_Static_assert(offsetof(struct crew, position) % CACHE_LINE == 0 &&
                   sizeof(struct crew) % CACHE_LINE == 0 && sizeof(struct hand) % CACHE_LINE == 0,
    "workers read nothing in the lines that change with each segment");

/* ---- in a worker's thread ---- */

static void do_errand(struct hand *hand, const struct errand *errand)
{
	const struct crew_options *options = &hand->crew->options;
	switch ((enum errand_kind)errand->kind) {
	case ERRAND_SEGMENTS: {
		const struct segment *segments[PACKET_BATCH_MAX];
		for (uint32_t i = 0; i < errand->count; i++)
			segments[i] = (const struct segment *)(const void *)(errand + 1) + i;
		worker_segments(hand->worker, segments, errand->count);
		return;
	}
	case ERRAND_NAMES:
		worker_names(hand->worker, (const void *)(errand + 1), errand->position);
		return;
	case ERRAND_TIME:
		worker_expire(hand->worker, errand->now, errand->position);
		break;
	case ERRAND_CONTROL:
		worker_moment(hand->worker, errand->position);
		options->on_control(hand->context, hand->worker, errand + 1, errand->count);
		break;
	case ERRAND_FINISH:
		worker_finish(hand->worker, errand->position);
		break;
	}
	if (options->on_progress != NULL)
		options->on_progress(hand->context, errand->position + 1);
}

static void *work(void *context)
{
	char name[16];
	struct hand *hand = context;
	struct backoff backoff = {.busy = hand->crew->options.busy_poll};
	snprintf(name, sizeof name, "worker-%u", hand->number);
	(void)pthread_setname_np(pthread_self(), name); // of another, it would be a file to write
	struct watched_loop *loop = progress_watch_add(hand->crew->options.watch);
	while (!ring_is_over(hand->ring)) {
		size_t length;
		watched_turn(loop);
		const struct errand *errand = ring_peek(hand->ring, &length);
		if (errand == NULL) {
			backoff_wait(&backoff);
			continue;
		}
		do_errand(hand, errand);
		ring_release(hand->ring);
		backoff_reset(&backoff);
	}
	return NULL;
}

/* ---- beginning and end ---- */

static bool on_names(void *context, const struct dns_message *message);

static bool start(struct hand *hand, unsigned number, int cpu)
{
	hand->number = number;
	hand->started = thread_begin(&hand->thread, work, hand);
	if (!hand->started)
		return false;
	return cpu < 0 || cpu_pin(hand->thread, cpu);
}

static bool equip(struct crew *crew, struct hand *hand, void *context, size_t memory)
{
	struct worker_options options = crew->options.worker;
	options.memory = memory;
	options.live = crew->options.live;
	options.context = hand->context = context;
	hand->crew = crew;
	if (crew->options.threads > 0 && (hand->ring = ring_create(RING)) == NULL)
		return false;
	if (crew->options.live && hand->ring != NULL) {
		hand->overload = aligned_alloc(CACHE_LINE, sizeof *hand->overload);
		if (hand->overload == NULL)
			return false;
		memset(hand->overload, 0, sizeof *hand->overload);
		options.quiet = &hand->overload->quiet;
	}
	hand->worker = worker_create(&options);
	return hand->worker != NULL;
}

static bool begin(struct crew *crew, struct error *error)
{
	const struct crew_options *options = &crew->options;
	size_t memory = options->worker.memory, fragments = memory / FRAGMENTS_SHARE;
	error_set(error, "no memory to begin with; give less with --memory");
	fragments = fragments < FRAGMENTS_MIN ? FRAGMENTS_MIN : fragments;
	if (fragments > memory / 2)
		fragments = memory / 2;
	crew->reader = segment_reader_create(&options->worker.ports->set, fragments);
	crew->hands = aligned_alloc(CACHE_LINE, crew->count * sizeof *crew->hands);
	if (crew->reader == NULL || crew->hands == NULL)
		return false;
	memset(crew->hands, 0, crew->count * sizeof *crew->hands);
	for (unsigned i = 0; i < crew->count; i++)
		if (!equip(crew, &crew->hands[i], options->contexts[i],
		        (memory - fragments) / crew->count))
			return false;
	error_set(error, "the threads of the workers could not be started where they are to run");
	for (unsigned i = 0; i < options->threads; i++)
		if (!start(&crew->hands[i], i, options->cpus != NULL ? options->cpus[i] : -1))
			return false;
	crew->options.contexts = NULL;
	crew->options.cpus = NULL;
	segment_reader_names(crew->reader, on_names, crew);
	return true;
}

struct crew *crew_create(const struct crew_options *options, struct error *error)
{
	struct crew *crew = aligned_alloc(CACHE_LINE, sizeof *crew);
	if (crew == NULL) {
		error_set(error, "no memory to begin with");
		return NULL;
	}
	memset(crew, 0, sizeof *crew);
	crew->options = *options;
	crew->count = options->threads > 0 ? options->threads : 1;
	crew->secret = hash_key_random();
	if (begin(crew, error))
		return crew;
	crew_destroy(crew);
	return NULL;
}

static void end_threads(struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->hands[i].ring != NULL)
			ring_close(crew->hands[i].ring);
	for (unsigned i = 0; i < crew->count; i++)
		if (crew->hands[i].started)
			(void)pthread_join(crew->hands[i].thread, NULL);
}

void crew_destroy(struct crew *crew)
{
	if (crew == NULL)
		return;
	if (crew->hands != NULL && !crew->finished)
		end_threads(crew);
	for (unsigned i = 0; crew->hands != NULL && i < crew->count; i++) {
		struct hand *hand = &crew->hands[i];
		worker_destroy(hand->worker);
		ring_destroy(hand->ring);
		free(hand->overload);
	}
	segment_reader_destroy(crew->reader);
	free(crew->hands);
	free(crew);
}

/* ---- sending ---- */

// Room in a worker's ring behind an errand, which is filled. NULL: there is none, live.
static void *begin_errand(
    struct crew *crew, struct hand *hand, enum errand_kind kind, size_t length)
{
	struct backoff backoff = {.busy = crew->options.busy_poll};
	struct errand *errand;
	while ((errand = ring_reserve(hand->ring, sizeof *errand + length)) == NULL) {
		if (crew->options.live && kind != ERRAND_CONTROL && kind != ERRAND_FINISH)
			return NULL;
		backoff_wait(&backoff);
	}
	*errand = (struct errand){.position = crew->position, .kind = kind};
	return errand + 1;
}

static size_t room_for(const struct segment *segment)
{
	size_t bytes = segment->captured;
	return sizeof *segment + (bytes + ROOM_ALIGNMENT - 1) / ROOM_ALIGNMENT * ROOM_ALIGNMENT;
}

static void count_dropped(struct crew *crew, const struct segment *segment)
{
	crew->losses.dropped++;
	crew->losses.dropped_openings += (segment->flags & TCP_SYN) != 0;
}

// Copies segments, then their bytes, to where the worker will look at them.
static void pack(struct segment *room, const struct segment *const *segments, size_t count)
{
	uint8_t *bytes = (uint8_t *)(room + count);
	for (size_t i = 0; i < count; i++) {
		size_t length = segments[i]->captured;
		room[i] = *segments[i];
		if (length > 0)
			memcpy(bytes, segments[i]->payload, length);
		room[i].payload = bytes;
		bytes += room_for(segments[i]) - sizeof *room;
	}
}

static void send_some(struct crew *crew, struct hand *hand, const struct segment *const *segments,
    size_t count, size_t room)
{
	struct segment *packed = begin_errand(crew, hand, ERRAND_SEGMENTS, room);
	if (packed == NULL) {
		for (size_t i = 0; i < count; i++)
			count_dropped(crew, segments[i]);
		return;
	}
	((struct errand *)(void *)packed)[-1].count = (uint32_t)count;
	pack(packed, segments, count);
	ring_commit(hand->ring);
}

// All are one worker's.
static void send_segments(
    struct crew *crew, struct hand *hand, const struct segment *const *segments, size_t count)
{
	size_t first = 0, room = 0;
	for (size_t i = 0; i < count; i++) {
		size_t more = room_for(segments[i]);
		if (i > first && room + more > ERRAND_MAX) {
			send_some(crew, hand, segments + first, i - first, room);
			first = i;
			room = 0;
		}
		room += more;
	}
	send_some(crew, hand, segments + first, count - first, room);
}

/* ---- sharing out ---- */

// True if the segment is to be sent.
static bool judge(struct crew *crew, struct hand *hand, const struct segment *segment, size_t used)
{
	switch (overload_judge(hand->overload, segment, used, RING)) {
	case OVERLOAD_KEEP:
		return true;
	case OVERLOAD_SHED:
		crew->losses.shed++;
		break;
	case OVERLOAD_REFUSE:
		crew->losses.refused_connections++;
		crew->losses.refused++;
		break;
	case OVERLOAD_REFUSED:
		crew->losses.refused++;
		break;
	}
	return false;
}

static void give(
    struct crew *crew, struct hand *hand, const struct segment *const *segments, size_t count)
{
	const struct segment *kept[PACKET_BATCH_MAX];
	size_t left = 0, used = ring_used(hand->ring);
	if (hand->overload == NULL) {
		send_segments(crew, hand, segments, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (judge(crew, hand, segments[i], used))
			kept[left++] = segments[i];
	if (left > 0)
		send_segments(crew, hand, kept, left);
}

static unsigned hand_of(const struct crew *crew, uint64_t hash)
{
	return (unsigned)((hash >> 32) * crew->count >> 32);
}

static void share_out(struct crew *crew, const struct segment *const *segments, size_t count)
{
	uint8_t owner[PACKET_BATCH_MAX];
	for (size_t i = 0; i < count; i++)
		owner[i] = (uint8_t)hand_of(crew, segments[i]->hash);
	for (unsigned hand = 0; hand < crew->count; hand++) {
		const struct segment *mine[PACKET_BATCH_MAX];
		size_t found = 0;
		for (size_t i = 0; i < count; i++)
			if (owner[i] == hand)
				mine[found++] = segments[i];
		if (found > 0)
			give(crew, &crew->hands[hand], mine, found);
	}
}

static void on_segments(void *context, struct segment *const *segments, size_t count)
{
	struct crew *crew = context;
	const struct segment *given[PACKET_BATCH_MAX];
	for (size_t i = 0; i < count; i++) {
		flow_mark(&crew->secret, segments[i]);
		segments[i]->position = ++crew->position;
		given[i] = segments[i];
	}
	if (crew->hands[0].ring == NULL)
		worker_segments(crew->hands[0].worker, given, count);
	else
		share_out(crew, given, count);
}

// Live, half of the room is the segments' alone.
static bool send_names(struct crew *crew, struct hand *hand, const struct dns_message *message)
{
	if (crew->options.live && ring_used(hand->ring) > RING / 2)
		return false;
	struct dns_message *room =
	    begin_errand(crew, hand, ERRAND_NAMES, sizeof *room + message->captured);
	if (room == NULL)
		return false;
	*room = *message;
	room->bytes = (const uint8_t *)(room + 1);
	memcpy(room + 1, message->bytes, message->captured);
	ring_commit(hand->ring);
	return true;
}

// A question and its answer find the same worker.
static bool on_names(void *context, const struct dns_message *message)
{
	struct crew *crew = context;
	struct segment between = {
	    .source = message->source,
	    .destination = message->destination,
	    .source_port = message->source_port,
	    .destination_port = message->destination_port,
	};
	flow_mark(&crew->secret, &between);
	struct hand *hand = &crew->hands[hand_of(crew, between.hash)];
	crew->position++;
	if (hand->ring != NULL)
		return send_names(crew, hand, message);
	worker_names(hand->worker, message, crew->position);
	return true;
}

static void tell_progress(const struct crew *crew, const struct hand *hand)
{
	if (crew->options.on_progress != NULL)
		crew->options.on_progress(hand->context, crew->position + 1);
}

// Everybody gets to know what time it is, at the same position.
static void tell_time(struct crew *crew, nanoseconds newest)
{
	crew->position++;
	if (!segment_reader_time(crew->reader, newest))
		return;
	nanoseconds now = segment_reader_now(crew->reader);
	if (crew->options.by_time && now > 0 && (uint64_t)now > crew->position)
		crew->position = (uint64_t)now;
	for (unsigned i = 0; i < crew->count; i++) {
		struct hand *hand = &crew->hands[i];
		if (hand->ring == NULL) {
			worker_expire(hand->worker, now, crew->position);
			tell_progress(crew, hand);
			continue;
		}
		struct errand *errand = begin_errand(crew, hand, ERRAND_TIME, 0);
		if (errand == NULL)
			continue; // it has enough to do, and time will come again
		errand[-1].now = now;
		ring_commit(hand->ring);
	}
}

void crew_batch(struct crew *crew, const struct packet_batch *batch)
{
	if (batch->count == 0)
		return;
	segment_reader_batch(crew->reader, batch, on_segments, crew);
	tell_time(crew, batch->packets[batch->count - 1].time);
}

void crew_idle(struct crew *crew, nanoseconds now)
{
	tell_time(crew, now);
}

void crew_control(struct crew *crew, const void *control, size_t length)
{
	crew->position++;
	for (unsigned i = 0; i < crew->count; i++) {
		struct hand *hand = &crew->hands[i];
		if (hand->ring == NULL) {
			worker_moment(hand->worker, crew->position);
			crew->options.on_control(hand->context, hand->worker, control, length);
			continue;
		}
		struct errand *errand = begin_errand(crew, hand, ERRAND_CONTROL, length);
		errand[-1].count = (uint32_t)length;
		memcpy(errand, control, length);
		ring_commit(hand->ring);
	}
}

void crew_finish(struct crew *crew)
{
	crew->position++;
	for (unsigned i = 0; i < crew->count; i++) {
		struct hand *hand = &crew->hands[i];
		if (hand->ring == NULL) {
			worker_finish(hand->worker, crew->position);
			continue;
		}
		(void)begin_errand(crew, hand, ERRAND_FINISH, 0);
		ring_commit(hand->ring);
	}
	end_threads(crew);
	crew->finished = true;
}

const struct worker *crew_worker(const struct crew *crew, unsigned number)
{
	return crew->hands[number].worker;
}

struct segment_reader_counters crew_reader_counters(const struct crew *crew)
{
	return segment_reader_counters(crew->reader);
}

void crew_losses_add(struct crew_losses *sum, const struct crew_losses *one)
{
	sum->shed += one->shed;
	sum->refused += one->refused;
	sum->refused_connections += one->refused_connections;
	sum->dropped += one->dropped;
	sum->dropped_openings += one->dropped_openings;
}

struct crew_losses crew_losses(const struct crew *crew)
{
	return crew->losses;
}

struct worker_counters crew_worker_counters(const struct crew *crew)
{
	struct worker_counters sum = {.segments_tracked = 0};
	for (unsigned i = 0; i < crew->count; i++) {
		struct worker_counters one = worker_counters(crew->hands[i].worker);
		worker_counters_add(&sum, &one);
	}
	return sum;
}
