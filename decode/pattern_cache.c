// SPDX-License-Identifier: Apache-2.0
#include "decode/pattern_cache.h"

#include "capture/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <hs.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_MAX = 64 << 20, // bytes
};

// At a file's beginning; the databases follow. In the byte order of the processor, which is in the key.
struct header {
	char magic[8];
	uint32_t format;
	uint32_t classes;
	uint8_t key[PATTERN_KEY_SIZE];
	uint64_t lengths[PATTERN_CLASSES]; // bytes; 0: no database
	uint64_t checksums[PATTERN_CLASSES]; // of the databases
	uint64_t checksum; // of all before it
};

static const char magic[8] = "mailtapP";

static bool path_of(
    char path[PATH_MAX], const char *directory, const uint8_t *key, const char *suffix)
{
	int length = snprintf(
	    path, PATH_MAX, "%s/patterns-%x%s", directory, key[0] % PATTERN_CACHE_SLOTS, suffix);
	return length > 0 && length < PATH_MAX;
}

// Against what happens to files by chance: who may write this one may write another checksum. Keyed, so that what was
// made of other patterns is none.
static uint64_t checksum_of(const uint8_t *key, const void *bytes, size_t size)
{
	struct hash_key words;
	memcpy(&words, key, sizeof words);
	return hash_bytes(&words, bytes, size);
}

static uint64_t checksum_of_header(const struct header *header, const uint8_t *key)
{
	return checksum_of(key, header, offsetof(struct header, checksum));
}

/* ---- reading ---- */

static bool is_our_own(int file, size_t *size)
{
	struct stat status;
	if (fstat(file, &status) != 0)
		return false;
	*size = (size_t)status.st_size;
	return S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
	       (status.st_mode & (S_IRWXG | S_IRWXO)) == 0 &&
	       status.st_size >= (off_t)sizeof(struct header) && status.st_size <= FILE_MAX;
}

static bool read_whole(int file, void *bytes, size_t size)
{
	for (size_t have = 0; have < size;) {
		ssize_t count = read(file, (uint8_t *)bytes + have, size - have);
		if (count == 0 || (count < 0 && errno != EINTR))
			return false;
		have += count > 0 ? (size_t)count : 0;
	}
	return true;
}

// `size`: of the file.
static bool is_good(const struct header *header, const uint8_t *key, size_t size)
{
	size_t left = size - sizeof(*header);
	if (memcmp(header->magic, magic, sizeof(magic)) != 0 ||
	    header->format != PATTERN_CACHE_FORMAT || header->classes != PATTERN_CLASSES ||
	    memcmp(header->key, key, sizeof(header->key)) != 0 ||
	    header->checksum != checksum_of_header(header, key))
		return false;
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		if (header->lengths[i] > left)
			return false;
		left -= header->lengths[i];
	}
	return left == 0;
}

// `size`: of all of them. They are read at once: what holds them is as large as others that the start needs behind it,
// and serves them, too.
static bool take_databases(int file, const struct header *header, size_t size, const uint8_t *key,
    hs_database_t *databases[PATTERN_CLASSES])
{
	char *bytes = malloc(size + 1), *at = bytes;
	bool good = bytes != NULL && read_whole(file, bytes, size);
	for (int i = 0; good && i < PATTERN_CLASSES; i++) {
		size_t length = header->lengths[i];
		good = length == 0 ||
		       (checksum_of(key, at, length) == header->checksums[i] &&
		           hs_deserialize_database(at, length, &databases[i]) == HS_SUCCESS);
		at += length;
	}
	free(bytes);
	return good;
}

static void free_databases(hs_database_t *databases[PATTERN_CLASSES])
{
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		hs_free_database(databases[i]);
		databases[i] = NULL;
	}
}

bool pattern_cache_load(const char *directory, const uint8_t key[PATTERN_KEY_SIZE],
    struct hs_database *databases[PATTERN_CLASSES])
{
	char path[PATH_MAX];
	size_t size;
	struct header header;
	memset(databases, 0, PATTERN_CLASSES * sizeof(*databases));
	if (!path_of(path, directory, key, ""))
		return false;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (file < 0)
		return false;
	bool good = is_our_own(file, &size) && read_whole(file, &header, sizeof(header)) &&
	            is_good(&header, key, size) &&
	            take_databases(file, &header, size - sizeof(header), key, databases);
	(void)close(file);
	if (!good)
		free_databases(databases);
	return good;
}

