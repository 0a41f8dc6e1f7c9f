// SPDX-License-Identifier: Apache-2.0
#include "analytics/tls_rpt.h"

#include "analytics/atomic_file.h"
#include "analytics/bounded_map.h"
#include "analytics/chain_judge.h"
#include "analytics/json_fields.h"
#include "analytics/log_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	DOMAINS_MAX = 16384, // reports; sessions for further domains are in none
	DETAILS_MAX = 16384, // of all reports; further failures stand in their summary only
};

// RFC 8460 4.3; in the order of this table.
enum result {
	RESULT_NONE, // neither success nor failure
	RESULT_SUCCESS,
	RESULT_NOT_SUPPORTED,
	RESULT_HOST_MISMATCH,
	RESULT_EXPIRED,
	RESULT_NOT_TRUSTED,
	RESULT_OTHER,
};

struct domain {
	uint64_t successful, failed;
	nanoseconds first, last;
};

// The key of a detail: the domain and a NUL, then this.
struct detail_key {
	struct ip_address client, server;
	char host[HOST_NAME_MAX_BYTES + 1];
	uint8_t result, verdict, reason;
};

struct tls_rpt {
	struct bounded_map *domains; // name → struct domain
	struct bounded_map *details; // → uint64_t sessions
	uint64_t left_out; // sessions of further domains
};

void tls_rpt_destroy(struct tls_rpt *reports)
{
	if (reports == NULL)
		return;
	bounded_map_destroy(reports->domains);
	bounded_map_destroy(reports->details);
	free(reports);
}

struct tls_rpt *tls_rpt_create(struct error *error)
{
	struct tls_rpt *reports = calloc(1, sizeof *reports);
	if (reports != NULL) {
		reports->domains = bounded_map_create(sizeof(struct domain), DOMAINS_MAX);
		reports->details = bounded_map_create(sizeof(uint64_t), DETAILS_MAX);
		if (reports->domains != NULL && reports->details != NULL)
			return reports;
	}
	error_set(error, "no memory for TLS reports");
	tls_rpt_destroy(reports);
	return NULL;
}

/* ---- counting ---- */

// What the client refused, if it showed that it did.
static enum result refused_certificate(const struct session_facts *facts)
{
	if (facts->client_verifies != SEEN_YES || facts->faults == 0)
		return RESULT_OTHER;
	if ((facts->faults & FAULT_EXPIRED) != 0)
		return RESULT_EXPIRED;
	if ((facts->faults & (FAULT_SELF_SIGNED | FAULT_UNTRUSTED | FAULT_INCOMPLETE_CHAIN)) != 0)
		return RESULT_NOT_TRUSTED;
	return facts->faults == FAULT_NAME_MISMATCH ? RESULT_HOST_MISMATCH : RESULT_OTHER;
}

static enum result result_in_clear(const struct session_facts *facts)
{
	switch (facts->reason) {
	case REASON_NOT_OFFERED:
	case REASON_REFUSED:
		return RESULT_NOT_SUPPORTED;
	case REASON_TLS_FAILED:
		return refused_certificate(facts);
	case REASON_NONE:
		return facts->verdict == VERDICT_STRIPPED ? RESULT_NOT_SUPPORTED : RESULT_NONE;
	case REASON_NOT_REQUESTED:
	case REASON_CLEARTEXT_ON_TLS_PORT:
	case REASONS:
		break;
	}
	return RESULT_NONE;
}

static enum result result_of(const struct session_facts *facts)
{
	switch (facts->verdict) {
	case VERDICT_ENCRYPTED:
		return RESULT_SUCCESS;
	case VERDICT_CLEARTEXT:
	case VERDICT_STRIPPED:
		return result_in_clear(facts);
	case VERDICT_TLS_FAILED:
		return refused_certificate(facts);
	case VERDICT_NO_MAIL:
	case VERDICT_NOT_MAIL:
	case VERDICT_PARTIAL:
	case VERDICTS:
		break;
	}
	return RESULT_NONE;
}

static void count_detail(
    struct tls_rpt *reports, const struct session_facts *facts, enum result result)
{
	struct {
		struct operator_name domain;
		struct detail_key key;
	} whole;
	memset(&whole, 0, sizeof whole);
	const struct host_name *host =
	    facts->asked_name.text[0] != '\0' ? &facts->asked_name : &facts->server_name;
	whole.domain = facts->operator[FROM_SERVER];
	memcpy(whole.key.host, host->text, strlen(host->text));
	whole.key.client = facts->address[FROM_CLIENT];
	whole.key.server = facts->address[FROM_SERVER];
	whole.key.result = (uint8_t)result;
	whole.key.verdict = (uint8_t)facts->verdict;
	whole.key.reason = (uint8_t)facts->reason;
	uint64_t *sessions = bounded_map_at(reports->details, &whole, sizeof whole);
	if (sessions != NULL)
		++*sessions;
}

void tls_rpt_count(struct tls_rpt *reports, const struct session_facts *facts)
{
	enum result result = result_of(facts);
	const char *name = facts->operator[FROM_SERVER].text;
	if (facts->hop != HOP_RELAY || result == RESULT_NONE || !facts->server_operator_is_domain)
		return;
	struct domain *domain = bounded_map_at(reports->domains, name, strlen(name) + 1);
	if (domain == NULL) {
		reports->left_out++;
		return;
	}
	if (domain->successful + domain->failed == 0 || facts->start < domain->first)
		domain->first = facts->start;
	if (facts->end > domain->last)
		domain->last = facts->end;
	domain->successful += result == RESULT_SUCCESS;
	domain->failed += result != RESULT_SUCCESS;
	if (result != RESULT_SUCCESS)
		count_detail(reports, facts, result);
}

