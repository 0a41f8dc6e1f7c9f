// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_view.h"

#include "analytics/anonymise.h"
#include "analytics/anonymise_key.h"
#include "analytics/dns_domains.h"
#include "analytics/dns_parse.h"
#include "analytics/dns_transactions.h"
#include "analytics/dnssec.h"
#include "analytics/domain_line.h"
#include "analytics/facts_lookup.h"
#include "analytics/lookup_line.h"
#include "capture/base/module.h"

#include <stdlib.h>

enum {
	LINES_AT_ONCE = 1024, // of domains, in the middle of a run
	SMTP_PORT = 25,
};

// How often, in packet time.
#define LINES_EVERY SECONDS(3600)

struct dns_view {
	struct dns_view_options options;
	const struct dns_library_ops *library;
	struct dns_transactions *transactions;
	struct dns_memory *memory;
	struct dnssec *dnssec;
	struct dns_domains *domains;
	struct mx_hosts *hosts;
	struct dns_known known;
	struct anonymiser *anonymiser; // NULL: names and addresses are the real ones
	struct facts_lookup *registered;
	struct dns_lookups *lookups;
	struct json json;
	struct dns_view_counters counters;
	nanoseconds made; // when lines were last, in packet time; 0: not yet
	struct dns_parsed parsed; // of the message at hand
};

// What lines take besides.
static bool open_writing(struct dns_view *view, struct error *error)
{
	const char *key = view->options.anonymisation_key;
	view->registered = facts_lookup_open(error);
	if (view->registered == NULL || key == NULL)
		return view->registered != NULL;
	view->anonymiser = anonymiser_open(key, error);
	return view->anonymiser != NULL;
}

static enum dnssec_status status_of(void *context, const struct dns_name *name, uint16_t type)
{
	const struct dns_view *view = context;
	return dnssec_of(view->dnssec, name, type).status;
}

static bool open_parts(struct dns_view *view, struct error *error)
{
	static const struct module module = {
	    DNS_MODULE_FILE, DNS_MODULE_SYMBOL, "cannot read DNS", "libldns3"};
	view->library = module_load(&module, error);
	if (view->library == NULL)
		return false;
	view->transactions = dns_transactions_create();
	view->memory = dns_memory_create();
	view->domains = dns_domains_create();
	view->hosts = mx_hosts_create();
	view->lookups = dns_lookups_create();
	view->known = (struct dns_known){view->memory, view->hosts, status_of, view};
	error_set(error, "no memory for what DNS says");
	if (view->transactions == NULL || view->memory == NULL || view->domains == NULL ||
	    view->hosts == NULL || view->lookups == NULL)
		return false;
	view->dnssec =
	    dnssec_open(view->library, view->memory, view->options.trust_anchors, error);
	return view->dnssec != NULL && open_writing(view, error);
}

struct dns_view *dns_view_open(const struct dns_view_options *options, struct error *error)
{
	struct dns_view *view = calloc(1, sizeof *view);
	error_set(error, "no memory for what DNS says");
	if (view == NULL)
		return NULL;
	view->options = *options;
	if (open_parts(view, error))
		return view;
	dns_view_close(view);
	return NULL;
}

/* ---- lines ---- */

// The line at hand.
static bool is_whole(const struct dns_view *view, struct error *error)
{
	error_set(error, "no memory to write a line of what DNS says");
	return !view->json.failed &&
	       (view->anonymiser == NULL || !anonymiser_failed(view->anonymiser));
}

struct lookup_lines {
	struct dns_view *view;
	struct error *error;
};

static bool write_lookups(void *context, const struct lookup_counts *counts)
{
	const struct lookup_lines *lines = context;
	struct dns_view *view = lines->view;
	const struct lookup_writer writer = {
	    &view->json, view->anonymiser, view->options.sensor};
	struct lookup_facts facts;
	lookup_line_write(&writer, counts, &facts);
	if (!is_whole(view, lines->error))
		return false;
	view->options.on_lookups(view->options.context, &view->json, &facts);
	return true;
}

// Domains of which something new was seen, up to `most`.
static bool write_domains(struct dns_view *view, size_t most, struct error *error)
{
	const struct domain_writer writer = {&view->json, view->memory, view->dnssec,
	    view->anonymiser, view->registered, view->options.sensor};
	struct dns_domain *domain = NULL;
	struct domain_facts facts;
	while (most > 0 && (domain = dns_domains_next(view->domains, domain)) != NULL) {
		if (!domain->changed)
			continue;
		domain_line_write(&writer, domain, &facts);
		if (!is_whole(view, error))
			return false;
		view->options.on_domain(view->options.context, &view->json, &facts);
		domain->changed = false;
		view->counters.domains_written++;
		most--;
	}
	return true;
}

