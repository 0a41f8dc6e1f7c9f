// SPDX-License-Identifier: Apache-2.0
#include "analytics/clickhouse_batches.h"

#include "analytics/clickhouse_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	LINES_MAX = 32 << 20, // bytes of a file of lines; more is none that mailtap wrote
	LEVEL = 1, // of compression: most of what more would gain costs most of the time
};

// Where a line is, and what day it is of.
struct line {
	size_t at, length;
	uint32_t day;
};

struct batch_maker {
	int directory;
	struct shipper_status *status;
	struct store_record *record;
	struct row_text row;
	char *text; // the file
	size_t length;
	const char *sensor; // in its first line
	struct line *lines;
	size_t count, room;
};

struct batch_maker *batch_maker_create(int directory, struct shipper_status *status)
{
	struct batch_maker *maker = calloc(1, sizeof *maker);
	struct store_record *record = store_record_create();
	if (maker == NULL || record == NULL) {
		store_record_destroy(record);
		free(maker);
		return NULL;
	}
	maker->directory = directory;
	maker->status = status;
	maker->record = record;
	return maker;
}

void batch_maker_destroy(struct batch_maker *maker)
{
	if (maker == NULL)
		return;
	store_record_destroy(maker->record);
	free(maker->row.bytes);
	free(maker->lines);
	free(maker->text);
	free(maker);
}

static bool fail(struct error *error, const struct spool_file *file, const char *what)
{
	char name[SPOOL_NAME_MAX];
	const char *why = strerror(errno);
	spool_file_name(name, file);
	error_set(error, "--store-spool: %s: %s: %s", name, what, why);
	return false;
}

/* ---- reading lines ---- */

static bool read_whole(struct batch_maker *maker, int file)
{
	struct stat status;
	if (fstat(file, &status) != 0)
		return false;
	size_t size = status.st_size < LINES_MAX ? (size_t)status.st_size : LINES_MAX;
	free(maker->text);
	maker->length = 0;
	maker->text = malloc(size + 1);
	while (maker->text != NULL && maker->length < size) {
		ssize_t got = read(file, maker->text + maker->length, size - maker->length);
		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			return false;
		maker->length += got > 0 ? (size_t)got : 0;
	}
	return maker->text != NULL;
}

