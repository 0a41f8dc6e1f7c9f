// SPDX-License-Identifier: Apache-2.0
#include "analytics/feed.h"

#include "analytics/interval_clock.h"
#include "analytics/progress.h"
#include "capture/base/thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CACHE_LINE = 64,
	BATCHES_PER_LOOK = 64, // at the clock, to see whether it is time to tell what was counted
	CLOCK_TICK_MAX = 10000000, // nanoseconds that the coarse clock may be behind
};

// What is told the workers, in order with their segments.
enum notice_kind {
	NOTICE_INTERVAL, // an interval is over
	NOTICE_ACCOUNT, // what was counted so far is wanted
};

struct notice {
	enum notice_kind kind;
	struct ended_interval
	    interval; // its accounting is of one crew, without the workers' figures
};

// One lane of a source, and those who work on what it brings.
struct strand {
	_Alignas(CACHE_LINE) struct crew *crew;
	struct intake_lane *first; // of its workers
	struct feed *feed;
	struct interval_clock clock;
	unsigned lane;
	struct watched_loop *loop; // of its thread
	pthread_t thread;
	unsigned batches; // since the last look at the clock
	nanoseconds told; // when what was counted was told last, by the wall clock
	nanoseconds stopped; // when the signal to stop was seen, or 0
	enum source_status status;
	unsigned link_type; // of the packet read last
	nanoseconds time; // of the latest packet, or of the clock while none comes
	struct error error;
};

struct feed {
	struct feed_options options;
	struct source_counters before; // of sources that were read
	const struct source_ops *ops; // of the one that is being read
	struct source *source;
	bool live; // that one
	bool finished;
	atomic_bool over; // a lane has failed: the others are to end
	unsigned count;
	struct strand *strands;
};

unsigned feed_workers(unsigned lanes, unsigned threads)
{
	if (lanes > 1)
		return lanes;
	return threads > 0 ? threads : 1;
}

static nanoseconds wall_clock(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return SECONDS(now.tv_sec) + now.tv_nsec;
}

/* ---- what is counted ---- */

static struct source_counters source_counters_now(const struct feed *feed)
{
	struct source_counters sum = feed->before;
	if (feed->source != NULL) {
		struct source_counters reading = feed->ops->counters(feed->source);
		source_counters_add(&sum, &reading);
	}
	return sum;
}

// What one crew's reader did. That of the source is told with the first.
static void account_for(const struct strand *strand, struct run_accounting *accounting)
{
	if (strand == strand->feed->strands)
		accounting->source = source_counters_now(strand->feed);
	accounting->time = strand->time;
	accounting->reader = crew_reader_counters(strand->crew);
	accounting->losses = crew_losses(strand->crew);
}

// In a worker's thread: adds its figures and hands the notice on. What is of the whole crew comes with the
// first worker of it.
static void on_control(void *context, struct worker *worker, const void *control, size_t length)
{
	struct intake_lane *lane = context;
	struct notice notice;
	(void)length;
	memcpy(&notice, control, sizeof notice);
	if (!intake_lane_leads(lane))
		notice.interval.accounting = (struct run_accounting){.interrupted = false};
	notice.interval.accounting.worker = worker_counters(worker);
	if (notice.kind == NOTICE_INTERVAL)
		intake_interval(lane, &notice.interval);
	else
		intake_account(lane, &notice.interval.accounting);
}

/* ---- intervals ---- */

static void end_interval(struct strand *strand)
{
	struct notice notice = {.kind = NOTICE_INTERVAL,
	    .interval = {.from = strand->clock.from,
	        .until = strand->clock.until,
	        .complete = !strand->clock.first}};
	account_for(strand, &notice.interval.accounting);
	crew_control(strand->crew, &notice, sizeof notice);
}

static void give(struct strand *strand, const struct packet_batch *batch)
{
	size_t count = interval_clock_take(&strand->clock, batch);
	if (count == batch->count) {
		crew_batch(strand->crew, batch);
		return;
	}
	struct packet_batch part = *batch;
	while (count < part.count) {
		size_t rest = part.count - count;
		part.count = count;
		crew_batch(strand->crew, &part);
		end_interval(strand);
		interval_clock_next(&strand->clock, part.packets[count].time);
		memmove(part.packets, part.packets + count, rest * sizeof part.packets[0]);
		part.count = rest;
		count = interval_clock_take(&strand->clock, &part);
	}
	crew_batch(strand->crew, &part);
}

