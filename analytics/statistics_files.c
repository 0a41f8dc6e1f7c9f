// SPDX-License-Identifier: Apache-2.0
#include "analytics/statistics_files.h"

#include "analytics/atomic_file.h"
#include "analytics/log_file.h"
#include "analytics/render.h"

/* ---- CSV ---- */

struct csv_files {
	const char *directory;
	struct error *error;
	bool failed;
};

static void write_csv(void *context, const struct table_ops *table, const void *accumulator)
{
	struct csv_files *files = context;
	struct atomic_file file;
	char name[64];
	snprintf(name, sizeof name, "%s.csv", table->name);
	if (files->failed)
		return;
	files->failed = !atomic_file_begin(&file, files->directory, name, files->error);
	if (files->failed)
		return;
	render_csv(file.out, table, accumulator);
	files->failed = !atomic_file_commit(&file, files->error);
}

bool statistics_write_csv(
    const struct statistics *statistics, const char *directory, struct error *error)
{
	struct csv_files files = {directory, error, false};
	if (!log_directory_make(directory, error))
		return false;
	statistics_each(statistics, write_csv, &files);
	return !files.failed;
}

/* ---- JSON ---- */

struct json_tables {
	struct json *json;
	bool with_long;
};

static void write_table(void *context, const struct table_ops *table, const void *accumulator)
{
	const struct json_tables *tables = context;
	if (!tables->with_long && (table->use & TABLE_LONG) != 0)
		return;
	json_key(tables->json, table->name);
	render_json(tables->json, table, accumulator, 0);
}

void statistics_write_tables(struct json *json, const struct statistics *statistics, bool with_long)
{
	struct json_tables tables = {json, with_long};
	json_object_begin(json);
	statistics_each(statistics, write_table, &tables);
	json_object_end(json);
}
