// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_keeper.h"

#include "analytics/log_compress.h"
#include "analytics/log_name.h"
#include "capture/base/thread.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOWEST_PRIORITY = 19 };

struct log_keeper {
	const char *directory;
	const struct log_policy *policy;
	pthread_t thread;
	pthread_mutex_t lock; // of the two below
	pthread_cond_t change;
	bool wanted, finishing;
	bool told; // that something failed; once until all went well again
};

static void path_of(const struct log_keeper *keeper, const char *log, const struct log_name *name,
    char path[PATH_MAX])
{
	char text[LOG_NAME_SIZE];
	log_name_text(text, log, name);
	snprintf(path, PATH_MAX, "%s/%s", keeper->directory, text);
}

static bool remove_path(const char *path, struct error *error)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return true;
	error_set(error, "%s: cannot be removed: %s", path, strerror(errno));
	return false;
}

static bool remove_name(const struct log_keeper *keeper, const char *log,
    const struct log_name *name, struct error *error)
{
	char path[PATH_MAX];
	path_of(keeper, log, name, path);
	return remove_path(path, error);
}

// All of its forms may be there; the half compressed one of a run that was killed as well.
static bool remove_log(
    const struct log_keeper *keeper, const char *log, struct log_name name, struct error *error)
{
	char path[PATH_MAX], beside[PATH_MAX + sizeof LOG_COMPRESS_BESIDE];
	name.packed = false;
	bool good = remove_name(keeper, log, &name, error);
	name.packed = true;
	path_of(keeper, log, &name, path);
	snprintf(beside, sizeof beside, "%s" LOG_COMPRESS_BESIDE, path);
	return remove_path(path, error) && remove_path(beside, error) && good;
}

static bool compress_log(
    const struct log_keeper *keeper, const char *log, struct log_name name, struct error *error)
{
	char plain[PATH_MAX], packed[PATH_MAX];
	path_of(keeper, log, &name, plain);
	name.packed = true;
	path_of(keeper, log, &name, packed);
	name.packed = false;
	return log_compress(plain, packed, error) && remove_name(keeper, log, &name, error);
}

static bool keep_logs(const struct log_keeper *keeper, const char *log, struct error *error)
{
	struct log_listing listing;
	size_t keep = keeper->policy->rotate_keep, first = 0;
	bool good = log_listing_read(&listing, keeper->directory, log, error);
	if (keep > 0 && listing.count > keep)
		first = listing.count - keep;
	for (size_t i = 0; i < first; i++)
		good &= remove_log(keeper, log, listing.names[i], error);
	for (size_t i = first; keeper->policy->compress && good && i < listing.count; i++)
		if (!listing.names[i].packed)
			good = compress_log(keeper, log, listing.names[i], error);
	log_listing_free(&listing);
	return good;
}

static void keep_all(struct log_keeper *keeper)
{
	bool good = true;
	for (size_t i = 0; log_names[i] != NULL; i++) {
		struct error error;
		bool kept = keep_logs(keeper, log_names[i], &error);
		if (!kept && !keeper->told && keeper->policy->tell != NULL) {
			keeper->policy->tell(&error);
			keeper->told = true;
		}
		good &= kept;
	}
	keeper->told &= !good;
}

// True: there is something to do.
static bool wait_for_work(struct log_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	while (!keeper->wanted && !keeper->finishing)
		pthread_cond_wait(&keeper->change, &keeper->lock);
	bool wanted = keeper->wanted;
	keeper->wanted = false;
	pthread_mutex_unlock(&keeper->lock);
	return wanted;
}

static void *run(void *context)
{
	struct log_keeper *keeper = context;
	(void)setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY); // of this thread alone, on Linux
	while (wait_for_work(keeper))
		keep_all(keeper);
	return NULL;
}

struct log_keeper *log_keeper_start(
    const char *directory, const struct log_policy *policy, struct error *error)
{
	struct log_keeper *keeper = calloc(1, sizeof *keeper);
	error_set(error, "the thread that looks after old logs could not be started");
	if (keeper == NULL)
		return NULL;
	keeper->directory = directory;
	keeper->policy = policy;
	keeper->wanted = true;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->change, NULL);
	if (thread_begin(&keeper->thread, run, keeper))
		return keeper;
	pthread_cond_destroy(&keeper->change);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
	return NULL;
}

static void signal_change(struct log_keeper *keeper, bool *what)
{
	pthread_mutex_lock(&keeper->lock);
	*what = true;
	pthread_cond_signal(&keeper->change);
	pthread_mutex_unlock(&keeper->lock);
}

void log_keeper_wake(struct log_keeper *keeper)
{
	signal_change(keeper, &keeper->wanted);
}

void log_keeper_finish(struct log_keeper *keeper)
{
	if (keeper == NULL)
		return;
	signal_change(keeper, &keeper->finishing);
	(void)pthread_join(keeper->thread, NULL);
	pthread_cond_destroy(&keeper->change);
	pthread_mutex_destroy(&keeper->lock);
	free(keeper);
}
