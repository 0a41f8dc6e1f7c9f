// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_file.h"

#include "analytics/log_name.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BLOCK = 256 * 1024,
	TRY_AGAIN = 10, // seconds
};

enum log_state {
	LOG_GOOD,
	LOG_FAILED, // for good
	LOG_WAITING, // to try again; lines are counted as lost
	LOG_TRYING, // lines are collected again; whether they can be written is not known yet
};

struct log_file {
	struct log_policy policy;
	int descriptor; // -1: there is none while it waits
	enum log_state state;
	bool rotates; // a regular file of a name of its own
	bool was_rotated;
	bool rotation_failed; // told already
	time_t named; // the beginning of what was put aside last, and its number
	unsigned number;
	size_t length; // of the block
	uint64_t size; // of the file
	uint64_t whole; // of its whole lines
	uint64_t lost, lost_before; // lines, and those already told of
	time_t begun; // the file
	time_t tried; // to write it, last
	int reason; // that was told last, why it cannot be written
	const char *name; // of the log; with rotates
	char directory[PATH_MAX];
	char path[PATH_MAX];
	char block[BLOCK];
};

static void tell(const struct log_file *file, const struct error *what)
{
	if (file->policy.tell != NULL)
		file->policy.tell(what);
}

static uint64_t count_lines(const char *text, size_t length)
{
	uint64_t lines = 0;
	const char *end = text + length;
	while ((text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		text++;
		lines++;
	}
	return lines;
}

/* ---- opening ---- */

// When a file began. Where the file system does not know, it is the time it was changed.
static time_t begin_of(int descriptor)
{
	struct statx status;
	if (statx(descriptor, "", AT_EMPTY_PATH, STATX_BTIME | STATX_MTIME, &status) != 0)
		return time(NULL);
	const struct statx_timestamp *born = &status.stx_btime;
	return (status.stx_mask & STATX_BTIME) != 0 && born->tv_sec <= status.stx_mtime.tv_sec
	           ? (time_t)born->tv_sec
	           : (time_t)status.stx_mtime.tv_sec;
}

// The end of the last whole line of a file. -1: it cannot be read.
static off_t find_last_line(int descriptor, off_t size, char *room, size_t room_size)
{
	while (size > 0) {
		size_t part = (uint64_t)size < room_size ? (size_t)size : room_size;
		ssize_t got = pread(descriptor, room, part, size - (off_t)part);
		if (got != (ssize_t)part)
			return -1;
		const char *end = memrchr(room, '\n', part);
		if (end != NULL)
			return size - (off_t)part + (end - room) + 1;
		size -= (off_t)part;
	}
	return 0;
}

// A run that was killed, or a disk that was full, may have left a piece of a line. Nothing can be written
// behind it.
static bool cut_torn_line(struct log_file *file, off_t size)
{
	struct error what;
	off_t whole = find_last_line(file->descriptor, size, file->block, sizeof file->block);
	if (whole < 0 || (whole < size && ftruncate(file->descriptor, whole) != 0))
		return false;
	file->size = file->whole = (uint64_t)whole;
	if (whole == size)
		return true;
	error_set(&what, "%s: its last line was not written whole; its %lld bytes were cut off",
	    file->path, (long long)(size - whole));
	tell(file, &what);
	return true;
}

// False: errno says why.
static bool open_file(struct log_file *file)
{
	struct stat status;
	int how = file->policy.keep ? O_RDWR | O_APPEND : O_WRONLY | O_TRUNC;
	file->descriptor = open(file->path, how | O_CREAT | O_CLOEXEC, 0640);
	if (file->descriptor < 0)
		return false;
	file->size = file->whole = 0;
	file->begun = time(NULL);
	if (fstat(file->descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
		file->rotates = false; // a pipe or device that somebody put there
		return true;
	}
	if (status.st_size > 0)
		file->begun = begin_of(file->descriptor);
	if (!file->policy.keep || cut_torn_line(file, status.st_size))
		return true;
	int reason = errno;
	close(file->descriptor);
	file->descriptor = -1;
	errno = reason;
	return false;
}

static struct log_file *new_file(
    const char *path, const struct log_policy *policy, struct error *error)
{
	struct log_file *file = malloc(sizeof *file);
	if (file == NULL) {
		error_set(error, "%s: no memory for its buffer", path);
		return NULL;
	}
	memset(file, 0, offsetof(struct log_file, block));
	file->policy = *policy;
	snprintf(file->path, sizeof file->path, "%s", path);
	return file;
}

static struct log_file *opened(struct log_file *file, struct error *error)
{
	if (open_file(file))
		return file;
	error_set(error, "%s: cannot be written: %s", file->path, strerror(errno));
	free(file);
	return NULL;
}

bool log_directory_make(const char *directory, struct error *error)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%s", directory) >= sizeof path) {
		error_set(error, "log directory: its name is too long");
		return false;
	}
	for (char *slash = path + 1; *slash != '\0'; slash++) {
		if (*slash != '/')
			continue;
		*slash = '\0';
		(void)mkdir(path, 0750); // the last one decides
		*slash = '/';
	}
	struct stat status;
	if (mkdir(path, 0750) == 0)
		return true;
	int reason = errno;
	if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
		return true;
	error_set(error, "log directory %s: cannot be made: %s", directory,
	    strerror(reason == EEXIST ? ENOTDIR : reason));
	return false;
}

