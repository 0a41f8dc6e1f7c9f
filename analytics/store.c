// SPDX-License-Identifier: Apache-2.0
#include "analytics/store.h"

#include "analytics/store_kinds.h"
#include "capture/base/thread.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	BATCH = 4 << 20, // bytes of lines given to the store at once
	SECOND = 1000, // milliseconds
	TRY_AGAIN = 10 * SECOND,
};

struct store {
	struct store_settings settings;
	const struct store_ops *ops;
	void *opened; // what ops opened
	struct store_queue *queue;
	pthread_t thread;
	bool started;
	atomic_bool failed; // for good; `error` says why
	bool told; // it cannot be written; the thread's own, as the next two
	bool upkeep_told;
	struct store_counters work; // of what is being done
	pthread_mutex_t lock; // of the two below
	struct store_counters counters;
	struct error error;
	uint64_t dropped[STORE_TABLES]; // no room; of the thread that gives lines
	bool dropping; // that was told
};

static const char *place(const struct store *store)
{
	return store->ops->place(&store->settings);
}

static void tell(const struct store *store, const struct error *what)
{
	if (store->settings.tell != NULL)
		store->settings.tell(what);
}

static void publish(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	store->counters = store->work;
	store->counters.away |= store->told;
	pthread_mutex_unlock(&store->lock);
}

uint64_t store_sum(const uint64_t counts[STORE_TABLES])
{
	uint64_t all = 0;
	for (size_t i = 0; i < STORE_TABLES; i++)
		all += counts[i];
	return all;
}

/* ---- the thread ---- */

static void lose(struct store *store, const struct store_block *blocks)
{
	for (const struct store_block *block = blocks; block != NULL; block = block->next)
		store->work.lost[block->table] += block->lines;
}

static void fail(struct store *store, const struct error *why)
{
	pthread_mutex_lock(&store->lock);
	store->error = *why;
	pthread_mutex_unlock(&store->lock);
	store->failed = true;
}

static void tell_trouble(struct store *store, const struct error *why)
{
	struct error what;
	if (store->told)
		return;
	error_set(
	    &what, "%.350s; records wait for it, and are lost where there is no room", why->text);
	tell(store, &what);
	store->told = true;
	publish(store);
	store_queue_let_wait(store->queue, false);
}

static void tell_well(struct store *store)
{
	struct error what;
	if (!store->told)
		return;
	error_set(&what, "%s: records can be stored again", place(store));
	tell(store, &what);
	store->told = false;
	store_queue_let_wait(store->queue, store->settings.waits);
}

// False: it is to be tried again.
static bool put(struct store *store, const struct store_block *blocks, bool last_time)
{
	struct error error = {""};
	enum store_answer answer =
	    store->failed ? STORE_FAILED
	                  : store->ops->put(store->opened, blocks, &store->work, &error);
	if (answer == STORE_TAKEN) {
		tell_well(store);
		return true;
	}
	if (answer == STORE_LATER && store->settings.stay_up && !last_time) {
		tell_trouble(store, &error);
		return false;
	}
	if (!store->failed && (answer == STORE_FAILED || !store->settings.stay_up))
		fail(store, &error);
	else if (!store->failed)
		tell_trouble(store, &error);
	lose(store, blocks);
	return true;
}

static void put_batch(struct store *store, struct store_block *blocks)
{
	bool last_time = false;
	while (!put(store, blocks, last_time))
		last_time = store_queue_pause(store->queue, TRY_AGAIN);
	publish(store);
	store_queue_give_back(store->queue, blocks);
}

static void keep_up(struct store *store)
{
	struct error error = {""};
	if (store->ops->upkeep == NULL || store->failed || store->told)
		return;
	bool good = store->ops->upkeep(store->opened, &store->work, &error);
	if (!good && !store->upkeep_told)
		tell(store, &error);
	store->upkeep_told = !good;
	publish(store);
}

