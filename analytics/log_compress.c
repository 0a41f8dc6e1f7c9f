// SPDX-License-Identifier: Apache-2.0
#include "analytics/log_compress.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

enum {
	PLAIN = 128 * 1024,
	PACKED = 256 * 1024, // more than ZSTD_CStreamOutSize()
	LEVEL = 3,
};

struct compression {
	int from, to;
	ZSTD_CCtx *zstd;
	char plain[PLAIN], packed[PACKED];
};

bool log_compress_can(void)
{
	return true;
}

// False: errno says why.
static bool write_all(int to, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t count = write(to, bytes, length);
		if (count < 0 && errno != EINTR)
			return false;
		bytes += count > 0 ? count : 0;
		length -= count > 0 ? (size_t)count : 0;
	}
	return true;
}

// Takes what was read; at the `end` all that is left. False: errno says why.
static bool pack(struct compression *compression, size_t length, bool end)
{
	ZSTD_inBuffer in = {compression->plain, length, 0};
	size_t left;
	do {
		ZSTD_outBuffer out = {compression->packed, sizeof compression->packed, 0};
		left = ZSTD_compressStream2(
		    compression->zstd, &out, &in, end ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left)) {
			errno = ENOMEM; // nothing else goes wrong
			return false;
		}
		if (!write_all(compression->to, compression->packed, out.pos))
			return false;
	} while (end ? left > 0 : in.pos < in.size);
	return true;
}

static bool pack_all(struct compression *compression)
{
	for (;;) {
		ssize_t count =
		    read(compression->from, compression->plain, sizeof compression->plain);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 || !pack(compression, (size_t)count, count == 0))
			return false;
		if (count == 0)
			return fsync(compression->to) == 0;
	}
}

static bool open_all(struct compression *compression, const char *plain, const char *beside)
{
	struct stat status;
	compression->zstd = ZSTD_createCCtx();
	compression->from = open(plain, O_RDONLY | O_CLOEXEC);
	compression->to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (compression->from < 0 || compression->to < 0 ||
	    fstat(compression->from, &status) != 0 ||
	    fchmod(compression->to, status.st_mode & 0777) != 0)
		return false;
	errno = ENOMEM;
	return compression->zstd != NULL &&
	       !ZSTD_isError(
	           ZSTD_CCtx_setParameter(compression->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(compression->zstd, ZSTD_c_checksumFlag, 1));
}

// The directory entry is on the disk before anybody removes the plain file. Some file systems cannot do
// this, and do not need it.
static void sync_directory_of(const char *path)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	int directory = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return;
	(void)fsync(directory);
	close(directory);
}

bool log_compress(const char *plain, const char *packed, struct error *error)
{
	char beside[PATH_MAX + sizeof LOG_COMPRESS_BESIDE];
	struct compression *compression = malloc(sizeof *compression);
	error_set(error, "%s: cannot be compressed: no memory", plain);
	if (compression == NULL)
		return false;
	compression->from = compression->to = -1;
	snprintf(beside, sizeof beside, "%s" LOG_COMPRESS_BESIDE, packed);
	bool good = open_all(compression, plain, beside) && pack_all(compression) &&
	            rename(beside, packed) == 0;
	if (good)
		sync_directory_of(packed);
	else
		error_set(error, "%s: cannot be compressed, and stays as it is: %s", plain,
		    strerror(errno));
	if (!good && compression->to >= 0)
		(void)unlink(beside);
	if (compression->from >= 0)
		close(compression->from);
	if (compression->to >= 0)
		close(compression->to);
	ZSTD_freeCCtx(compression->zstd);
	free(compression);
	return good;
}
