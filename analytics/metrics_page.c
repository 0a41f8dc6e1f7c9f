// SPDX-License-Identifier: Apache-2.0
#include "analytics/metrics_page.h"

#include "analytics/atomic_file.h"
#include "analytics/render.h"

#include <inttypes.h>

static void write_table(void *context, const struct table_ops *table, const void *accumulator)
{
	if ((table->use & TABLE_LONG) == 0)
		render_metrics(context, table, accumulator);
}

static void write_capture(FILE *out, const struct capture_accounting *accounting)
{
	for (size_t i = 0; i < CAPTURE_COUNTERS; i++) {
		char name[64];
		snprintf(name, sizeof name, "mailtap_capture_%s", capture_counter_key(i));
		render_metric_head(out, name, NULL, capture_counter_help(i), true);
		fprintf(out, "%s_total %" PRIu64 "\n", name, accounting->counters[i]);
	}
}

void metrics_page_write(const struct metrics_page *page, FILE *out)
{
	render_metric_head(out, "mailtap_build_info", NULL, "the version that counted", false);
	fputs("mailtap_build_info{version=\"" MAILTAP_VERSION "\"} 1\n", out);
	if (page->capture != NULL)
		write_capture(out, page->capture);
	if (page->run != NULL)
		metrics_of_run_write(page->run, out);
	statistics_each(page->statistics, write_table, out);
	fputs("# EOF\n", out);
}

bool metrics_page_save(const struct metrics_page *page, const char *path, struct error *error)
{
	struct atomic_file file;
	if (!atomic_file_begin(&file, NULL, path, error))
		return false;
	metrics_page_write(page, file.out);
	return atomic_file_commit(&file, error);
}
