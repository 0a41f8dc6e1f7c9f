// SPDX-License-Identifier: Apache-2.0
#include "analytics/spool.h"

#include "analytics/log_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const endings[SPOOL_STAGES] = {[SPOOL_OPEN] = "open",
    [SPOOL_LINES] = "lines",
    [SPOOL_HALF] = "half",
    [SPOOL_BATCH] = "gz",
    [SPOOL_SENT] = "sent",
    [SPOOL_REFUSED] = "refused"};

static bool is_batch(enum spool_stage stage)
{
	return stage != SPOOL_OPEN && stage != SPOOL_LINES;
}

void spool_batch_name(char name[SPOOL_NAME_MAX], const struct spool_file *file)
{
	snprintf(name, SPOOL_NAME_MAX, "%.*s-%08" PRIu32 "-%s-%08" PRIu32, SPOOL_RUN_LENGTH,
	    file->run, file->sequence, store_tables[file->table].name, file->day);
}

void spool_file_name(char name[SPOOL_NAME_MAX], const struct spool_file *file)
{
	const char *table = store_tables[file->table].name;
	if (is_batch(file->stage))
		snprintf(name, SPOOL_NAME_MAX, "%.*s-%08" PRIu32 "-%s-%08" PRIu32 "-%" PRIu32 ".%s",
		    SPOOL_RUN_LENGTH, file->run, file->sequence, table, file->day, file->rows,
		    endings[file->stage]);
	else
		snprintf(name, SPOOL_NAME_MAX, "%.*s-%08" PRIu32 "-%s.%s", SPOOL_RUN_LENGTH,
		    file->run, file->sequence, table, endings[file->stage]);
}

static bool find_table(const char *name, enum store_table_id *table)
{
	for (int i = 0; i < STORE_TABLES; i++) {
		*table = (enum store_table_id)i;
		if (strcmp(store_tables[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool find_stage(const char *ending, enum spool_stage *stage)
{
	for (int i = 0; i < SPOOL_STAGES; i++) {
		*stage = (enum spool_stage)i;
		if (strcmp(endings[i], ending) == 0)
			return true;
	}
	return false;
}

// Whatever is not what would have been written is none.
bool spool_file_read(struct spool_file *file, const char *name)
{
	char table[16], again[SPOOL_NAME_MAX];
	const char *ending = strrchr(name, '.');
	*file = (struct spool_file){.run = ""};
	if (ending == NULL || strlen(name) >= SPOOL_NAME_MAX ||
	    !find_stage(ending + 1, &file->stage))
		return false;
	int found = sscanf(name, "%24[0-9a-f]-%8" SCNu32 "-%15[a-z]-%8" SCNu32 "-%8" SCNu32,
	    file->run, &file->sequence, table, &file->day, &file->rows);
	if (found != (is_batch(file->stage) ? 5 : 3) || !find_table(table, &file->table))
		return false;
	spool_file_name(again, file);
	return strcmp(again, name) == 0;
}

void spool_run_name(char run[SPOOL_RUN_LENGTH + 1])
{
	struct timespec now;
	uint32_t random = 0;
	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
		random = (uint32_t)getpid(); // as early as that in the life of a machine
	uint64_t begun = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	snprintf(run, SPOOL_RUN_LENGTH + 1, "%016" PRIx64 "%08" PRIx32, begun, random);
}

int spool_open(const char *path, struct error *error)
{
	if (!log_directory_make(path, error))
		return -1;
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		error_set(error, "--store-spool: %s: cannot be opened: %s", path, strerror(errno));
	return directory;
}

int spool_lock(int directory, const char *path, unsigned seconds, struct error *error)
{
	enum { STEPS = 20 }; // a second
	const struct timespec step = {.tv_nsec = 1000000000 / STEPS};
	int lock = openat(directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	for (unsigned i = 0; lock >= 0; i++) {
		if (flock(lock, LOCK_EX | LOCK_NB) == 0)
			return lock;
		if (errno != EWOULDBLOCK || i == seconds * STEPS)
			break;
		nanosleep(&step, NULL);
	}
	if (lock >= 0 && errno == EWOULDBLOCK)
		error_set(
		    error, "--store-spool: %s: another run uses it; give each run its own", path);
	else
		error_set(error, "--store-spool: %s: cannot be locked: %s", path, strerror(errno));
	if (lock >= 0)
		close(lock);
	return -1;
}

static bool add(struct spool_list *list, size_t *room, const struct spool_file *file)
{
	if (list->count == *room) {
		size_t more = *room == 0 ? 64 : *room * 2;
		struct spool_file *files = realloc(list->files, more * sizeof *files);
		if (files == NULL)
			return false;
		list->files = files;
		*room = more;
	}
	list->files[list->count++] = *file;
	return true;
}

static int by_age(const void *one, const void *other)
{
	const struct spool_file *a = one, *b = other;
	int order = strcmp(a->run, b->run);
	if (order == 0)
		order = (a->sequence > b->sequence) - (a->sequence < b->sequence);
	return order != 0 ? order : (a->day > b->day) - (a->day < b->day);
}

static bool add_entry(struct spool_list *list, size_t *room, int directory, const char *name)
{
	struct spool_file file;
	struct stat status;
	if (!spool_file_read(&file, name) ||
	    fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(status.st_mode))
		return true;
	list->bytes += (uint64_t)status.st_size;
	return add(list, room, &file);
}

bool spool_list_read(struct spool_list *list, int directory, struct error *error)
{
	size_t room = 0;
	*list = (struct spool_list){.files = NULL};
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *open = again >= 0 ? fdopendir(again) : NULL;
	if (open == NULL) {
		error_set(error, "--store-spool: cannot be read: %s", strerror(errno));
		if (again >= 0)
			close(again);
		return false;
	}
	bool good = true;
	for (const struct dirent *entry; good && (entry = readdir(open)) != NULL;)
		good = add_entry(list, &room, directory, entry->d_name);
	closedir(open);
	if (!good)
		error_set(error, "--store-spool: no memory for the names of its files");
	else if (list->count > 1)
		qsort(list->files, list->count, sizeof *list->files, by_age);
	return good;
}

void spool_list_free(struct spool_list *list)
{
	free(list->files);
	*list = (struct spool_list){.files = NULL};
}

bool spool_move(int directory, struct spool_file *file, enum spool_stage stage)
{
	char before[SPOOL_NAME_MAX], behind[SPOOL_NAME_MAX];
	struct spool_file moved = *file;
	moved.stage = stage;
	spool_file_name(before, file);
	spool_file_name(behind, &moved);
	if (renameat(directory, before, directory, behind) != 0)
		return false;
	*file = moved;
	return true;
}

bool spool_remove(int directory, const struct spool_file *file)
{
	char name[SPOOL_NAME_MAX];
	spool_file_name(name, file);
	return unlinkat(directory, name, 0) == 0;
}
