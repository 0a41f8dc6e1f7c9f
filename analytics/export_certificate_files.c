// SPDX-License-Identifier: Apache-2.0
// Each certificate of the run as a file of its own, SHA256.pem, in a directory that the user names. One
// that is there already, from another run, is left as it is: it is the same.
// Where a run goes on although one cannot be written, it is counted.
#include "analytics/certificate_pem.h"
#include "analytics/exporter.h"
#include "analytics/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct certificate_files {
	const struct exporter_settings *settings;
	uint64_t lost; // that could not be written
	bool failing; // told already
	char directory[PATH_MAX];
};

static void *files_open(const struct exporter_settings *settings, struct error *error)
{
	const char *directory = settings->certificate_directory;
	if (directory == NULL || !log_directory_make(directory, error))
		return NULL;
	struct certificate_files *files = malloc(sizeof *files);
	if (files == NULL) {
		error_set(error, "no memory to write certificates");
		return NULL;
	}
	files->settings = settings;
	files->lost = 0;
	files->failing = false;
	snprintf(files->directory, sizeof files->directory, "%s", directory);
	return files;
}

static bool file_path(
    const struct certificate_files *files, const uint8_t sha256[SHA256_BYTES], char *path)
{
	char name[2 * SHA256_BYTES + 1];
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(name + 2 * i, 3, "%02x", sha256[i]);
	return snprintf(path, PATH_MAX, "%s/%s.pem", files->directory, name) < PATH_MAX;
}

// False: not all of it was written; errno says why.
static bool write_whole(int descriptor, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t written = write(descriptor, text, length);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		text += written;
		length -= (size_t)written;
	}
	return true;
}

// A file that is there is whole: it gets its name once it is written.
static bool write_file(const char *path, const char *text, size_t length)
{
	char unfinished[PATH_MAX];
	if (access(path, F_OK) == 0)
		return true;
	if (snprintf(unfinished, sizeof unfinished, "%s~", path) >= (int)sizeof unfinished) {
		errno = ENAMETOOLONG;
		return false;
	}
	int descriptor = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (descriptor < 0)
		return false;
	bool good = write_whole(descriptor, text, length);
	good = close(descriptor) == 0 && good;
	if (good && rename(unfinished, path) == 0)
		return true;
	int reason = errno;
	(void)unlink(unfinished);
	errno = reason;
	return false;
}

static bool files_certificate(
    void *exporter, const struct certificate *certificate, struct error *error)
{
	struct certificate_files *files = exporter;
	char path[PATH_MAX] = "";
	size_t length;
	char *pem = certificate_pem(certificate->facts.der, &length);
	if (pem == NULL) {
		error_set(error, "no memory to write a certificate");
		return false;
	}
	errno = ENAMETOOLONG;
	bool good = file_path(files, certificate->sha256, path) && write_file(path, pem, length);
	if (!good)
		error_set(error, "%s: a certificate cannot be written: %s", files->directory,
		    strerror(errno));
	free(pem);
	files->lost += !good;
	return exporter_goes_on(files->settings, good, &files->failing, error);
}

static bool files_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct certificate_files *files = exporter;
	(void)accounting;
	bool good = files->lost == 0;
	if (!good)
		error_set(error, "%s: %" PRIu64 " certificates could not be written",
		    files->directory, files->lost);
	free(files);
	return good;
}

const struct exporter_ops certificate_files_exporter = {
    .name = "certificate files",
    .open = files_open,
    .certificate = files_certificate,
    .close = files_close,
};