static void *run(void *context)
{
	struct store *store = context;
	while (!store_queue_is_over(store->queue)) {
		struct store_block *blocks = store_queue_take(store->queue, BATCH, SECOND);
		if (blocks != NULL)
			put_batch(store, blocks);
		keep_up(store);
	}
	keep_up(store);
	return NULL;
}

/* ---- opening and closing ---- */

static bool start(struct store *store, struct error *error)
{
	error_set(error, "the thread of the store could not be started");
	store->queue = store_queue_create();
	if (store->queue == NULL)
		return false;
	store_queue_let_wait(store->queue, store->settings.waits);
	store->started = thread_begin(&store->thread, run, store);
	return store->started;
}

struct store *store_open(const struct store_settings *settings, struct error *error)
{
	struct error ignored;
	const struct store_ops *ops = store_kind(settings->kind, error);
	if (ops == NULL)
		return NULL;
	struct store *store = calloc(1, sizeof *store);
	error_set(error, "no memory for the store");
	if (store == NULL)
		return NULL;
	store->settings = *settings;
	store->ops = ops;
	pthread_mutex_init(&store->lock, NULL);
	store->opened = ops->open(&store->settings, error);
	if (store->opened != NULL && start(store, error))
		return store;
	(void)store_close(store, &ignored);
	return NULL;
}

// False: *error says what was lost.
static bool judge(
    const struct store *store, const struct store_counters *counters, struct error *error)
{
	uint64_t lost = store_sum(counters->lost);
	if (store->failed)
		*error = store->error;
	else if (lost > 0)
		error_set(error, "%s: %" PRIu64 " records were lost", place(store), lost);
	return !store->failed && lost == 0;
}

bool store_close(struct store *store, struct error *error)
{
	struct store_counters ignored;
	return store_finish(store, &ignored, error);
}

bool store_finish(struct store *store, struct store_counters *counters, struct error *error)
{
	struct error closing;
	if (store == NULL)
		return true;
	if (store->queue != NULL) {
		store_queue_flush(store->queue);
		store_queue_close(store->queue);
	}
	if (store->started)
		(void)pthread_join(store->thread, NULL);
	publish(store);
	*counters = store_counters(store);
	bool good = judge(store, counters, error);
	if (store->opened != NULL &&
	    !store->ops->close(store->opened, &store->work, &closing) && good) {
		*error = closing;
		good = false;
	}
	publish(store);
	*counters = store_counters(store);
	store_queue_destroy(store->queue);
	pthread_mutex_destroy(&store->lock);
	free(store);
	return good;
}

/* ---- giving lines ---- */

static bool is_good(struct store *store, struct error *error)
{
	if (!store->failed)
		return true;
	pthread_mutex_lock(&store->lock);
	*error = store->error;
	pthread_mutex_unlock(&store->lock);
	return store->settings.stay_up;
}

static void drop(struct store *store, enum store_table_id table)
{
	struct error what;
	store->dropped[table]++;
	if (store->dropping)
		return;
	store->dropping = true;
	error_set(&what, "%s: records come faster than they can be stored, and some are lost",
	    place(store));
	tell(store, &what);
}

bool store_add(struct store *store, enum store_table_id table, const char *line, size_t length,
    struct error *error)
{
	if (!is_good(store, error)) {
		store->dropped[table]++;
		return false;
	}
	if (!store_queue_add(store->queue, table, line, length))
		drop(store, table);
	return true;
}

bool store_flush(struct store *store, struct error *error)
{
	if (store == NULL)
		return true;
	store_queue_flush(store->queue);
	return is_good(store, error);
}

struct store_counters store_counters(const struct store *store)
{
	struct store_counters counters = {0};
	if (store == NULL)
		return counters;
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&store->lock;
	pthread_mutex_lock(lock);
	counters = store->counters;
	pthread_mutex_unlock(lock);
	counters.kind = store->ops->name;
	for (size_t i = 0; i < STORE_TABLES; i++)
		counters.lost[i] += store->dropped[i];
	return counters;
}
