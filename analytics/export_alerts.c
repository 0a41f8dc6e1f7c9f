// SPDX-License-Identifier: Apache-2.0
// alerts.jsonl: one JSON object per piece of evidence, certain ones while their session still goes on, with
// the client networks that see the server stripped and those that do not. A busy middlebox does not fill
// the disk: alert_limit.h says which lines are left out and counted. Who looks at the run sees the same lines.
#include "analytics/alert_limit.h"
#include "analytics/exporter.h"
#include "analytics/json_evidence.h"
#include "analytics/live_state.h"
#include "analytics/record_outlet.h"
#include "analytics/session_id.h"

#include <stdlib.h>

struct alerts_export {
	struct record_outlet outlet;
	struct live_state *live; // NULL: nobody looks
	struct alert_limit *limit;
	uint64_t written, left_out;
	bool anonymised;
	struct json json;
};

static void *alerts_open(const struct exporter_settings *settings, struct error *error)
{
	if (!record_outlet_wanted(settings) && settings->live == NULL)
		return NULL;
	struct alerts_export *export = calloc(1, sizeof *export);
	if (export != NULL)
		export->limit = alert_limit_create(settings->alert_interval);
	if (export == NULL || export->limit == NULL) {
		error_set(error, "no memory for the alert log");
		free(export);
		return NULL;
	}
	export->anonymised = settings->anonymiser != NULL;
	export->live = settings->live;
	if (record_outlet_open(&export->outlet, settings, STORE_ALERTS, error))
		return export;
	alert_limit_destroy(export->limit);
	free(export);
	return NULL;
}

/* ---- values ---- */

static void write_network(struct json *json, const struct client_network *network)
{
	char text[CLIENT_NETWORK_TEXT_SIZE];
	client_network_text(text, network);
	json_name(json, text);
}

static void key_networks(struct json *json, const char *key, const char *count_key,
    const struct client_network *networks, size_t count)
{
	json_key(json, key);
	json_array_begin(json);
	for (size_t i = 0; i < count && i < PATH_LISTED_MAX; i++)
		write_network(json, &networks[i]);
	json_array_end(json);
	json_key_unsigned(json, count_key, count);
}

static void key_session(struct json *json, uint64_t id)
{
	char text[SESSION_ID_SIZE];
	session_id_text(text, id);
	json_key_name(json, "session_id", text);
}

/* ---- lines ---- */

// `count`: alerts that it stands for.
static bool write_line(struct alerts_export *export, uint64_t count, struct error *error)
{
	struct json *json = &export->json;
	json_object_end(json);
	if (!json->failed)
		live_state_alert(
		    export->live, view_of((const uint8_t *)json->text, json->length), count);
	json_line_end(json);
	if (!json->failed)
		return record_outlet_add(&export->outlet, json, error);
	error_set(error, "no memory to write an alert");
	return false;
}

static bool write_alert(struct alerts_export *export, const struct judged_session *judged,
    const struct evidence *evidence, uint32_t left_out, struct error *error)
{
	const struct session_record *record = judged->record;
	struct client_network network = client_network_of(&record->address[FROM_CLIENT]);
	struct json *json = &export->json;
	json_clear(json);
	json_object_begin(json);
	json_key(json, "time");
	json_time(json, record->end);
	key_session(json, session_id_of(record));
	json_mark(json, "anonymised", export->anonymised);
	json_keys_evidence(json, evidence);
	json_key_address(json, "client_ip", &record->address[FROM_CLIENT]);
	json_key_unsigned(json, "client_port", record->port[FROM_CLIENT]);
	json_key(json, "client_network");
	write_network(json, &network);
	json_key_address(json, "server_ip", &record->address[FROM_SERVER]);
	json_key_unsigned(json, "server_port", record->port[FROM_SERVER]);
	json_key_text(json, "server_name", record->session->server_name);
	key_networks(json, "networks_stripped", "networks_stripped_count",
	    judged->networks.stripped, judged->networks.stripped_count);
	key_networks(json, "networks_clean", "networks_clean_count", judged->networks.clean,
	    judged->networks.clean_count);
	json_key_unsigned(json, "left_out", left_out);
	return write_line(export, (uint64_t)left_out + 1, error);
}

