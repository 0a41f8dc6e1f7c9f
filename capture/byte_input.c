// SPDX-License-Identifier: Apache-2.0
// The bytes of a file or of standard input: opens it, tells its compression, reads it. Owns the
// descriptor, and for compressed input one buffer and the format's state.
#include "capture/byte_input.h"

#include "capture/decompressor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FIRST_MAX = 6, // bytes that tell the compression
	PACKED_MAX = 128 * 1024, // compressed bytes read at a time
	NAME_MAX_SHOWN = 200, // of a path in messages, so that the reason after it is never cut
};

#ifdef MAILTAP_WITH_ZLIB
#define GZIP &decompressor_gzip
#else
#define GZIP NULL
#endif
#ifdef MAILTAP_WITH_LIBZSTD
#define ZSTD &decompressor_zstd
#else
#define ZSTD NULL
#endif
#ifdef MAILTAP_WITH_LIBLZMA
#define XZ &decompressor_xz
#else
#define XZ NULL
#endif

struct compression {
	const char *name; // also of the program that undoes it with -dc
	const char *library;
	size_t magic_length;
	uint8_t magic[FIRST_MAX];
	const struct decompressor_ops *ops; // NULL: the library was not there at build time
};

static const struct compression compressions[] = {
    {"gzip", "zlib", 3, {0x1f, 0x8b, 8}, GZIP},
    {"zstd", "libzstd", 4, {0x28, 0xb5, 0x2f, 0xfd}, ZSTD},
    {"xz", "liblzma", 6, {0xfd, '7', 'z', 'X', 'Z', 0}, XZ},
};

struct byte_input {
	int descriptor;
	char name[NAME_MAX_SHOWN + 1];
	uint64_t taken; // bytes read from the descriptor
	uint64_t size;
	uint8_t first[FIRST_MAX]; // read at open, given out before anything else
	size_t first_count, first_given;
	// Compressed input only:
	const struct compression *compression; // NULL: plain
	struct unpacker *unpacker;
	uint8_t *packed_buffer;
	struct packed_bytes packed; // what is left in it
	bool packed_ended; // nothing follows it
	bool damaged; // found, and to be told once what came before is given out
	const char *damage;
};

static void set_name(struct byte_input *input, const char *target)
{
	size_t length = strlen(target);
	if (strcmp(target, "-") == 0)
		snprintf(input->name, sizeof input->name, "standard input");
	else if (length > NAME_MAX_SHOWN)
		snprintf(
		    input->name, sizeof input->name, "...%s", target + length - NAME_MAX_SHOWN + 3);
	else
		memcpy(input->name, target, length + 1);
}

