// SPDX-License-Identifier: Apache-2.0
#include "analytics/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".new";

static void path_beside(const struct atomic_file *file, char beside[PATH_MAX])
{
	snprintf(beside, PATH_MAX, "%.*s%s", (int)(PATH_MAX - sizeof suffix), file->path, suffix);
}

bool atomic_file_begin(
    struct atomic_file *file, const char *directory, const char *name, struct error *error)
{
	char beside[PATH_MAX];
	int length = directory != NULL
	                 ? snprintf(file->path, sizeof file->path, "%s/%s", directory, name)
	                 : snprintf(file->path, sizeof file->path, "%s", name);
	if ((size_t)length + sizeof suffix > sizeof file->path) {
		error_set(error, "%s: the name is too long", name);
		return false;
	}
	path_beside(file, beside);
	int descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	file->out = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
	if (file->out != NULL)
		return true;
	error_set(error, "%s: cannot be written: %s", beside, strerror(errno));
	if (descriptor >= 0)
		close(descriptor);
	return false;
}

bool atomic_file_commit(struct atomic_file *file, struct error *error)
{
	char beside[PATH_MAX];
	path_beside(file, beside);
	bool written = fflush(file->out) == 0 && !ferror(file->out);
	int reason = errno;
	if (fclose(file->out) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written && rename(beside, file->path) == 0)
		return true;
	error_set(
	    error, "%s: could not be written: %s", file->path, strerror(written ? errno : reason));
	(void)unlink(beside);
	return false;
}
