// SPDX-License-Identifier: Apache-2.0
#include "analytics/statistics_files.h"

#include "analytics/atomic_file.h"
#include "analytics/log_file.h"
#include "analytics/render.h"

#include <inttypes.h>

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

/* ---- metrics ---- */

static void write_metrics(void *context, const struct table_ops *table, const void *accumulator)
{
	if ((table->use & TABLE_LONG) == 0)
		render_metrics(context, table, accumulator);
}

static void write_accounting(FILE *out, const struct capture_accounting *accounting)
{
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++) {
		char name[64];
		snprintf(name, sizeof name, "mailtap_capture_%s", capture_counter_key(i));
		render_metric_head(out, name, NULL, capture_counter_help(i), true);
		fprintf(out, "%s_total %" PRIu64 "\n", name, accounting->counters[i]);
	}
}

bool statistics_write_metrics(const struct statistics *statistics,
    const struct capture_accounting *accounting, const char *path, struct error *error)
{
	struct atomic_file file;
	if (!atomic_file_begin(&file, NULL, path, error))
		return false;
	render_metric_head(file.out, "mailtap_build_info", NULL, "the version that counted", false);
	fputs("mailtap_build_info{version=\"" MAILTAP_VERSION "\"} 1\n", file.out);
	if (accounting != NULL)
		write_accounting(file.out, accounting);
	statistics_each(statistics, write_metrics, file.out);
	fputs("# EOF\n", file.out);
	return atomic_file_commit(&file, error);
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
	render_json(tables->json, table, accumulator);
}

void statistics_write_tables(struct json *json, const struct statistics *statistics, bool with_long)
{
	struct json_tables tables = {json, with_long};
	json_object_begin(json);
	statistics_each(statistics, write_table, &tables);
	json_object_end(json);
}
