// SPDX-License-Identifier: Apache-2.0
#include "analytics/dns_view.h"

#include "analytics/anonymise.h"
#include "analytics/anonymise_key.h"
#include "analytics/dns_domains.h"
#include "analytics/dns_parse.h"
#include "analytics/dns_transactions.h"
#include "analytics/domain_line.h"
#include "analytics/log_directory.h"
#include "capture/base/module.h"

#include <stdlib.h>

enum { LINES_AT_ONCE = 1024 }; // of domains, in the middle of a run

// How often, in packet time.
#define LINES_EVERY SECONDS(3600)

struct dns_view {
	struct dns_view_options options;
	const struct dns_library_ops *library;
	struct dns_transactions *transactions;
	struct dns_memory *memory;
	struct dns_domains *domains;
	struct mx_hosts *hosts;
	struct dns_known known;
	struct anonymiser *anonymiser;
	struct log_file *log;
	struct json json;
	struct dns_view_counters counters;
	nanoseconds written; // when lines were last, in packet time; 0: not yet
	struct dns_parsed parsed; // of the message at hand
};

static bool open_log(struct dns_view *view, struct error *error)
{
	const struct dns_view_options *options = &view->options;
	if (options->logs == NULL)
		return true;
	if (options->anonymisation_key != NULL) {
		view->anonymiser = anonymiser_open(options->anonymisation_key, error);
		if (view->anonymiser == NULL)
			return false;
	}
	view->log = log_directory_log(options->logs, "domains", error);
	return view->log != NULL;
}

// Signatures are not verified.
static enum dnssec_status status_of(void *context, const struct dns_name *name, uint16_t type)
{
	(void)context;
	(void)name;
	(void)type;
	return DNSSEC_CANNOT_TELL;
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
	view->known = (struct dns_known){view->memory, view->hosts, status_of, view};
	error_set(error, "no memory for what DNS says");
	return view->transactions != NULL && view->memory != NULL && view->domains != NULL &&
	       view->hosts != NULL && open_log(view, error);
}

struct dns_view *dns_view_open(const struct dns_view_options *options, struct error *error)
{
	struct error ignored;
	struct dns_view *view = calloc(1, sizeof *view);
	error_set(error, "no memory for what DNS says");
	if (view == NULL)
		return NULL;
	view->options = *options;
	if (open_parts(view, error))
		return view;
	(void)dns_view_close(view, false, &ignored);
	return NULL;
}

/* ---- lines ---- */

// Those of which something new was seen, up to `most`.
static bool write_lines(struct dns_view *view, size_t most, struct error *error)
{
	const struct domain_writer writer = {
	    &view->json, view->memory, view->anonymiser, view->options.sensor};
	struct dns_domain *domain = NULL;
	while (most > 0 && (domain = dns_domains_next(view->domains, domain)) != NULL) {
		if (!domain->changed)
			continue;
		domain_line_write(&writer, domain);
		if (view->json.failed ||
		    (view->anonymiser != NULL && anonymiser_failed(view->anonymiser))) {
			error_set(error, "no memory to write a domain's line");
			return false;
		}
		if (!log_file_add(view->log, view->json.text, view->json.length, error))
			return false;
		domain->changed = false;
		view->counters.domains_written++;
		most--;
	}
	return true;
}

static bool write_in_time(struct dns_view *view, nanoseconds now, struct error *error)
{
	if (view->written == 0 || now < view->written)
		view->written = now;
	if (view->log == NULL || now - view->written < LINES_EVERY)
		return true;
	view->written = now;
	return write_lines(view, LINES_AT_ONCE, error);
}

/* ---- messages ---- */

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
		break;
	case DNS_AGAIN:
		view->counters.answers_again++;
		return;
	case DNS_UNASKED:
	case DNS_CONTRADICTING:
		view->counters.answers_refused++;
		return;
	}
	enum dns_state state =
	    dns_memory_take(view->memory, message, &view->parsed, fit == DNS_ASKED);
	if (state == DNS_NOTHING)
		return;
	dns_domains_note(view->domains, &view->parsed, state, message->time);
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
	}
	return write_in_time(view, message->time, error);
}

const struct dns_known *dns_view_known(const struct dns_view *view)
{
	return &view->known;
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
	return counters;
}

bool dns_view_close(struct dns_view *view, bool write, struct error *error)
{
	if (view == NULL)
		return true;
	bool good = true;
	if (view->log != NULL) {
		struct error ignored;
		good = !write || write_lines(view, SIZE_MAX, error);
		good &= log_directory_close_log(
		    view->options.logs, view->log, good ? error : &ignored);
	}
	anonymiser_destroy(view->anonymiser);
	mx_hosts_destroy(view->hosts);
	dns_domains_destroy(view->domains);
	dns_memory_destroy(view->memory);
	dns_transactions_destroy(view->transactions);
	json_release(&view->json);
	free(view);
	return good;
}
