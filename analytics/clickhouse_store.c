// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_store.h"

#include "analytics/shipper.h"
#include "analytics/spool.h"
#include "capture/base/monotonic.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	FILE_SIZE = 4 << 20, // bytes after which a file is handed over
	WAIT_LONGEST =
	    5, // seconds without any progress after which a run over files waits for room no longer
	LOOK_AGE = 1, // seconds for which what is known of the spool's size is good enough
};

static const int64_t second = 1000000000; // nanoseconds

// A file of lines that is being added to.
struct spool_writer {
	int file; // -1: none
	struct spool_file name;
	uint64_t length;
	int64_t begun; // monotonic nanoseconds
};

struct clickhouse_store {
	const struct store_settings *settings;
	char run[SPOOL_RUN_LENGTH + 1];
	uint32_t sequence;
	int directory;
	struct spool_writer writers[STORE_TABLES];
	uint64_t used; // bytes of the spool, when it was looked at last, and what was added since
	size_t files; // likewise
	int64_t looked; // monotonic nanoseconds
	bool full; // that was told
	bool alone; // that nobody sends any more was told
	uint64_t lost; // lines
};

static const char *place(const struct store_settings *settings)
{
	return settings->spool;
}

static void tell(const struct clickhouse_store *store, const struct error *what)
{
	if (store->settings->tell != NULL)
		store->settings->tell(what);
}

static bool fail(const struct clickhouse_store *store, struct error *error, const char *what)
{
	const char *why = strerror(errno);
	error_set(error, "%s: %s: %s", place(store->settings), what, why);
	return false;
}

/* ---- the spool ---- */

static bool look(struct clickhouse_store *store, struct error *error)
{
	struct spool_list list;
	bool good = spool_list_read(&list, store->directory, error);
	if (good) {
		store->used = list.bytes;
		store->files = list.count;
		store->looked = monotonic_now();
	}
	spool_list_free(&list);
	return good;
}

static bool fits(const struct clickhouse_store *store, uint64_t more)
{
	return store->used + more <= store->settings->spool_size && store->files < SPOOL_FILES_MOST;
}

// True: this many bytes more have room.
static bool has_room(struct clickhouse_store *store, uint64_t more)
{
	struct error ignored;
	if (!fits(store, more) && monotonic_now() - store->looked >= LOOK_AGE * second)
		(void)look(store, &ignored);
	return fits(store, more);
}

static void wake(struct clickhouse_store *store)
{
	struct error what;
	if (shipper_wake(store->settings->shipper) || store->alone)
		return;
	store->alone = true;
	error_set(&what,
	    "the process that sends to ClickHouse has ended; records are kept in %s for the next "
	    "run",
	    place(store->settings));
	tell(store, &what);
}

static bool write_all(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);
		if (written < 0 && errno != EINTR)
			return false;
		bytes += written > 0 ? written : 0;
		length -= written > 0 ? (size_t)written : 0;
	}
	return true;
}

// The sensor, in a line of its own.
static bool write_head(const struct clickhouse_store *store, int file)
{
	struct error head;
	error_set(&head, "%s", store->settings->sensor != NULL ? store->settings->sensor : "");
	return write_all(file, head.text, strlen(head.text)) && write_all(file, "\n", 1);
}