struct log_file *log_file_create(
    const char *directory, const char *name, const struct log_policy *policy, struct error *error)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/%s.jsonl", directory, name) + LOG_NAME_SIZE >=
	    (int)sizeof path) {
		error_set(error, "log directory: its name is too long");
		return NULL;
	}
	struct log_file *file = new_file(path, policy, error);
	if (file == NULL)
		return NULL;
	file->rotates = true;
	file->name = name;
	snprintf(file->directory, sizeof file->directory, "%s", directory);
	return opened(file, error);
}

struct log_file *log_file_at(const char *path, struct error *error)
{
	static const struct log_policy plain = {.keep = false};
	bool standard_output = strcmp(path, "-") == 0;
	struct log_file *file = new_file(standard_output ? "standard output" : path, &plain, error);
	if (file == NULL || !standard_output)
		return file != NULL ? opened(file, error) : NULL;
	file->descriptor = STDOUT_FILENO;
	return file;
}

/* ---- writing ---- */

// The file's rights would let it be written. Landlock's rules are of the directory that was there at the start, and not
// of what has its name now.
static bool sandbox_keeps_out(const struct log_file *file)
{
	return file->rotates && access(file->directory, W_OK | X_OK) == 0 &&
	       (access(file->path, W_OK) == 0 || errno == ENOENT);
}

static const char *explain(const struct log_file *file, int reason)
{
	if (reason == EPIPE)
		return "its reader has gone";
	if (reason == EACCES && sandbox_keeps_out(file))
		return "its directory is another than at the start, which the sandbox does not let "
		       "in: "
		       "start mailtap again";
	return strerror(reason);
}

// Nothing more can be written, now or for good: *error. True: it is tried again.
static bool stop_writing(struct log_file *file, int reason, bool stay, struct error *error)
{
	bool known = file->state != LOG_GOOD && file->reason == reason;
	file->reason = reason;
	file->tried = time(NULL);
	file->state = stay ? LOG_WAITING : LOG_FAILED;
	error_set(error, "%s: %s; the records from here on are lost%s", file->path,
	    explain(file, reason), stay ? " until it can be written again" : "");
	if (stay && !known)
		tell(file, error);
	return stay;
}

// `written` bytes of the block are in the file. What is no whole line is taken back, the rest is lost.
static bool fail(struct log_file *file, size_t written, struct error *error)
{
	int reason = errno;
	const char *end = memrchr(file->block, '\n', written);
	size_t whole = end != NULL ? (size_t)(end - file->block) + 1 : 0;
	uint64_t size = file->size + written;
	if (end != NULL)
		file->whole = file->size + whole;
	file->lost += count_lines(file->block + whole, file->length - whole);
	file->size = file->whole;
	file->length = 0;
	bool stay = file->policy.stay_up && reason != EPIPE &&
	            (size == file->whole || ftruncate(file->descriptor, (off_t)file->whole) == 0);
	return stop_writing(file, reason, stay, error);
}

static void tell_lost(struct log_file *file)
{
	struct error what;
	error_set(&what, "%s: can be written again; %" PRIu64 " records were lost", file->path,
	    file->lost - file->lost_before);
	file->lost_before = file->lost;
	tell(file, &what);
}

// Somebody removed the file, moved it away, or put another one in its place: nobody would find what is written.
static bool is_gone(const struct log_file *file)
{
	struct stat opened, named;
	if (!file->rotates || fstat(file->descriptor, &opened) != 0)
		return false;
	if (stat(file->path, &named) != 0)
		return errno == ENOENT || errno == ENOTDIR;
	return opened.st_ino != named.st_ino || opened.st_dev != named.st_dev;
}

static bool begin_anew(struct log_file *file, struct error *error)
{
	(void)close(file->descriptor);
	file->size = file->whole = 0;
	return open_file(file) || fail(file, 0, error);
}

static bool replace_gone(struct log_file *file, struct error *error)
{
	struct error what;
	if (!begin_anew(file, error))
		return false;
	error_set(&what, "%s: it was removed or moved away, and is begun anew", file->path);
	if (file->descriptor >= 0)
		tell(file, &what);
	return true;
}

static bool write_out(struct log_file *file, struct error *error)
{
	size_t written = 0;
	if (file->state == LOG_FAILED || file->state == LOG_WAITING)
		file->length = 0;
	if (file->length > 0 && is_gone(file) && !replace_gone(file, error))
		return false;
	while (written < file->length) {
		ssize_t count =
		    write(file->descriptor, file->block + written, file->length - written);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return fail(file, written, error);
		written += (size_t)count;
	}
	if (file->state == LOG_TRYING && written > 0) {
		file->state = LOG_GOOD;
		tell_lost(file);
	}
	file->size += written;
	if (written > 0 && file->block[written - 1] == '\n')
		file->whole = file->size;
	file->length = 0;
	if (file->state == LOG_FAILED)
		error->text[0] = '\0';
	return file->state != LOG_FAILED;
}