// What was left out of a group since its last line.
static bool write_left_out(
    struct alerts_export *export, const struct alert_group *group, struct error *error)
{
	struct json *json = &export->json;
	json_clear(json);
	json_object_begin(json);
	json_key(json, "time");
	json_time(json, group->last);
	key_session(json, group->session_id);
	json_mark(json, "anonymised", export->anonymised);
	json_key_name(json, "kind", evidence_kind_name((enum evidence_kind)group->kind));
	json_key_name(json, "confidence", confidence_name((enum confidence)group->confidence));
	json_key_null(json, "client_ip");
	json_key_null(json, "client_port");
	json_key(json, "client_network");
	write_network(json, &group->network);
	json_key_address(json, "server_ip", &group->server);
	json_key_unsigned(json, "server_port", group->port);
	json_key_null(json, "server_name");
	json_key_unsigned(json, "left_out", group->left_out);
	return write_line(export, group->left_out, error);
}

static bool take_evidence(struct alerts_export *export, const struct judged_session *judged,
    const struct evidence *evidence, bool early, struct error *error)
{
	uint32_t left_out;
	struct alert_group displaced;
	enum alert_decision decision = alert_limit_decide(
	    export->limit, judged->record, evidence, early, &left_out, &displaced);
	if (displaced.left_out > 0 && !write_left_out(export, &displaced, error))
		return false;
	export->left_out += decision == ALERT_LEAVE_OUT;
	bool kept = export->outlet.log != NULL || export->outlet.store != NULL;
	export->written += decision == ALERT_WRITE && kept;
	return decision != ALERT_WRITE || write_alert(export, judged, evidence, left_out, error);
}

static bool alerts_session(void *exporter, const struct judged_session *judged, struct error *error)
{
	for (size_t i = 0; i < judged->evidence_count; i++)
		if (!take_evidence(exporter, judged, &judged->evidence[i], false, error))
			return false;
	return true;
}

// Only what is certain is told before the session ends.
static bool alerts_alert(void *exporter, const struct judged_session *judged, struct error *error)
{
	for (size_t i = 0; i < judged->evidence_count; i++)
		if (judged->evidence[i].confidence == CONFIDENCE_CONFIRMED &&
		    !take_evidence(exporter, judged, &judged->evidence[i], true, error))
			return false;
	return true;
}

// An alert does not wait for a block to fill.
static bool alerts_wait(void *exporter, struct error *error)
{
	struct alerts_export *export = exporter;
	return record_outlet_flush(&export->outlet, error);
}

static void alerts_written(const void *exporter, struct written_counters *counters)
{
	const struct alerts_export *export = exporter;
	counters->alerts += export->written;
	counters->alerts_left_out += export->left_out;
}

static bool alerts_end(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct alerts_export *export = exporter;
	struct alert_group group;
	bool good = true;
	(void)accounting;
	while (good && alert_limit_drain(export->limit, &group))
		good = write_left_out(export, &group, error);
	return good;
}

static bool alerts_close(
    void *exporter, const struct run_accounting *accounting, struct error *error)
{
	struct alerts_export *export = exporter;
	(void)accounting;
	bool good = record_outlet_close(&export->outlet, error);
	json_release(&export->json);
	alert_limit_destroy(export->limit);
	free(export);
	return good;
}

const struct exporter_ops alerts_exporter = {
    .name = "alerts",
    .open = alerts_open,
    .session = alerts_session,
    .alert = alerts_alert,
    .wait = alerts_wait,
    .written = alerts_written,
    .end = alerts_end,
    .close = alerts_close,
};