uint64_t tls_rpt_left_out(const struct tls_rpt *reports)
{
	return reports->left_out;
}

/* ---- writing ---- */

static const char organisation[] =
    "mailtap (third-party observation at a network tap; not the report of a sending MTA)";
static const char contact[] = "whoever runs the tap; written to a file, not sent to anyone";

static const char *result_name(enum result result)
{
	static const char *const names[] = {
	    [RESULT_NOT_SUPPORTED] = "starttls-not-supported",
	    [RESULT_HOST_MISMATCH] = "certificate-host-mismatch",
	    [RESULT_EXPIRED] = "certificate-expired",
	    [RESULT_NOT_TRUSTED] = "certificate-not-trusted",
	    [RESULT_OTHER] = "validation-failure",
	};
	return names[result];
}

static void write_detail(struct json *json, const struct detail_key *key, uint64_t sessions)
{
	const char *reason = reason_name((enum reason)key->reason);
	json_object_begin(json);
	json_key_name(json, "result-type", result_name((enum result)key->result));
	json_key_address(json, "sending-mta-ip", &key->client);
	if (key->host[0] != '\0')
		json_key_name(json, "receiving-mx-hostname", key->host);
	json_key_address(json, "receiving-ip", &key->server);
	json_key_unsigned(json, "failed-session-count", sessions);
	json_key_name(json, "failure-reason-code",
	    reason != NULL ? reason : verdict_name((enum verdict)key->verdict));
	json_object_end(json);
}

static void write_head(struct json *json, const char *name, const struct domain *domain)
{
	char id[HOST_NAME_MAX_BYTES + 80];
	snprintf(id, sizeof id, "third-party-observation!%s!%" PRId64 "!%" PRId64, name,
	    domain->first / SECONDS(1), domain->last / SECONDS(1));
	json_key_name(json, "organization-name", organisation);
	json_key(json, "date-range");
	json_object_begin(json);
	json_key(json, "start-datetime");
	json_time(json, domain->first);
	json_key(json, "end-datetime");
	json_time(json, domain->last);
	json_object_end(json);
	json_key_name(json, "contact-info", contact);
	json_key_name(json, "report-id", id);
}

static void write_policy(struct json *json, const char *name, const struct domain *domain)
{
	json_key(json, "policy");
	json_object_begin(json);
	json_key_name(json, "policy-type", "no-policy-found");
	json_key_name(json, "policy-domain", name);
	json_object_end(json);
	json_key(json, "summary");
	json_object_begin(json);
	json_key_unsigned(json, "total-successful-session-count", domain->successful);
	json_key_unsigned(json, "total-failure-session-count", domain->failed);
	json_object_end(json);
}

// Details in the order of their keys: those of a domain stand together.
struct details {
	const struct map_entry *entries;
	size_t count, at;
};

static void write_details(struct json *json, const char *name, struct details *details)
{
	json_key(json, "failure-details");
	json_array_begin(json);
	for (; details->at < details->count; details->at++) {
		const struct map_entry *entry = &details->entries[details->at];
		struct detail_key key;
		int order = strcmp(entry->key, name);
		if (order > 0)
			break;
		memcpy(&key, (const char *)entry->key + sizeof(struct operator_name), sizeof key);
		if (order == 0)
			write_detail(json, &key, *(const uint64_t *)entry->value);
	}
	json_array_end(json);
}

static bool write_report(struct json *json, const char *directory, const struct map_entry *entry,
    struct details *details, struct error *error)
{
	const char *name = entry->key;
	const struct domain *domain = entry->value;
	struct atomic_file file;
	char path[HOST_NAME_MAX_BYTES + 80];
	json_clear(json);
	json_object_begin(json);
	write_head(json, name, domain);
	json_key(json, "policies");
	json_array_begin(json);
	json_object_begin(json);
	write_policy(json, name, domain);
	write_details(json, name, details);
	json_object_end(json);
	json_array_end(json);
	json_object_end(json);
	json_line_end(json);
	if (json->failed) {
		error_set(error, "no memory to write a TLS report");
		return false;
	}
	// RFC 8460 5.1: who reports, on whom, from when, until when.
	snprintf(path, sizeof path, "mailtap!%s!%" PRId64 "!%" PRId64 ".json", name,
	    domain->first / SECONDS(1), domain->last / SECONDS(1));
	if (!atomic_file_begin(&file, directory, path, error))
		return false;
	fwrite(json->text, 1, json->length, file.out);
	return atomic_file_commit(&file, error);
}

static int by_key(const struct map_entry *one, const struct map_entry *other)
{
	(void)one;
	(void)other;
	return 0; // equal ones are put in the order of their keys
}

bool tls_rpt_write(const struct tls_rpt *reports, const char *directory, struct error *error)
{
	struct json json = {0};
	if (!log_directory_make(directory, error))
		return false;
	struct map_entry *domains = bounded_map_sorted(reports->domains, by_key);
	struct map_entry *entries = bounded_map_sorted(reports->details, by_key);
	struct details details = {entries, bounded_map_count(reports->details), 0};
	bool good = (domains != NULL || bounded_map_count(reports->domains) == 0) &&
	            (entries != NULL || details.count == 0);
	if (!good)
		error_set(error, "no memory to write TLS reports");
	for (size_t i = 0; good && i < bounded_map_count(reports->domains); i++)
		good = write_report(&json, directory, &domains[i], &details, error);
	json_release(&json);
	free(domains);
	free(entries);
	return good;
}
