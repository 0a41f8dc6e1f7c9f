// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_directory.h"

#include "analytics/log_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { LOGS = 8 };

struct log_directory {
	char *path;
	struct log_policy policy;
	int lock; // -1: this file system has none
	struct log_keeper *keeper; // NULL: there is nothing to look after
	struct log_file *logs[LOGS]; // open ones; NULL: a free place
};

// Two runs would tear each other's lines apart.
static bool lock(struct log_directory *directory, struct error *error)
{
	directory->lock = open(directory->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->lock < 0 || flock(directory->lock, LOCK_EX | LOCK_NB) == 0 ||
	    errno != EWOULDBLOCK)
		return true;
	error_set(error, "log directory %s: another mailtap writes to it", directory->path);
	return false;
}

struct log_directory *log_directory_open(
    const char *path, const struct log_policy *policy, struct error *error)
{
	struct log_directory *directory = calloc(1, sizeof *directory);
	error_set(error, "log directory %s: no memory", path);
	if (directory == NULL)
		return NULL;
	directory->lock = -1;
	directory->policy = *policy;
	directory->path = strdup(path);
	bool good =
	    directory->path != NULL && log_directory_make(path, error) && lock(directory, error);
	if (good && (policy->compress || policy->rotate_keep > 0)) {
		directory->keeper = log_keeper_start(directory->path, &directory->policy, error);
		good = directory->keeper != NULL;
	}
	if (good)
		return directory;
	log_directory_close(directory);
	return NULL;
}

void log_directory_close(struct log_directory *directory)
{
	if (directory == NULL)
		return;
	log_keeper_finish(directory->keeper);
	if (directory->lock >= 0)
		close(directory->lock);
	free(directory->path);
	free(directory);
}

/* ---- its logs ---- */

static struct log_file **place_of(struct log_directory *directory, const struct log_file *file)
{
	for (size_t i = 0; i < LOGS; i++)
		if (directory->logs[i] == file)
			return &directory->logs[i];
	return NULL;
}

static void look_after(struct log_directory *directory)
{
	bool rotated = false;
	for (size_t i = 0; i < LOGS; i++)
		if (directory->logs[i] != NULL)
			rotated |= log_file_was_rotated(directory->logs[i]);
	if (rotated && directory->keeper != NULL)
		log_keeper_wake(directory->keeper);
}

struct log_file *log_directory_log(
    struct log_directory *directory, const char *name, struct error *error)
{
	struct log_file **place = place_of(directory, NULL);
	error_set(error, "log directory %s: too many logs", directory->path);
	struct log_file *file =
	    place != NULL ? log_file_create(directory->path, name, &directory->policy, error)
	                  : NULL;
	if (file == NULL)
		return NULL;
	*place = file;
	if (log_file_tick(file, time(NULL), error)) // it may be of an earlier interval
		return file;
	struct error ignored;
	(void)log_directory_close_log(directory, file, &ignored);
	return NULL;
}

bool log_directory_close_log(
    struct log_directory *directory, struct log_file *file, struct error *error)
{
	if (file == NULL)
		return true;
	look_after(directory);
	struct log_file **place = place_of(directory, file);
	if (place != NULL)
		*place = NULL;
	return log_file_close(file, error);
}

bool log_directory_tick(struct log_directory *directory, time_t now, struct error *error)
{
	bool good = true;
	for (size_t i = 0; good && i < LOGS; i++)
		if (directory->logs[i] != NULL)
			good = log_file_tick(directory->logs[i], now, error);
	look_after(directory);
	return good;
}

bool log_directory_rotate(struct log_directory *directory, struct error *error)
{
	bool good = true;
	for (size_t i = 0; good && i < LOGS; i++)
		if (directory->logs[i] != NULL)
			good = log_file_rotate(directory->logs[i], error);
	look_after(directory);
	return good;
}
