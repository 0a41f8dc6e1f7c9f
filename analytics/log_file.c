// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 256 * 1024 };

struct log_file {
	int descriptor;
	bool failed;
	size_t length;
	char path[PATH_MAX];
	char block[BLOCK];
};

static struct log_file *open_path(const char *path, struct error *error)
{
	struct log_file *file = malloc(sizeof *file);
	if (file == NULL) {
		error_set(error, "%s: no memory for its buffer", path);
		return NULL;
	}
	bool standard_output = strcmp(path, "-") == 0;
	file->failed = false;
	file->length = 0;
	snprintf(file->path, sizeof file->path, "%s", standard_output ? "standard output" : path);
	file->descriptor = standard_output
	                       ? STDOUT_FILENO
	                       : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (file->descriptor < 0) {
		error_set(error, "%s: cannot be written: %s", path, strerror(errno));
		free(file);
		return NULL;
	}
	return file;
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
	if (mkdir(path, 0750) == 0 || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
		return true;
	error_set(error, "log directory %s: cannot be made: %s", directory,
	    strerror(errno == EEXIST ? ENOTDIR : errno));
	return false;
}

struct log_file *log_file_create(const char *directory, const char *name, struct error *error)
{
	char path[PATH_MAX];
	if (!log_directory_make(directory, error))
		return NULL;
	if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path) {
		error_set(error, "log directory: its name is too long");
		return NULL;
	}
	return open_path(path, error);
}

struct log_file *log_file_at(const char *path, struct error *error)
{
	return open_path(path, error);
}

static bool write_out(struct log_file *file, struct error *error)
{
	size_t written = 0;
	while (written < file->length && !file->failed) {
		ssize_t count =
		    write(file->descriptor, file->block + written, file->length - written);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			file->failed = true;
			error_set(error, "%s: %s; the records from here on are lost", file->path,
			    errno == EPIPE ? "its reader has gone" : strerror(errno));
			break;
		}
		written += (size_t)count;
	}
	file->length = 0;
	return !file->failed;
}

bool log_file_add(struct log_file *file, const char *text, size_t length, struct error *error)
{
	while (length > 0) {
		size_t room = sizeof file->block - file->length;
		size_t part = length < room ? length : room;
		memcpy(file->block + file->length, text, part);
		file->length += part;
		text += part;
		length -= part;
		if (file->length == sizeof file->block && !write_out(file, error))
			return false;
	}
	return true;
}

bool log_file_flush(struct log_file *file, struct error *error)
{
	return write_out(file, error);
}

bool log_file_close(struct log_file *file, struct error *error)
{
	if (file == NULL)
		return true;
	bool good = write_out(file, error);
	if (file->descriptor != STDOUT_FILENO && close(file->descriptor) != 0 && good) {
		error_set(error, "%s: %s", file->path, strerror(errno));
		good = false;
	}
	free(file);
	return good;
}