static bool read_file(
    struct batch_maker *maker, const struct spool_file *lines, struct error *error)
{
	char name[SPOOL_NAME_MAX];
	spool_file_name(name, lines);
	int file = openat(maker->directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool good = file >= 0 && read_whole(maker, file);
	if (!good)
		fail(error, lines, "cannot be read");
	if (file >= 0)
		close(file);
	return good;
}

// A record, read; its values are good until the next one is.
static enum store_reading read_record(
    struct batch_maker *maker, enum store_table_id table, const struct line *line)
{
	return store_record_read(
	    maker->record, &store_tables[table], maker->text + line->at, line->length);
}

static bool add_line(struct batch_maker *maker, enum store_table_id table, size_t at, size_t length)
{
	if (maker->count == maker->room) {
		size_t room = maker->room == 0 ? 1024 : maker->room * 2;
		struct line *lines = realloc(maker->lines, room * sizeof *lines);
		if (lines == NULL)
			return false;
		maker->lines = lines;
		maker->room = room;
	}
	struct line line = {.at = at, .length = length};
	enum store_reading reading = read_record(maker, table, &line);
	if (reading == STORE_LINE_DAMAGED) {
		maker->status->damaged[table]++;
		return true;
	}
	if (reading == STORE_LINE_IN_PART)
		maker->status->in_part[table]++;
	line.day = clickhouse_row_day(&store_tables[table], store_record_values(maker->record));
	maker->lines[maker->count++] = line;
	return true;
}

// The sensor, and where the lines are. What a kill left torn at the end is none.
static bool find_lines(struct batch_maker *maker, enum store_table_id table)
{
	char *end = memchr(maker->text, '\n', maker->length);
	maker->count = 0;
	maker->sensor = "";
	if (end == NULL)
		return true;
	*end = '\0';
	maker->sensor = maker->text;
	size_t at = (size_t)(end - maker->text) + 1;
	while (at < maker->length &&
	       (end = memchr(maker->text + at, '\n', maker->length - at)) != NULL) {
		size_t length = (size_t)(end - maker->text) - at;
		if (length > 0 && !add_line(maker, table, at, length))
			return false;
		at += length + 1;
	}
	return true;
}

static int by_day(const void *one, const void *other)
{
	const struct line *a = one, *b = other;
	int order = (a->day > b->day) - (a->day < b->day);
	return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* ---- writing batches ---- */

static bool write_rows(
    struct batch_maker *maker, const struct spool_file *batch, gzFile out, const struct line *first)
{
	char name[SPOOL_NAME_MAX];
	spool_batch_name(name, batch);
	for (uint32_t i = 0; i < batch->rows; i++) {
		(void)read_record(maker, batch->table, &first[i]); // it was good before
		clickhouse_row(&maker->row, &store_tables[batch->table],
		    store_record_values(maker->record), name, maker->sensor);
		if (maker->row.failed || gzwrite(out, maker->row.bytes,
		                             (unsigned)maker->row.length) != (int)maker->row.length)
			return false;
	}
	return true;
}

// The file is on the disk before its name says that it is whole.
static bool write_file(
    struct batch_maker *maker, const struct spool_file *batch, int file, const struct line *first)
{
	int other = dup(file); // gzclose closes one
	gzFile out = other >= 0 ? gzdopen(other, "wb") : NULL;
	if (out == NULL && other >= 0)
		close(other);
	if (out == NULL)
		return false;
	bool good = gzsetparams(out, LEVEL, Z_DEFAULT_STRATEGY) == Z_OK &&
	            write_rows(maker, batch, out, first);
	good &= gzclose(out) == Z_OK;
	return good && fsync(file) == 0;
}

static bool write_batch(struct batch_maker *maker, const struct spool_file *batch,
    const struct line *first, struct error *error)
{
	char name[SPOOL_NAME_MAX];
	spool_file_name(name, batch);
	int file = openat(
	    maker->directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	bool good = file >= 0 && write_file(maker, batch, file, first);
	if (!good)
		fail(error, batch, "cannot be written");
	if (file >= 0)
		close(file);
	return good;
}

// The batch that begins with this line, and how many lines it has.
static struct spool_file batch_from(
    const struct batch_maker *maker, const struct spool_file *lines, size_t first)
{
	struct spool_file batch = *lines;
	batch.stage = SPOOL_HALF;
	batch.day = maker->lines[first].day;
	batch.rows = 0;
	while (
	    first + batch.rows < maker->count && maker->lines[first + batch.rows].day == batch.day)
		batch.rows++;
	return batch;
}

static bool write_all(
    struct batch_maker *maker, const struct spool_file *lines, struct error *error)
{
	for (size_t i = 0; i < maker->count;) {
		struct spool_file batch = batch_from(maker, lines, i);
		if (!write_batch(maker, &batch, &maker->lines[i], error))
			return false;
		i += batch.rows;
	}
	return true;
}

// Names say that they are whole; only then the lines go, and only then any of them is sent.
static bool name_all(struct batch_maker *maker, const struct spool_file *lines, struct error *error)
{
	for (size_t i = 0; i < maker->count;) {
		struct spool_file batch = batch_from(maker, lines, i);
		i += batch.rows;
		if (!spool_move(maker->directory, &batch, SPOOL_BATCH))
			return fail(error, &batch, "cannot be renamed");
	}
	if (fsync(maker->directory) != 0 || !spool_remove(maker->directory, lines))
		return fail(error, lines, "cannot be removed");
	return true;
}

bool batch_maker_make(
    struct batch_maker *maker, const struct spool_file *lines, struct error *error)
{
	error_set(error, "no memory to make a batch for ClickHouse");
	if (!read_file(maker, lines, error) || !find_lines(maker, lines->table))
		return false;
	if (maker->count > 1)
		qsort(maker->lines, maker->count, sizeof *maker->lines, by_day);
	bool good = write_all(maker, lines, error) && name_all(maker, lines, error);
	free(maker->text);
	maker->text = NULL;
	return good;
}

bool batches_tidy(int directory, bool open, struct error *error)
{
	struct spool_list list;
	bool good = spool_list_read(&list, directory, error);
	for (size_t i = 0; good && i < list.count; i++) {
		struct spool_file *file = &list.files[i];
		if (file->stage == SPOOL_OPEN && open)
			good = spool_move(directory, file, SPOOL_LINES);
		else if (file->stage == SPOOL_HALF)
			good = spool_remove(directory, file);
		if (!good)
			fail(error, file, "cannot be tidied up");
	}
	spool_list_free(&list);
	return good;
}
