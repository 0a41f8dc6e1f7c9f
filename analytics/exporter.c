// SPDX-License-Identifier: Apache-2.0
#include "analytics/exporter.h"

#include "analytics/anonymise_key.h"
#include "analytics/anonymise_session.h"
#include "analytics/store.h"

#include <stdlib.h>

// A new exporter is one file and one row.
static const struct exporter_ops *const table[] = {
    &sessions_exporter,
    &alerts_exporter,
    &certificates_exporter,
    &certificate_files_exporter,
    &messages_exporter,
    &domains_exporter,
    &lookups_exporter,
    &statistics_exporter,
    &summary_exporter,
};

enum { EXPORTERS = sizeof table / sizeof table[0] };

struct exporters {
	struct exporter_settings settings;
	struct whereabouts_tables *tables;
	struct session_anonymiser *sessions; // NULL: addresses are the real ones
	struct judged_session shown; // what exporters get of a session
	void *open[EXPORTERS]; // NULL: not asked for, or failed
	struct error error; // the first failure
	bool failed;
};

bool exporter_goes_on(const struct exporter_settings *settings, bool good, bool *failing,
    const struct error *error)
{
	if (!good && settings->stay_up && !*failing)
		settings->tell(error);
	*failing = !good;
	return good || settings->stay_up;
}

// The first one is the caller's to tell. Of a run that stays up each output says what it has lost, if it did not yet.
static void note_failure(struct exporters *exporters, const struct error *error)
{
	if (exporters->error.text[0] == '\0')
		exporters->error = *error; // empty: it has been told
	else if (exporters->settings.stay_up && error->text[0] != '\0')
		exporters->settings.tell(error);
	exporters->failed = true;
}

// What several exporters write to.
static bool open_store(struct exporters *exporters, struct error *error)
{
	struct exporter_settings *settings = &exporters->settings;
	if (settings->store_settings == NULL)
		return true;
	settings->store = store_open(settings->store_settings, error);
	return settings->store != NULL;
}

// What changes a session on its way to the exporters.
static bool open_passage(struct exporters *exporters, struct error *error)
{
	struct exporter_settings *settings = &exporters->settings;
	exporters->tables =
	    whereabouts_open(settings->asn_table, settings->country_table, error);
	if (exporters->tables == NULL || settings->anonymisation_key == NULL)
		return exporters->tables != NULL;
	settings->anonymiser = anonymiser_open(settings->anonymisation_key, error);
	if (settings->anonymiser == NULL)
		return false;
	exporters->sessions = session_anonymiser_create(settings->anonymiser);
	error_set(error, "no memory to anonymise addresses");
	return exporters->sessions != NULL;
}

static bool open_all(struct exporters *exporters, struct error *error)
{
	for (size_t i = 0; i < EXPORTERS; i++) {
		error->text[0] = '\0';
		exporters->open[i] = table[i]->open(&exporters->settings, error);
		if (exporters->open[i] == NULL && error->text[0] != '\0')
			return false;
	}
	return true;
}

struct exporters *exporters_open(const struct exporter_settings *settings, struct error *error)
{
	struct error ignored;
	struct exporters *exporters = calloc(1, sizeof *exporters);
	if (exporters == NULL) {
		error_set(error, "no memory for the output");
		return NULL;
	}
	exporters->settings = *settings;
	if (open_passage(exporters, error) && open_store(exporters, error) &&
	    open_all(exporters, error))
		return exporters;
	exporters_close(exporters, NULL, &ignored);
	return NULL;
}

// The one place where sessions leave for the outputs. NULL: it must not.
static const struct judged_session *show(
    struct exporters *exporters, const struct judged_session *session)
{
	struct error error;
	exporters->shown = *session;
	for (int side = FROM_CLIENT; side <= FROM_SERVER; side++)
		exporters->shown.where[side] =
		    whereabouts_of(exporters->tables, &session->record->address[side]);
	if (exporters->sessions == NULL)
		return &exporters->shown;
	const struct judged_session *other =
	    anonymise_session(exporters->sessions, &exporters->shown);
	if (other == NULL) {
		error_set(&error, "no memory to anonymise addresses");
		note_failure(exporters, &error);
	}
	return other;
}

bool exporters_session(struct exporters *exporters, const struct judged_session *judged)
{
	const struct judged_session *session = show(exporters, judged);
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->session != NULL &&
		    !table[i]->session(exporters->open[i], session, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_alert(struct exporters *exporters, const struct judged_session *judged)
{
	const struct judged_session *session = show(exporters, judged);
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

bool exporters_domain(
    struct exporters *exporters, const struct json *line, const struct domain_facts *facts)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->domain != NULL &&
		    !table[i]->domain(exporters->open[i], line, facts, &error))
			note_failure(exporters, &error);
	}
	return !exporters->failed;
}

bool exporters_lookups(
    struct exporters *exporters, const struct json *line, const struct lookup_facts *facts)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->lookups != NULL &&
		    !table[i]->lookups(exporters->open[i], line, facts, &error))
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
	counters.store = store_counters(exporters->settings.store);
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

bool exporters_wait(struct exporters *exporters)
{
	for (size_t i = 0; i < EXPORTERS && !exporters->failed; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->wait != NULL &&
		    !table[i]->wait(exporters->open[i], &error))
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
	struct error error;
	if (!exporters->failed && !store_flush(exporters->settings.store, &error))
		note_failure(exporters, &error);
	return !exporters->failed;
}

bool exporters_reload(struct exporters *exporters, struct error *error)
{
	const struct exporter_settings *settings = &exporters->settings;
	struct error reason;
	struct whereabouts_tables *tables =
	    whereabouts_open(settings->asn_table, settings->country_table, &reason);
	if (tables == NULL) {
		error_set(error, "networks and countries stay as they were: %s", reason.text);
		return false;
	}
	whereabouts_close(exporters->tables);
	exporters->tables = tables;
	return true;
}

static void give_last_records(struct exporters *exporters, const struct run_accounting *accounting)
{
	for (size_t i = 0; i < EXPORTERS; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL && table[i]->end != NULL &&
		    !table[i]->end(exporters->open[i], accounting, &error))
			note_failure(exporters, &error);
	}
}

static void end_store(struct exporters *exporters, struct store_counters *counters)
{
	struct error error;
	if (!store_finish(exporters->settings.store, counters, &error))
		note_failure(exporters, &error);
	exporters->settings.store = NULL;
}

static void close_all(struct exporters *exporters, const struct run_accounting *accounting)
{
	for (size_t i = 0; i < EXPORTERS; i++) {
		struct error error = {""};
		if (exporters->open[i] != NULL &&
		    !table[i]->close(exporters->open[i], accounting, &error))
			note_failure(exporters, &error);
	}
}

bool exporters_close(
    struct exporters *exporters, const struct run_accounting *accounting, struct error *error)
{
	struct run_accounting whole;
	if (accounting != NULL)
		give_last_records(exporters, accounting);
	struct written_counters written = exporters_written(exporters);
	end_store(exporters, &written.store);
	if (accounting != NULL) {
		whole = *accounting;
		whole.written = written;
		accounting = &whole;
	}
	close_all(exporters, accounting);
	bool good = !exporters->failed;
	*error = exporters->error;
	session_anonymiser_destroy(exporters->sessions);
	anonymiser_destroy(exporters->settings.anonymiser);
	whereabouts_close(exporters->tables);
	free(exporters);
	return good;
}