// A live source has nothing: time goes on all the same.
static void pass_time(struct strand *strand)
{
	nanoseconds now = wall_clock();
	if (interval_clock_is_over(&strand->clock, now)) {
		end_interval(strand);
		interval_clock_next(&strand->clock, now);
	}
	crew_idle(strand->crew, now);
	strand->time = now;
}

// What was counted so far.
static void tell_account(struct strand *strand)
{
	struct notice notice = {.kind = NOTICE_ACCOUNT};
	account_for(strand, &notice.interval.accounting);
	crew_control(strand->crew, &notice, sizeof notice);
}

// Once a second: for whoever looks at a run that does not end, or that is watched.
static void tell_account_in_time(struct strand *strand)
{
	nanoseconds now = wall_clock();
	if (now - strand->told < SECONDS(1) && now >= strand->told)
		return;
	strand->told = now;
	tell_account(strand);
}

/* ---- reading ---- */

// Whether a lane is read on. `batch`: what came last. Of a live source, what came before the signal to stop is still
// read, which it may hold yet: until it has nothing, or what comes is later.
static bool goes_on(struct strand *strand, const struct packet_batch *batch)
{
	const struct feed *feed = strand->feed;
	if (*feed->options.broken || feed->over)
		return false;
	if (!*feed->options.stop)
		return true;
	if (!feed->ops->live)
		return false;
	if (strand->stopped == 0) {
		strand->stopped = wall_clock() + CLOCK_TICK_MAX;
		return true;
	}
	return strand->status == SOURCE_PACKETS && batch->packets[0].time < strand->stopped;
}

static void take_turn(struct strand *strand, const struct packet_batch *batch)
{
	bool live = strand->feed->live;
	if (strand->status == SOURCE_PACKETS) {
		strand->link_type = batch->packets[batch->count - 1].link_type;
		strand->time = batch->packets[batch->count - 1].time;
		give(strand, batch);
	} else if (live) {
		pass_time(strand);
	}
	bool idle = live && strand->status == SOURCE_IDLE;
	bool seldom = (live || strand->feed->options.watched) &&
	              ++strand->batches % BATCHES_PER_LOOK == 0;
	if (idle || seldom ||
	    atomic_load_explicit(strand->feed->options.wanted, memory_order_relaxed))
		tell_account_in_time(strand);
	// What a pipe gave is at an end, perhaps for long: nobody would come to tell it later.
	if (!live && strand->feed->options.watched && batch->count < PACKET_BATCH_MAX)
		tell_account(strand);
}

// One lane, until it ends or is to end. `progress`: NULL, or what the first lane shows.
static void read_lane(struct strand *strand, struct progress *progress, const char *name)
{
	struct feed *feed = strand->feed;
	struct packet_batch batch;
	strand->status = SOURCE_IDLE;
	while (goes_on(strand, &batch)) {
		watched_waits(strand->loop, !feed->ops->live); // for a pipe, as long as it likes
		strand->status =
		    feed->ops->next(feed->source, strand->lane, &batch, &strand->error);
		watched_waits(strand->loop, false);
		watched_turn(strand->loop);
		if (strand->status == SOURCE_END || strand->status == SOURCE_FAILED)
			break;
		take_turn(strand, &batch);
		if (progress != NULL && progress_due(progress)) {
			struct source_counters counters = feed->ops->counters(feed->source);
			progress_step(progress, name, &counters);
		}
	}
	watched_waits(strand->loop, true);
	if (strand->status == SOURCE_FAILED)
		feed->over = true;
	if (feed->count > 1) // what the other lanes still find does not wait for this one
		intake_progress(strand->first, UINT64_MAX);
}

static void *read_other_lane(void *strand)
{
	read_lane(strand, NULL, NULL);
	return NULL;
}

// The lanes but the first, each in a thread. Returns how many there are.
static unsigned start_lanes(struct feed *feed)
{
	unsigned started = 1;
	while (started < feed->count && thread_begin(&feed->strands[started].thread, read_other_lane,
	                                    &feed->strands[started]))
		started++;
	return started;
}