// Opens the descriptor and refuses what can hold no capture.
static bool open_descriptor(struct byte_input *input, const char *target, struct error *error)
{
	bool standard_input = strcmp(target, "-") == 0;
	input->descriptor = standard_input ? STDIN_FILENO : open(target, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (input->descriptor < 0 || fstat(input->descriptor, &status) != 0) {
		error_set(error, "cannot open %s: %s", input->name, strerror(errno));
		return false;
	}
	if (S_ISDIR(status.st_mode)) {
		error_set(error, "cannot read %s: it is a directory, name a file in it",
		    input->name);
		return false;
	}
	if (standard_input && isatty(input->descriptor)) {
		error_set(error, "cannot read standard input: it is a terminal, "
		                 "redirect a capture file or the output of tcpdump -w - to it");
		return false;
	}
	if (S_ISREG(status.st_mode)) {
		off_t start = lseek(input->descriptor, 0, SEEK_CUR);
		if (start >= 0 && start < status.st_size)
			input->size = (uint64_t)(status.st_size - start);
		posix_fadvise(input->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return true;
}

static enum input_status read_descriptor(
    struct byte_input *input, uint8_t *into, size_t capacity, size_t *count, struct error *error)
{
	for (;;) {
		ssize_t got = read(input->descriptor, into, capacity);
		if (got >= 0) {
			input->taken += (uint64_t)got;
			*count = (size_t)got;
			return got > 0 ? INPUT_BYTES : INPUT_END;
		}
		struct pollfd wait = {.fd = input->descriptor, .events = POLLIN};
		if ((errno == EAGAIN || errno == EWOULDBLOCK) && poll(&wait, 1, -1) > 0)
			continue;
		if (errno == EINTR)
			return INPUT_INTERRUPTED;
		error_set(error, "cannot read %s after %llu bytes: %s", input->name,
		    (unsigned long long)input->taken, strerror(errno));
		return INPUT_FAILED;
	}
}

static enum input_status read_raw(
    struct byte_input *input, uint8_t *into, size_t capacity, size_t *count, struct error *error)
{
	size_t waiting = input->first_count - input->first_given;
	if (waiting == 0)
		return read_descriptor(input, into, capacity, count, error);
	*count = waiting < capacity ? waiting : capacity;
	memcpy(into, input->first + input->first_given, *count);
	input->first_given += *count;
	return INPUT_BYTES;
}

static bool read_first(struct byte_input *input, struct error *error)
{
	while (input->first_count < FIRST_MAX) {
		size_t count = 0;
		enum input_status status = read_descriptor(input, input->first + input->first_count,
		    FIRST_MAX - input->first_count, &count, error);
		if (status == INPUT_INTERRUPTED)
			error_set(error, "cannot read %s: interrupted before its first bytes came",
			    input->name);
		if (status == INPUT_INTERRUPTED || status == INPUT_FAILED)
			return false;
		if (status == INPUT_END)
			break;
		input->first_count += count;
	}
	return true;
}

static const struct compression *compression_of(const struct byte_input *input)
{
	for (size_t i = 0; i < sizeof compressions / sizeof compressions[0]; i++)
		if (input->first_count >= compressions[i].magic_length &&
		    memcmp(input->first, compressions[i].magic, compressions[i].magic_length) == 0)
			return &compressions[i];
	return NULL;
}

// Gets ready for compressed input.
static bool start_unpacking(struct byte_input *input, struct error *error)
{
	const struct compression *compression = input->compression;
	if (compression->ops == NULL) {
		error_set(error,
		    "cannot read %s: it is compressed with %s and this mailtap was built without "
		    "%s; "
		    "give it the output of %s -dc on standard input",
		    input->name, compression->name, compression->library, compression->name);
		return false;
	}
	input->packed_buffer = malloc(PACKED_MAX);
	input->unpacker = compression->ops->create();
	if (input->packed_buffer == NULL || input->unpacker == NULL) {
		error_set(error, "cannot read %s: no memory to decompress %s", input->name,
		    compression->name);
		return false;
	}
	return true;
}

struct byte_input *byte_input_open(const char *target, struct error *error)
{
	struct byte_input *input = calloc(1, sizeof *input);
	if (input == NULL) {
		error_set(error, "cannot open a capture file: no memory");
		return NULL;
	}
	input->descriptor = -1;
	set_name(input, target);
	if (!open_descriptor(input, target, error) || !read_first(input, error)) {
		byte_input_close(input);
		return NULL;
	}
	input->compression = compression_of(input);
	if (input->compression != NULL && !start_unpacking(input, error)) {
		byte_input_close(input);
		return NULL;
	}
	return input;
}

void byte_input_close(struct byte_input *input)
{
	if (input == NULL)
		return;
	if (input->unpacker != NULL)
		input->compression->ops->destroy(input->unpacker);
	free(input->packed_buffer);
	if (input->descriptor > STDIN_FILENO)
		close(input->descriptor);
	free(input);
}

static enum input_status fill_packed(struct byte_input *input, struct error *error)
{
	size_t count = 0;
	enum input_status status = read_raw(input, input->packed_buffer, PACKED_MAX, &count, error);
	if (status == INPUT_BYTES)
		input->packed = (struct packed_bytes){input->packed_buffer, count};
	input->packed_ended = status == INPUT_END;
	return status;
}

// What the end of the compressed bytes, or no way on in them, means.
static enum input_status finish(
    const struct byte_input *input, enum unpack_status status, struct error *error)
{
	const char *name = input->compression->name;
	if (input->damaged)
		error_set(error,
		    "%s: its %s data is damaged within the first %llu compressed bytes (%s); "
		    "everything before was read",
		    input->name, name, (unsigned long long)(input->taken - input->packed.left),
		    input->damage);
	else if (status == UNPACK_BETWEEN)
		return INPUT_END;
	else
		error_set(error,
		    "%s ends inside its %s data (%llu compressed bytes): the file was cut off; "
		    "everything before was read",
		    input->name, name, (unsigned long long)input->taken);
	return INPUT_FAILED;
}

static enum input_status read_unpacked(
    struct byte_input *input, uint8_t *into, size_t capacity, size_t *count, struct error *error)
{
	enum unpack_status status = UNPACK_INSIDE;
	while (!input->damaged) {
		if (input->packed.left == 0 && !input->packed_ended) {
			enum input_status raw = fill_packed(input, error);
			if (raw == INPUT_FAILED || raw == INPUT_INTERRUPTED)
				return raw;
		}
		struct unpacked_room room = {into, capacity};
		size_t packed_before = input->packed.left;
		status = input->compression->ops->run(
		    input->unpacker, &input->packed, &room, input->packed_ended, &input->damage);
		bool stuck = input->packed.left == packed_before && room.left == capacity;
		input->damaged = status == UNPACK_DAMAGED;
		if (stuck && packed_before > 0 && !input->damaged) {
			input->damaged = true;
			input->damage = "no way on";
		}
		*count = capacity - room.left;
		if (*count > 0)
			return INPUT_BYTES;
		if (stuck && input->packed_ended)
			break;
	}
	return finish(input, status, error);
}

enum input_status byte_input_read(
    struct byte_input *input, uint8_t *into, size_t capacity, size_t *count, struct error *error)
{
	if (input->compression != NULL)
		return read_unpacked(input, into, capacity, count, error);
	return read_raw(input, into, capacity, count, error);
}

int byte_input_descriptor(const struct byte_input *input)
{
	return input->descriptor;
}

const char *byte_input_name(const struct byte_input *input)
{
	return input->name;
}

uint64_t byte_input_taken(const struct byte_input *input)
{
	return input->taken;
}

uint64_t byte_input_size(const struct byte_input *input)
{
	return input->size;
}