// The block has whole lines only, unless one is longer than it.
static bool add_line(struct log_file *file, const char *text, size_t length, struct error *error)
{
	while (length > 0) {
		size_t room = sizeof file->block - file->length;
		if (length > room && file->length > 0) {
			if (!write_out(file, error))
				return false;
			if (file->state == LOG_WAITING)
				break;
			continue;
		}
		size_t part = length < room ? length : room;
		memcpy(file->block + file->length, text, part);
		file->length += part;
		text += part;
		length -= part;
	}
	file->lost += count_lines(text, length);
	return true;
}

/* ---- putting aside ---- */

// Never in the place of another file. Not every file system can do that at once.
static bool rename_to_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return link(from, to) == 0 && unlink(from) == 0;
}

// False: errno says why.
static bool put_aside(struct log_file *file)
{
	char text[LOG_NAME_SIZE], path[PATH_MAX + LOG_NAME_SIZE];
	unsigned number = file->begun == file->named ? file->number + 1 : 0;
	for (; number <= LOG_NUMBER_MAX; number++) {
		struct log_name name = log_name_of(file->begun, number, true);
		log_name_text(text, file->name, &name);
		snprintf(path, sizeof path, "%s/%s", file->directory, text);
		errno = EEXIST;
		if (access(path, F_OK) == 0)
			continue;
		path[strlen(path) - strlen(".zst")] = '\0';
		if (rename_to_new(file->path, path)) {
			file->named = file->begun;
			file->number = number;
			return true;
		}
		if (errno != EEXIST)
			break;
	}
	return false;
}

bool log_file_rotate(struct log_file *file, struct error *error)
{
	struct error what;
	if (!write_out(file, error))
		return false;
	if (!file->rotates || file->state != LOG_GOOD || file->size == 0)
		return true;
	if (is_gone(file))
		return replace_gone(file, error);
	file->tried = time(NULL);
	if (put_aside(file)) {
		file->was_rotated = true;
		file->rotation_failed = false;
		return begin_anew(file, error);
	}
	if (!file->rotation_failed) {
		error_set(&what, "%s: cannot be put aside, and grows on: %s", file->path,
		    strerror(errno));
		tell(file, &what);
	}
	file->rotation_failed = true;
	return true;
}

bool log_file_was_rotated(struct log_file *file)
{
	bool was = file->was_rotated;
	file->was_rotated = false;
	return was;
}

// What failed lately is not tried with every line. A clock that was put back says nothing of how long ago.
static bool is_time_again(const struct log_file *file, time_t now)
{
	return now < file->tried || now - file->tried >= TRY_AGAIN;
}

static bool may_rotate(const struct log_file *file)
{
	return file->rotates && (!file->rotation_failed || is_time_again(file, time(NULL)));
}

static bool is_full(const struct log_file *file, size_t more)
{
	uint64_t size = file->size + file->length;
	return file->policy.rotate_size > 0 && size > 0 && size + more > file->policy.rotate_size &&
	       may_rotate(file);
}

static bool is_of_earlier_interval(const struct log_file *file, time_t now)
{
	time_t interval = file->policy.rotate_interval;
	return interval > 0 && now / interval > file->begun / interval && may_rotate(file);
}

/* ---- from outside ---- */

bool log_file_add(struct log_file *file, const char *text, size_t length, struct error *error)
{
	if (file->state == LOG_WAITING) {
		file->lost += count_lines(text, length);
		return true;
	}
	if (is_full(file, length) && !log_file_rotate(file, error))
		return false;
	return add_line(file, text, length, error);
}

bool log_file_flush(struct log_file *file, struct error *error)
{
	return write_out(file, error);
}

// A file that could not even be opened is opened first.
static void try_again(struct log_file *file, time_t now)
{
	file->tried = now;
	if (file->descriptor < 0 && !open_file(file)) {
		struct error what;
		(void)stop_writing(file, errno, true, &what);
		return;
	}
	file->state = LOG_TRYING;
	file->length = 0;
}

bool log_file_tick(struct log_file *file, time_t now, struct error *error)
{
	if (file->state == LOG_WAITING && is_time_again(file, now))
		try_again(file, now);
	if (now < file->begun)
		file->begun = now; // the clock was put back
	if (!write_out(file, error))
		return false;
	return !is_of_earlier_interval(file, now) || log_file_rotate(file, error);
}

uint64_t log_file_lost(const struct log_file *file)
{
	return file->lost;
}

bool log_file_close(struct log_file *file, struct error *error)
{
	if (file == NULL)
		return true;
	bool good = write_out(file, error);
	if (file->descriptor >= 0 && file->descriptor != STDOUT_FILENO &&
	    close(file->descriptor) != 0 && good) {
		error_set(error, "%s: %s", file->path, strerror(errno));
		good = false;
	}
	if (good && file->lost > 0) {
		error_set(error, "%s: %" PRIu64 " records were lost", file->path, file->lost);
		good = false;
	}
	free(file);
	return good;
}