bool feed_read(struct feed *feed, const struct source_ops *ops, struct source *source,
    const char *name, struct error *error)
{
	struct progress progress;
	feed->ops = ops;
	feed->source = source;
	feed->live = source_is_live(ops, source);
	feed->over = false;
	unsigned started = start_lanes(feed);
	bool good = started == feed->count;
	if (!good) {
		error_set(error, "%s: threads to read it could not be started", name);
		feed->over = true;
	}
	progress_begin(&progress, !feed->options.quiet, ops->live);
	read_lane(&feed->strands[0], &progress, name);
	for (unsigned i = 1; i < started; i++)
		(void)pthread_join(feed->strands[i].thread, NULL);
	progress_end(&progress);
	feed->before = source_counters_now(feed);
	feed->source = NULL;
	for (unsigned i = 0; good && i < feed->count; i++)
		if (feed->strands[i].status == SOURCE_FAILED) {
			*error = feed->strands[i].error;
			good = false;
		}
	return good;
}

/* ---- beginning and end ---- */

static bool make_strand(struct feed *feed, unsigned number, struct error *error)
{
	struct strand *strand = &feed->strands[number];
	struct crew_options crew = feed->options.crew;
	void *lanes[CREW_WORKERS_MAX];
	if (feed->count > 1)
		crew.threads = 0;
	unsigned workers = feed_workers(1, crew.threads);
	for (unsigned i = 0; i < workers; i++)
		lanes[i] = intake_lane(feed->options.intake, number * workers + i);
	*strand = (struct strand){.feed = feed, .lane = number, .first = lanes[0]};
	strand->clock.length = feed->options.interval;
	strand->loop = progress_watch_add(crew.watch);
	watched_waits(strand->loop, true);
	crew.worker.memory /= feed->count;
	crew.worker.on_session = intake_session;
	crew.worker.on_certificate = intake_certificate;
	crew.worker.on_names = intake_names;
	crew.contexts = lanes;
	crew.by_time = feed->count > 1;
	crew.on_control = on_control;
	crew.on_progress = intake_progress;
	strand->crew = crew_create(&crew, error);
	for (unsigned i = 0; strand->crew != NULL && i < workers; i++)
		intake_lane_of(lanes[i], crew_worker(strand->crew, i), i == 0);
	return strand->crew != NULL;
}

struct feed *feed_create(const struct feed_options *options, struct error *error)
{
	struct feed *feed = calloc(1, sizeof *feed);
	error_set(error, "no memory to begin with");
	if (feed == NULL)
		return NULL;
	feed->options = *options;
	feed->count = options->lanes > 0 ? options->lanes : 1;
	feed->strands = aligned_alloc(CACHE_LINE, feed->count * sizeof *feed->strands);
	if (feed->strands == NULL) {
		free(feed);
		return NULL;
	}
	memset(feed->strands, 0, feed->count * sizeof *feed->strands);
	for (unsigned i = 0; i < feed->count; i++)
		if (!make_strand(feed, i, error)) {
			feed_destroy(feed);
			return NULL;
		}
	return feed;
}

void feed_finish(struct feed *feed)
{
	for (unsigned i = 0; i < feed->count; i++)
		crew_finish(feed->strands[i].crew);
	feed->finished = true;
}

void feed_account(const struct feed *feed, struct run_accounting *accounting)
{
	struct source_counters source = source_counters_now(feed);
	source_counters_add(&accounting->source, &source);
	for (unsigned i = 0; i < feed->count; i++) {
		const struct crew *crew = feed->strands[i].crew;
		struct segment_reader_counters reader = crew_reader_counters(crew);
		struct crew_losses losses = crew_losses(crew);
		segment_reader_counters_add(&accounting->reader, &reader);
		crew_losses_add(&accounting->losses, &losses);
		if (!feed->finished)
			continue;
		struct worker_counters worker = crew_worker_counters(crew);
		worker_counters_add(&accounting->worker, &worker);
	}
}

unsigned feed_link_type(const struct feed *feed)
{
	return feed->strands[0].link_type;
}

bool feed_last_interval(const struct feed *feed, struct ended_interval *interval)
{
	*interval = (struct ended_interval){.from = 0};
	for (unsigned i = 0; i < feed->count; i++) {
		const struct interval_clock *clock = &feed->strands[i].clock;
		if (!clock->open || clock->from < interval->from)
			continue;
		interval->from = clock->from;
		if (clock->latest > interval->until)
			interval->until = clock->latest;
	}
	return interval->from != 0;
}

void feed_destroy(struct feed *feed)
{
	if (feed == NULL)
		return;
	for (unsigned i = 0; i < feed->count; i++)
		crew_destroy(feed->strands[i].crew);
	free(feed->strands);
	free(feed);
}
