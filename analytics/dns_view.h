// SPDX-License-Identifier: Apache-2.0
// Passive DNS: reads the messages that the workers hand on, counts an answer only where its question was seen (or where
// questions cannot be seen at all), remembers what it says, and makes the lines of domains.jsonl, what mail domains
// publish, and of lookups.jsonl, who looks up what: at the end of the run, and now and then what is new. Owned by the analytics thread.
#ifndef MAILTAP_ANALYTICS_DNS_VIEW_H
#define MAILTAP_ANALYTICS_DNS_VIEW_H

#include "analytics/dane.h"
#include "analytics/dns_facts.h"
#include "analytics/verdict.h"
#include "capture/base/error.h"

struct dns_view;
struct dnssec_anchors;
struct json;

struct dns_view_options {
	// A line of domains.jsonl or lookups.jsonl, and what tables count of it.
	void (*on_domain)(
	    void *context, const struct json *line, const struct domain_facts *facts);
	void (*on_lookups)(
	    void *context, const struct json *line, const struct lookup_facts *facts);
	void *context;
	const char *sensor; // or NULL; borrowed
	const char *anonymisation_key; // a file; NULL: addresses are the real ones
	const char *trust_anchors; // a file; NULL: the root's
};

// Nothing but unsigned figures of 64 bits. Each message is in one of the first seven.
struct dns_view_counters {
	uint64_t questions;
	uint64_t answers; // that were asked for
	uint64_t answers_alone; // whose questions the capture does not have
	uint64_t answers_again; // copies
	uint64_t answers_refused; // that nobody asked for, or that contradict one that came before
	uint64_t referrals; // that say what keys a zone has, and whose questions are not kept
	uint64_t unreadable; // malformed behind the first look
	uint64_t domains_written, domains_given_up, names_given_up; // lines; for room
	uint64_t mx_names_given_up; // that led to addresses, for room
	uint64_t networks_given_up; // whose look-ups were counted, for room
	uint64_t signatures_tried, signatures_left; // by DNSSEC: computed; answers that would be too much work
};

// Loads the library's module: before the sandbox closes. NULL: *error.
struct dns_view *dns_view_open(const struct dns_view_options *options, struct error *error);

// False: no memory for a line; *error.
bool dns_view_message(
    struct dns_view *view, const struct dns_message *message, struct error *error);

// What the judges of sessions ask; for the view's life.
const struct dns_known *dns_view_known(const struct dns_view *view);
// What answers said; NULL for no view.
const struct dns_memory *dns_view_memory(const struct dns_view *view);

// Reads the trust anchors of DNSSEC again, as at first. By any thread, while others use the view. NULL: *error.
struct dnssec_anchors *dns_view_load_anchors(const struct dns_view *view, struct error *error);
// They count from now on. Takes them over.
void dns_view_use_anchors(struct dns_view *view, struct dnssec_anchors *anchors);

struct dns_view_counters dns_view_counters(const struct dns_view *view); // NULL: all zero

// A server received a session.
void dns_view_session(
    struct dns_view *view, const struct session_record *record, enum verdict verdict);

// No more will come: makes the lines that are left. False as above. NULL is allowed.
bool dns_view_finish(struct dns_view *view, struct error *error);

void dns_view_close(struct dns_view *view); // NULL is allowed

#endif