static bool write_lines(struct dns_view *view, size_t most, struct error *error)
{
	struct lookup_lines lines = {view, error};
	return write_domains(view, most, error) &&
	       dns_lookups_take(view->lookups, write_lookups, &lines);
}

static bool write_in_time(struct dns_view *view, nanoseconds now, struct error *error)
{
	if (view->made == 0 || now < view->made)
		view->made = now;
	if (now - view->made < LINES_EVERY)
		return true;
	view->made = now;
	return write_lines(view, LINES_AT_ONCE, error);
}

/* ---- messages ---- */

static void note_lookup(
    struct dns_view *view, const struct ip_address *host, nanoseconds time)
{
	dns_lookups_question(view->lookups, host, time,
	    dns_lookup_kind(&view->parsed.name, view->parsed.type));
}

static void take_answer(struct dns_view *view, const struct dns_message *message)
{
	enum dns_fit fit =
	    dns_transactions_answer(view->transactions, message, &view->parsed);
	switch (fit) {
	case DNS_ASKED:
		view->counters.answers++;
		break;
	case DNS_QUESTIONS_HIDDEN:
		view->counters.answers_alone++;
		note_lookup(view, &message->destination, message->time);
		break;
	case DNS_AGAIN:
		view->counters.answers_again++;
		return;
	case DNS_UNASKED:
		if (dns_memory_take_delegation(view->memory, message, &view->parsed))
			view->counters.referrals++;
		else
			view->counters.answers_refused++;
		return;
	case DNS_CONTRADICTING:
		view->counters.answers_refused++;
		return;
	}
	(void)dns_memory_take_delegation(view->memory, message, &view->parsed);
	enum dns_state state =
	    dns_memory_take(view->memory, message, &view->parsed, fit == DNS_ASKED);
	if (state == DNS_NOTHING)
		return;
	dns_domains_note(view->domains, &view->parsed, state, message->time);
	if (state != DNS_ALIAS)
		mx_hosts_note(view->hosts, view->memory, &view->parsed.name, view->parsed.type);
}

bool dns_view_message(struct dns_view *view, const struct dns_message *message, struct error *error)
{
	if (!view->library->parse(message->bytes, message->captured, &view->parsed)) {
		view->counters.unreadable++;
	} else if (view->parsed.answer) {
		take_answer(view, message);
	} else {
		view->counters.questions++;
		dns_transactions_question(view->transactions, message, &view->parsed);
		note_lookup(view, &message->source, message->time);
	}
	dnssec_tell_time(view->dnssec, message->time);
	return write_in_time(view, message->time, error);
}

struct dnssec_anchors *dns_view_load_anchors(const struct dns_view *view, struct error *error)
{
	return dnssec_load_anchors(view->library, view->options.trust_anchors, error);
}

void dns_view_use_anchors(struct dns_view *view, struct dnssec_anchors *anchors)
{
	dnssec_use_anchors(view->dnssec, anchors);
}

const struct dns_known *dns_view_known(const struct dns_view *view)
{
	return &view->known;
}

const struct dns_memory *dns_view_memory(const struct dns_view *view)
{
	return view != NULL ? view->memory : NULL;
}

struct dns_view_counters dns_view_counters(const struct dns_view *view)
{
	struct dns_view_counters counters = {0};
	if (view == NULL)
		return counters;
	counters = view->counters;
	counters.domains_given_up = dns_domains_given_up(view->domains);
	counters.names_given_up = dns_memory_counters(view->memory).given_up;
	counters.mx_names_given_up = mx_hosts_given_up(view->hosts);
	counters.networks_given_up = dns_lookups_given_up(view->lookups);
	counters.signatures_tried = dnssec_counters(view->dnssec).trials;
	counters.signatures_left = dnssec_counters(view->dnssec).left;
	return counters;
}

void dns_view_session(
    struct dns_view *view, const struct session_record *record, enum verdict verdict)
{
	bool received = verdict == VERDICT_ENCRYPTED || verdict == VERDICT_CLEARTEXT ||
	                verdict == VERDICT_STRIPPED;
	if (received && record->port[FROM_SERVER] == SMTP_PORT)
		dns_lookups_session(view->lookups, &record->address[FROM_SERVER], record->start,
		    record->end);
}

bool dns_view_finish(struct dns_view *view, struct error *error)
{
	return view == NULL || write_lines(view, SIZE_MAX, error);
}

void dns_view_close(struct dns_view *view)
{
	if (view == NULL)
		return;
	anonymiser_destroy(view->anonymiser);
	facts_lookup_close(view->registered);
	dns_lookups_destroy(view->lookups);
	mx_hosts_destroy(view->hosts);
	dns_domains_destroy(view->domains);
	dnssec_close(view->dnssec);
	dns_memory_destroy(view->memory);
	dns_transactions_destroy(view->transactions);
	json_release(&view->json);
	free(view);
}
