// SPDX-License-Identifier: Apache-2.0
#include "analytics/trust_files.h"

#include "analytics/pem_reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX_BYTES = 512 << 20, FIRST_CAPACITY = 256 << 10 };

struct bytes {
	uint8_t *data;
	size_t length, capacity;
};

static bool grow(struct bytes *bytes)
{
	size_t capacity = bytes->capacity > 0 ? 2 * bytes->capacity : FIRST_CAPACITY;
	uint8_t *more = realloc(bytes->data, capacity);
	if (more == NULL)
		return false;
	bytes->data = more;
	bytes->capacity = capacity;
	return true;
}

// Reads all there is. False: errno says why not.
static bool read_to_end(int file, struct bytes *bytes)
{
	for (;;) {
		if (bytes->length == bytes->capacity && !grow(bytes))
			return false;
		ssize_t got =
		    read(file, bytes->data + bytes->length, bytes->capacity - bytes->length);
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return false;
		bytes->length += got > 0 ? (size_t)got : 0;
		if (bytes->length > FILE_MAX_BYTES) {
			errno = EFBIG;
			return false;
		}
	}
}

static bool read_whole(const char *path, struct bytes *bytes)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	bool good = read_to_end(file, bytes);
	int reason = errno;
	close(file);
	errno = reason;
	return good;
}

static void take(const struct trust_kind *kind, struct view der, struct trust_counts *counts)
{
	if (kind->take(kind->context, der))
		counts->taken++;
	else
		counts->damaged++;
}

static bool is_wanted(const struct trust_kind *kind, const struct pem_block *block)
{
	for (const char *const *wanted = kind->labels; *wanted != NULL; wanted++)
		if (pem_has_label(block, *wanted))
			return true;
	return false;
}

static void take_pem(
    const struct trust_kind *kind, const struct bytes *bytes, struct trust_counts *counts)
{
	struct view text = view_of(bytes->data, bytes->length);
	struct pem_block block;
	uint8_t *der = malloc(2 * bytes->length);
	while (der != NULL && pem_next(&text, &block)) {
		size_t length;
		if (block.ended && !is_wanted(kind, &block))
			continue;
		if (block.ended && pem_decode(block.body, der, &length))
			take(kind, view_of(der, length), counts);
		else
			counts->damaged++;
	}
	free(der);
}

// False: errno says why it cannot be read.
static bool read_one(const char *path, const struct trust_kind *kind, struct trust_counts *counts)
{
	struct bytes bytes = {0};
	bool good = read_whole(path, &bytes);
	int reason = errno;
	if (good && bytes.length > 0 && bytes.data[0] == 0x30) // SEQUENCE: DER
		take(kind, view_of(bytes.data, bytes.length), counts);
	else if (good)
		take_pem(kind, &bytes, counts);
	free(bytes.data);
	errno = reason;
	return good;
}

static void explain_nothing(const char *option, const char *path, const struct trust_kind *kind,
    const struct trust_counts *counts, struct error *error)
{
	if (counts->damaged > 0)
		error_set(error, "%s %s: no %s in it that can be read, %llu damaged", option, path,
		    kind->name, (unsigned long long)counts->damaged);
	else
		error_set(error, "%s %s: no %s in it (PEM is expected)", option, path, kind->name);
}

static void add_counts(struct trust_counts *sum, const struct trust_counts *one)
{
	sum->taken += one->taken;
	sum->damaged += one->damaged;
}

bool trust_file_read(const char *option, const char *path, const struct trust_kind *kind,
    struct trust_counts *counts, struct error *error)
{
	struct trust_counts own = {0};
	if (!read_one(path, kind, &own)) {
		error_set(error, "%s %s: %s", option, path, strerror(errno));
		return false;
	}
	add_counts(counts, &own);
	if (own.taken == 0)
		explain_nothing(option, path, kind, &own, error);
	return own.taken > 0;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

// One file of a directory; what is no file is passed over.
static void read_entry(const char *directory, const char *name, const struct trust_kind *kind,
    struct trust_counts *counts)
{
	char *path;
	struct stat status;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return;
	if (stat(path, &status) != 0)
		counts->damaged++; // a link that leads nowhere
	else if (S_ISREG(status.st_mode) && !read_one(path, kind, counts))
		counts->damaged++;
	free(path);
}

bool trust_directory_read(const char *option, const char *path, const struct trust_kind *kind,
    struct trust_counts *counts, struct error *error)
{
	struct trust_counts own = {0};
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort);
	if (count < 0) {
		error_set(error, "%s %s: %s", option, path, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		read_entry(path, entries[i]->d_name, kind, &own);
		free(entries[i]);
	}
	free(entries);
	add_counts(counts, &own);
	if (own.taken == 0)
		explain_nothing(option, path, kind, &own, error);
	return own.taken > 0;
}
