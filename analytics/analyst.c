// SPDX-License-Identifier: Apache-2.0
#include "analytics/analyst.h"

#include "analytics/twin_store.h"

#include <stdlib.h>

enum { PATH_VIEW_SERVERS = 64 * 1024 }; // remembered at a time

struct analyst {
	struct analyst_options options;
	struct client_memory *clients;
	struct path_view *paths;
	struct twin_store *twins;
	struct tls_suite_memory suites;
	uint64_t copies_parted;
};

struct analyst *analyst_create(const struct analyst_options *options, struct error *error)
{
	struct analyst *analyst = calloc(1, sizeof *analyst);
	error_set(error, "no memory for what is known of clients and paths");
	if (analyst == NULL)
		return NULL;
	analyst->options = *options;
	analyst->clients = client_memory_create(0);
	analyst->paths = path_view_create(PATH_VIEW_SERVERS);
	analyst->twins = twin_store_create();
	if (analyst->clients != NULL && analyst->paths != NULL && analyst->twins != NULL)
		return analyst;
	analyst_destroy(analyst);
	return NULL;
}

void analyst_destroy(struct analyst *analyst)
{
	if (analyst == NULL)
		return;
	twin_store_destroy(analyst->twins);
	path_view_destroy(analyst->paths);
	client_memory_destroy(analyst->clients);
	free(analyst);
}

/* ---- judging ---- */

// The port for TLS from the start of what is spoken on this one; 0: there is none, or this is it.
static uint16_t implicit_port(uint16_t port)
{
	switch (port) {
	case 25:
	case 587:
		return 465;
	case 143:
		return 993;
	case 110:
		return 995;
	default:
		return 0;
	}
}

// What was known before a session, and what the detectors make of it: the evidence points into both.
struct examination {
	struct server_history server, implicit;
	struct client_history client;
	struct path_history path;
	struct evidence found[EVIDENCE_KINDS];
};

static void recall(
    struct analyst *analyst, const struct session_record *record, struct examination *known)
{
	uint16_t implicit = implicit_port(record->port[FROM_SERVER]);
	struct server_memory *servers = analyst->options.servers;
	known->implicit = (struct server_history){.known = false};
	server_memory_recall(servers, record, &known->server);
	if (implicit != 0)
		server_memory_recall_port(
		    servers, &record->address[FROM_SERVER], implicit, &known->implicit);
	client_memory_recall(analyst->clients, record, &known->client);
	known->path = path_view_recall(analyst->paths, record);
}

static void judge_session(struct analyst *analyst, const struct session_record *record,
    const struct session_record *twin, struct examination *known, struct judged_session *judged)
{
	const struct analyst_options *options = &analyst->options;
	recall(analyst, record, known);
	*judged = (struct judged_session){
	    .record = record,
	    .judgement = judge(record),
	    .certificates = certificate_judge_session(options->certificates, record),
	    .patterns = pattern_findings_of(options->patterns, record),
	    .quality = tls_quality_of(&record->session->tls, &analyst->suites),
	    .evidence = known->found,
	};
	// A server of which no fingerprints are known is compared with none.
	bool comparable = known->server.capabilities_fingerprint != 0 &&
	                  known->server.banner_fingerprint != 0;
	if (comparable)
		judged->likeness = (struct server_likeness){.read = true,
		    .capabilities = server_capabilities_fingerprint(options->servers, record),
		    .banner = server_banner_fingerprint(options->servers, record)};
	const struct detector_input input = {
	    .record = record,
	    .judgement = &judged->judgement,
	    .certificates = &judged->certificates,
	    .patterns = &judged->patterns,
	    .server = &known->server,
	    .implicit = &known->implicit,
	    .client = &known->client,
	    .path = &known->path,
	    .capabilities_fingerprint = judged->likeness.capabilities,
	    .banner_fingerprint = judged->likeness.banner,
	    .twin = twin,
	};
	judged->evidence_count = detectors_run(&input, known->found);
	judged->judgement =
	    judge_evidence(record, judged->judgement, known->found, judged->evidence_count);
}

static enum path_mark mark_of(const struct judged_session *judged)
{
	if (judged->judgement.verdict == VERDICT_STRIPPED)
		return PATH_STRIPPED;
	return judged->evidence_count > 0 ? PATH_DOUBTFUL : PATH_UNTOUCHED;
}

static void remember(struct analyst *analyst, const struct judged_session *judged)
{
	server_memory_note(analyst->options.servers, judged);
	client_memory_note(analyst->clients, judged);
	path_view_note(analyst->paths, judged->record, mark_of(judged));
}

static void conclude(
    struct analyst *analyst, const struct session_record *record, const struct session_record *twin)
{
	struct examination known;
	struct judged_session judged;
	judge_session(analyst, record, twin, &known, &judged);
	remember(analyst, &judged);
	if (judged.evidence_count > 0)
		judged.networks = path_view_networks(analyst->paths, record, mark_of(&judged));
	analyst->options.sinks.on_session(analyst->options.sinks.context, &judged);
}

// Something certain was seen, or a client that gets no answer: told of, but nothing is remembered of a session
// that still goes on but that the client tried.
static void look_early(struct analyst *analyst, const struct session_record *record)
{
	struct examination known;
	struct judged_session judged;
	judge_session(analyst, record, NULL, &known, &judged);
	client_memory_note(analyst->clients, &judged);
	if (judged.evidence_count == 0)
		return;
	judged.networks = path_view_networks(analyst->paths, record, mark_of(&judged));
	analyst->options.sinks.on_alert(analyst->options.sinks.context, &judged);
}

void analyst_session(struct analyst *analyst, const struct session_record *record)
{
	if (record->end_reason == END_STILL_OPEN) {
		look_early(analyst, record);
		return;
	}
	const struct session_record *twin = twin_store_take(analyst->twins, record);
	if (twin != NULL) {
		const struct session_record *better = twin_better(twin, record);
		conclude(analyst, better, better == record ? twin : record);
		return;
	}
	const struct session_record *released;
	if (!record->twin_live || !twin_store_hold(analyst->twins, record, &released)) {
		conclude(analyst, record, NULL);
		return;
	}
	if (released == NULL)
		return;
	analyst->copies_parted++;
	conclude(analyst, released, NULL);
}

void analyst_finish(struct analyst *analyst)
{
	const struct session_record *record;
	while ((record = twin_store_drain(analyst->twins)) != NULL)
		conclude(analyst, record, NULL);
}

struct analyst_counters analyst_counters(const struct analyst *analyst)
{
	return (struct analyst_counters){
	    .clients = client_memory_counters(analyst->clients),
	    .paths = path_view_counters(analyst->paths),
	    .copies_parted = analyst->copies_parted,
	};
}