/* ---- writing ---- */

// The databases as bytes, to be given back with free_pieces. False: no memory.
struct pieces {
	char *bytes[PATTERN_CLASSES];
	size_t lengths[PATTERN_CLASSES];
};

static bool take_pieces(hs_database_t *const databases[PATTERN_CLASSES], struct pieces *pieces)
{
	for (int i = 0; i < PATTERN_CLASSES; i++)
		if (databases[i] != NULL && hs_serialize_database(databases[i], &pieces->bytes[i],
		                                &pieces->lengths[i]) != HS_SUCCESS)
			return false;
	return true;
}

static void free_pieces(struct pieces *pieces)
{
	for (int i = 0; i < PATTERN_CLASSES; i++)
		free(pieces->bytes[i]);
}

static struct header header_of(const uint8_t *key, const struct pieces *pieces)
{
	struct header header = {.format = PATTERN_CACHE_FORMAT, .classes = PATTERN_CLASSES};
	memcpy(header.magic, magic, sizeof(magic));
	memcpy(header.key, key, sizeof(header.key));
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		header.lengths[i] = pieces->lengths[i];
		header.checksums[i] = checksum_of(key, pieces->bytes[i], pieces->lengths[i]);
	}
	header.checksum = checksum_of_header(&header, key);
	return header;
}

// The whole file, to be freed. NULL: no memory.
static uint8_t *make_file(const uint8_t *key, const struct pieces *pieces, size_t *size)
{
	struct header header = header_of(key, pieces);
	*size = sizeof(header);
	for (int i = 0; i < PATTERN_CLASSES; i++)
		*size += pieces->lengths[i];
	uint8_t *bytes = malloc(*size), *at = bytes;
	if (bytes == NULL)
		return NULL;
	memcpy(bytes, &header, sizeof(header));
	at += sizeof(header);
	for (int i = 0; i < PATTERN_CLASSES; i++) {
		if (pieces->lengths[i] > 0)
			memcpy(at, pieces->bytes[i], pieces->lengths[i]);
		at += pieces->lengths[i];
	}
	return bytes;
}

static void make_directory(const char *directory)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s", directory) >= sizeof(path))
		return;
	for (char *c = path + 1; *c != '\0'; c++) {
		if (*c != '/')
			continue;
		*c = '\0';
		(void)mkdir(path, 0700);
		*c = '/';
	}
	(void)mkdir(path, 0700);
}

static bool write_whole(int file, const uint8_t *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t count = write(file, bytes + done, size - done);
		if (count < 0 && errno != EINTR)
			return false;
		done += count > 0 ? (size_t)count : 0;
	}
	return true;
}

// Beside its place first, then put there at once: who reads meanwhile has the old or the new one.
static void replace_file(
    const char *directory, const uint8_t *key, const uint8_t *bytes, size_t size)
{
	char path[PATH_MAX], beside[PATH_MAX];
	if (!path_of(path, directory, key, "") || !path_of(beside, directory, key, ".XXXXXX"))
		return;
	int file = mkostemp(beside, O_CLOEXEC); // 0600
	if (file < 0)
		return;
	bool written = write_whole(file, bytes, size);
	written = close(file) == 0 && written;
	if (!written || rename(beside, path) != 0)
		(void)unlink(beside);
}

void pattern_cache_store(const char *directory, const uint8_t key[PATTERN_KEY_SIZE],
    struct hs_database *const databases[PATTERN_CLASSES])
{
	struct pieces pieces = {0};
	size_t size = 0;
	uint8_t *bytes = take_pieces(databases, &pieces) ? make_file(key, &pieces, &size) : NULL;
	if (bytes != NULL && size <= FILE_MAX) {
		make_directory(directory);
		replace_file(directory, key, bytes, size);
	}
	free(bytes);
	free_pieces(&pieces);
}

bool pattern_cache_usual_directory(char *path, size_t size)
{
	const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");
	int length = 0;
	if (cache != NULL && cache[0] == '/')
		length = snprintf(path, size, "%s/mailtap", cache);
	else if (home != NULL && home[0] == '/')
		length = snprintf(path, size, "%s/.cache/mailtap", home);
	return length > 0 && (size_t)length < size;
}
