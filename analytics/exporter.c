// SPDX-License-Identifier: Apache-2.0
#include "analytics/exporter.h"

#include <stdlib.h>

// A new exporter is one file and one row.
static const struct exporter_ops *const table[] = {
    &sessions_exporter,
    &alerts_exporter,
    &certificates_exporter,
    &certificate_files_exporter,
    &statistics_exporter,
    &summary_exporter,
};

enum { EXPORTERS = sizeof table / sizeof table[0] };

struct exporters {
	void *open[EXPORTERS]; // NULL: not asked for, or failed
	struct error error; // the first failure
	bool failed;
};

static void note_failure(struct exporters *exporters, const struct error *error)
{
	if (!exporters->failed)
		exporters->error = *error;
	exporters->failed = true;
}

struct exporters *exporters_open(const struct exporter_settings *settings, struct error *error)
{
	struct exporters *exporters = calloc(1, sizeof *exporters);
	if (exporters == NULL) {
		error_set(error, "no memory for the output");
		return NULL;
	}
	for (size_t i = 0; i < EXPORTERS; i++) {
		error->text[0] = '\0';
		exporters->open[i] = table[i]->open(settings, error);
		if (exporters->open[i] == NULL && error->text[0] != '\0') {
			struct error ignored;
			exporters_close(exporters, NULL, &ignored);
			return NULL;
		}
	}
	return exporters;
}

bool exporters_session(struct exporters *exporters, const struct judged_session *session)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->session != NULL &&
		    !table[i]->session(exporters->open[i], session, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_alert(struct exporters *exporters, const struct judged_session *session)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->alert != NULL &&
		    !table[i]->alert(exporters->open[i], session, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_certificate(struct exporters *exporters, const struct certificate *certificate)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->certificate != NULL &&
		    !table[i]->certificate(exporters->open[i], certificate, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_interval(struct exporters *exporters, const struct ended_interval *interval)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->interval != NULL &&
		    !table[i]->interval(exporters->open[i], interval, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

struct written_counters exporters_written(const struct exporters *exporters)
{
	struct written_counters counters = {0};
	for (size_t i = 0; i < EXPORTERS; i++)
		if (exporters->open[i] != NULL && table[i]->written != NULL)
			table[i]->written(exporters->open[i], &counters);
	return counters;
}

void exporters_metrics(
    const struct exporters *exporters, const struct run_accounting *accounting, FILE *out)
{
	for (size_t i = 0; i < EXPORTERS; i++)
		if (exporters->open[i] != NULL && table[i]->metrics != NULL)
			table[i]->metrics(exporters->open[i], accounting, out);
}

bool exporters_so_far(struct exporters *exporters, const struct run_accounting *accounting)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->so_far != NULL &&
		    !table[i]->so_far(exporters->open[i], accounting, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_second(struct exporters *exporters)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->second != NULL &&
		    !table[i]->second(exporters->open[i], &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

void exporters_reload(struct exporters *exporters, void (*tell)(const struct error *what))
{
	for (size_t i = 0; i < EXPORTERS; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->reload != NULL &&
		    !table[i]->reload(exporters->open[i], &error))
			tell(&error);
	}
}

bool exporters_close(
    struct exporters *exporters, const struct run_accounting *accounting, struct error *error)
{
	for (size_t i = 0; i < EXPORTERS; i++) {
		struct error closing = {""};
		if (exporters->open[i] != NULL &&
		    !table[i]->close(exporters->open[i], accounting, &closing))
			note_failure(exporters, &closing);
	}
	bool good = !exporters->failed;
	*error = exporters->error;
	free(exporters);
	return good;
}