static bool begin_file(
    struct clickhouse_store *store, enum store_table_id table, struct error *error)
{
	char name[SPOOL_NAME_MAX];
	struct spool_writer *writer = &store->writers[table];
	writer->name =
	    (struct spool_file){.sequence = store->sequence++, .table = table, .stage = SPOOL_OPEN};
	memcpy(writer->name.run, store->run, sizeof store->run);
	spool_file_name(name, &writer->name);
	writer->file = openat(store->directory, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
	writer->begun = monotonic_now();
	struct stat status;
	if (writer->file >= 0 && write_head(store, writer->file) &&
	    fstat(writer->file, &status) == 0) {
		writer->length = (uint64_t)status.st_size;
		store->used += writer->length;
		store->files++;
		return true;
	}
	fail(store, error, "a file cannot be begun");
	if (writer->file >= 0) {
		(void)unlinkat(store->directory, name, 0);
		close(writer->file);
	}
	writer->file = -1;
	return false;
}

// On the disk, and handed over. What cannot be renamed is taken by the next run.
static bool hand_over(
    struct clickhouse_store *store, struct spool_writer *writer, struct error *error)
{
	if (writer->file < 0)
		return true;
	bool good = fsync(writer->file) == 0;
	good = close(writer->file) == 0 && good;
	writer->file = -1;
	good = spool_move(store->directory, &writer->name, SPOOL_LINES) && good;
	if (!good)
		fail(store, error, "a file cannot be handed over");
	wake(store);
	return good;
}

// What has come so far: while this changes, there will be room.
static uint64_t progress(const struct clickhouse_store *store)
{
	const struct shipper_status *status = shipper_status(store->settings->shipper);
	uint64_t sum = store->used + store->files;
	for (size_t i = 0; i < STORE_TABLES; i++)
		sum += status->stored[i];
	return sum;
}

// A run over files waits for room, as long as there is any progress.
static bool wait_for_room(struct clickhouse_store *store, uint64_t more)
{
	struct error ignored;
	const struct timespec step = {.tv_nsec = second / 20};
	uint64_t before = progress(store);
	int64_t since = monotonic_now();
	for (size_t i = 0; i < STORE_TABLES;
	     i++) // what is in them can only be sent when they are handed over
		(void)hand_over(store, &store->writers[i], &ignored);
	while (!store->full && monotonic_now() - since < WAIT_LONGEST * second) {
		nanosleep(&step, NULL);
		if (look(store, &ignored) && fits(store, more))
			return true;
		if (progress(store) != before)
			since = monotonic_now();
		before = progress(store);
	}
	return false;
}

static bool is_due(const struct clickhouse_store *store, const struct spool_writer *writer)
{
	int64_t age = (int64_t)store->settings->flush * second;
	return writer->file >= 0 &&
	       (writer->length >= FILE_SIZE || monotonic_now() - writer->begun >= age);
}

static bool hand_over_due(struct clickhouse_store *store, bool all, struct error *error)
{
	bool good = true;
	for (size_t i = 0; i < STORE_TABLES; i++)
		if (all || is_due(store, &store->writers[i]))
			good = hand_over(store, &store->writers[i], error) && good;
	return good;
}

/* ---- what a store does ---- */

static void lose(struct clickhouse_store *store, const struct store_block *block,
    struct store_counters *counters)
{
	struct error what;
	counters->lost[block->table] += block->lines;
	store->lost += block->lines;
	if (store->full)
		return;
	store->full = true;
	error_set(&what,
	    "%s: the spool is full (--store-spool-size %" PRIu64
	    " bytes, %d files): records are lost until the server has taken some",
	    place(store->settings), store->settings->spool_size, SPOOL_FILES_MOST);
	tell(store, &what);
}

static bool put_block(struct clickhouse_store *store, const struct store_block *block,
    struct store_counters *counters, struct error *error)
{
	struct spool_writer *writer = &store->writers[block->table];
	bool room = has_room(store, block->length) ||
	            (store->settings->waits && wait_for_room(store, block->length));
	if (!room) {
		lose(store, block, counters);
		return true;
	}
	if (store->used <= store->settings->spool_size / 2)
		store->full = false;
	if (writer->file < 0 && !begin_file(store, block->table, error))
		return false;
	if (!write_all(writer->file, block->text, block->length))
		return fail(store, error, "cannot be written");
	writer->length += block->length;
	store->used += block->length;
	return true;
}

// Files as they were: of the blocks none is there, or all.
static void take_back(struct clickhouse_store *store, const uint64_t lengths[STORE_TABLES])
{
	for (size_t i = 0; i < STORE_TABLES; i++) {
		struct spool_writer *writer = &store->writers[i];
		if (writer->file >= 0 && lengths[i] > 0 &&
		    ftruncate(writer->file, (off_t)lengths[i]) == 0)
			writer->length = lengths[i];
		else if (writer->file >= 0 && lengths[i] == 0) { // begun for them
			(void)spool_remove(store->directory, &writer->name);
			close(writer->file);
			writer->file = -1;
		}
	}
}

static void count(const struct clickhouse_store *store, struct store_counters *counters)
{
	const struct shipper_status *status = shipper_status(store->settings->shipper);
	for (size_t i = 0; i < STORE_TABLES; i++) {
		counters->stored[i] = status->stored[i];
		counters->in_part[i] = status->in_part[i];
		counters->refused[i] = status->refused[i] + status->damaged[i];
	}
	counters->away = status->away || !status->works;
	counters->spool_bytes = store->used;
	counters->spool_files = store->files;
	counters->spool_limit = store->settings->spool_size;
}

static enum store_answer store_put(void *context, const struct store_block *blocks,
    struct store_counters *counters, struct error *error)
{
	struct clickhouse_store *store = context;
	struct store_counters before = *counters;
	uint64_t lengths[STORE_TABLES];
	for (size_t i = 0; i < STORE_TABLES; i++)
		lengths[i] = store->writers[i].file >= 0 ? store->writers[i].length : 0;
	for (const struct store_block *block = blocks; block != NULL; block = block->next) {
		if (put_block(store, block, counters, error))
			continue;
		take_back(store, lengths);
		*counters = before;
		return STORE_LATER;
	}
	count(store, counters);
	if (!hand_over_due(store, false, error)) // what is in them is there, and stays
		tell(store, error);
	return STORE_TAKEN;
}

static bool store_upkeep(void *context, struct store_counters *counters, struct error *error)
{
	struct clickhouse_store *store = context;
	bool good = hand_over_due(store, false, error) && look(store, error);
	count(store, counters);
	return good;
}

static void release(struct clickhouse_store *store)
{
	if (store->directory >= 0)
		close(store->directory);
	free(store);
}

static void *store_begin(const struct store_settings *settings, struct error *error)
{
	struct clickhouse_store *store = calloc(1, sizeof *store);
	error_set(error, settings->shipper == NULL
	                     ? "--store clickhouse: only a run sends records there"
	                     : "no memory for the store");
	if (store == NULL || settings->shipper == NULL) {
		free(store);
		return NULL;
	}
	store->settings = settings;
	for (size_t i = 0; i < STORE_TABLES; i++)
		store->writers[i].file = -1;
	spool_run_name(store->run);
	store->directory = spool_open(settings->spool, error);
	if (store->directory >= 0 && look(store, error))
		return store;
	release(store);
	return NULL;
}

static void tell_rest(const struct clickhouse_store *store)
{
	struct error what;
	struct spool_list list;
	size_t waiting = 0;
	bool read = spool_list_read(&list, store->directory, &what);
	for (size_t i = 0; read && i < list.count; i++)
		waiting += list.files[i].stage != SPOOL_REFUSED;
	if (read && waiting > 0) {
		error_set(&what, "%zu files with records stay in %s; the next run sends them",
		    waiting, place(store->settings));
		tell(store, &what);
	}
	spool_list_free(&list);
}

static bool store_end(void *context, struct store_counters *counters, struct error *error)
{
	struct clickhouse_store *store = context;
	struct error ignored;
	bool good = hand_over_due(store, true, error);
	shipper_finish(store->settings->shipper);
	const struct shipper_status *status = shipper_status(store->settings->shipper);
	uint64_t refused = 0;
	for (size_t i = 0; i < STORE_TABLES; i++)
		refused += status->refused[i] + status->damaged[i];
	if (good && store->lost > 0)
		error_set(error, "%s: %" PRIu64 " records were lost for want of room",
		    place(store->settings), store->lost);
	else if (good && refused > 0)
		error_set(error, "%s: ClickHouse did not take %" PRIu64 " records",
		    place(store->settings), refused);
	(void)look(store, &ignored);
	count(store, counters);
	tell_rest(store);
	good = good && store->lost == 0 && refused == 0;
	release(store);
	return good;
}

const struct store_ops clickhouse_store = {.name = "clickhouse",
    .place = place,
    .open = store_begin,
    .put = store_put,
    .upkeep = store_upkeep,
    .close = store_end};
