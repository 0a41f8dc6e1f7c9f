// SPDX-License-Identifier: Apache-2.0
#include "analytics/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024 };

/* ---- reading ---- */

struct reading {
	uint8_t *bytes;
	size_t length, size;
};

static bool grow(struct reading *reading)
{
	size_t size = reading->size > 0 ? 2 * reading->size : BLOCK;
	uint8_t *more = realloc(reading->bytes, size);
	if (more == NULL)
		return false;
	reading->bytes = more;
	reading->size = size;
	return true;
}

// False: errno says why.
static bool read_to_end(int file, struct reading *reading)
{
	for (;;) {
		if (reading->length == reading->size && !grow(reading))
			return false;
		ssize_t got =
		    read(file, reading->bytes + reading->length, reading->size - reading->length);
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		reading->length += got > 0 ? (size_t)got : 0;
		if (reading->length > WHOLE_FILE_MAX) {
			errno = EFBIG;
			return false;
		}
	}
}

enum whole_file_outcome whole_file_read(
    const char *path, uint8_t **bytes, size_t *length, struct error *error)
{
	struct reading reading = {NULL, 0, 0};
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 && errno == ENOENT)
		return WHOLE_FILE_MISSING;
	bool good = file >= 0 && read_to_end(file, &reading);
	if (!good) {
		error_set(error, "%s: cannot be read: %s", path, strerror(errno));
		free(reading.bytes);
	}
	if (file >= 0)
		close(file);
	*bytes = reading.bytes;
	*length = reading.length;
	return good ? WHOLE_FILE_READ : WHOLE_FILE_FAILED;
}

/* ---- replacing ---- */

struct replacement {
	int file;
	size_t length;
	char path[PATH_MAX], beside[PATH_MAX], directory[PATH_MAX];
	char block[BLOCK];
};

static bool name_files(struct replacement *replacement, const char *path, struct error *error)
{
	size_t size = sizeof replacement->path;
	const char *slash = strrchr(path, '/');
	int length = slash != NULL ? (int)(slash - path) + 1 : 0;
	bool fits = (size_t)snprintf(replacement->path, size, "%s", path) < size &&
	            (size_t)snprintf(replacement->beside, size, "%s.new", path) < size;
	snprintf(replacement->directory, size, "%.*s", length, path);
	if (length == 0)
		strcpy(replacement->directory, ".");
	if (!fits)
		error_set(error, "%.80s...: its name is too long", path);
	return fits;
}

static bool is_replaceable(const char *path, struct error *error)
{
	struct stat status;
	if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
		return true;
	error_set(error, "%s: cannot be written: it is no regular file", path);
	return false;
}

bool whole_file_can_replace(const char *path, struct error *error)
{
	struct replacement *names = malloc(sizeof *names);
	if (names == NULL) {
		error_set(error, "%s: no memory to write it", path);
		return false;
	}
	bool good = name_files(names, path, error) && is_replaceable(path, error);
	if (good && access(names->directory, W_OK | X_OK) != 0) {
		error_set(error, "%s: cannot be written: %s: %s", path, names->directory,
		    strerror(errno));
		good = false;
	}
	free(names);
	return good;
}

// The file beside is locked while it is written. What was opened may have been put in place by another
// process before the lock was there: then it is not the file beside any more.
static bool lock(const struct replacement *replacement)
{
	struct stat opened, named;
	if (flock(replacement->file, LOCK_EX | LOCK_NB) != 0)
		return false;
	errno = EWOULDBLOCK;
	return fstat(replacement->file, &opened) == 0 && lstat(replacement->beside, &named) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// False: errno says why.
static bool open_beside(struct replacement *replacement)
{
	replacement->file = open(
	    replacement->beside, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (replacement->file < 0)
		return false;
	// What an interrupted run left behind may have another mode.
	if (lock(replacement) && fchmod(replacement->file, 0600) == 0 &&
	    ftruncate(replacement->file, 0) == 0)
		return true;
	int reason = errno;
	close(replacement->file);
	errno = reason;
	return false;
}

struct replacement *replacement_open(const char *path, struct error *error)
{
	struct replacement *replacement = malloc(sizeof *replacement);
	if (replacement == NULL) {
		error_set(error, "%s: no memory to write it", path);
		return NULL;
	}
	replacement->length = 0;
	bool named = name_files(replacement, path, error) && is_replaceable(path, error);
	if (named && open_beside(replacement))
		return replacement;
	if (named)
		error_set(error, "%s: cannot be written: %s: %s", path, replacement->beside,
		    errno == EWOULDBLOCK ? "another process is writing it" : strerror(errno));
	free(replacement);
	return NULL;
}

static bool write_out(struct replacement *replacement, struct error *error)
{
	size_t written = 0;
	while (written < replacement->length) {
		ssize_t count = write(
		    replacement->file, replacement->block + written, replacement->length - written);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			error_set(error, "%s: cannot be written, and is as it was: %s",
			    replacement->path, strerror(errno));
			return false;
		}
		written += (size_t)count;
	}
	replacement->length = 0;
	return true;
}

bool replacement_add(
    struct replacement *replacement, const char *bytes, size_t length, struct error *error)
{
	while (length > 0) {
		size_t room = sizeof replacement->block - replacement->length;
		size_t part = length < room ? length : room;
		memcpy(replacement->block + replacement->length, bytes, part);
		replacement->length += part;
		bytes += part;
		length -= part;
		if (replacement->length == sizeof replacement->block &&
		    !write_out(replacement, error))
			return false;
	}
	return true;
}

// Some file systems cannot do this for a directory (EINVAL), and do not need it.
static bool sync_directory(const char *path)
{
	int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return false;
	bool good = fsync(directory) == 0 || errno == EINVAL;
	int reason = errno;
	close(directory);
	errno = reason;
	return good;
}

static bool put_in_place(struct replacement *replacement, struct error *error)
{
	if (!write_out(replacement, error))
		return false;
	if (fsync(replacement->file) != 0 || rename(replacement->beside, replacement->path) != 0) {
		error_set(error, "%s: cannot be written, and is as it was: %s", replacement->path,
		    strerror(errno));
		return false;
	}
	if (sync_directory(replacement->directory))
		return true;
	error_set(error, "%s: written, but %s: %s", replacement->path, replacement->directory,
	    strerror(errno));
	return false;
}

bool replacement_close(struct replacement *replacement, bool keep, struct error *error)
{
	bool placed = keep && put_in_place(replacement, error);
	if (!placed)
		(void)unlink(replacement->beside);
	close(replacement->file);
	free(replacement);
	return placed || !keep;
}
